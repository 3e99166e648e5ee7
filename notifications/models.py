"""Tables of messages: the outbox from which workers deliver, written in the transaction that is being told about."""

import datetime as dt
from typing import Self

import pghistory
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from people.models import User

# What is so late was kept up by a site that was down, not by a slow mail server.
OVERDUE_AFTER = dt.timedelta(hours=1)
# The kind of the one message that tells what was late.
CATCH_UP = "catch-up"


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages, narrowed."""

    def waiting(self) -> Self:
        """Return the messages that are neither sent nor given up."""
        return self.filter(state__in=(Message.State.PENDING, Message.State.SENDING))

    def due(self, *, at: dt.datetime) -> Self:
        """Return the waiting messages whose time has come."""
        return self.waiting().filter(due_at__lte=at)

    def unclaimed(self) -> Self:
        """Return the messages that nobody is sending, by the database's clock: waiting, or with a lease that is over."""
        return self.filter(Q(state=Message.State.PENDING) | Q(state=Message.State.SENDING, lease_until__lte=Now()))

    def late(self) -> Self:
        """Return what is long overdue, of use still, and was never tried: it waits for the catch-up, not for a worker."""
        return self.filter(
            state=Message.State.PENDING,
            attempts=0,
            retry_at=None,
            due_at__lte=Now() - OVERDUE_AFTER,
            expires_at__gt=Now(),
        ).exclude(kind=CATCH_UP)

    def claimable(self) -> Self:
        """Return the messages that may be sent now, by the database's clock, the most urgent first."""
        tried = Q(retry_at__lte=Now()) | Q(retry_at=None, attempts__gt=0)
        never = Q(retry_at=None, attempts=0) & (Q(due_at__gt=Now() - OVERDUE_AFTER) | Q(kind=CATCH_UP))
        ready = self.unclaimed().filter(tried | never, due_at__lte=Now(), expires_at__gt=Now())
        return ready.order_by("-urgent", "due_at", "pk")

    def finished_for(self, length: dt.timedelta) -> Self:
        """Return what was sent, dropped or merged and of no more use for so long, but for catch-ups whose messages are still here."""
        finished = self.filter(state__in=(Message.State.SENT, Message.State.DROPPED, Message.State.MERGED))
        needed = Message.objects.filter(merged_into=OuterRef("pk"))
        return finished.filter(~Exists(needed), expires_at__lte=Now() - length)

    def failed(self) -> Self:
        """Return the messages that were given up."""
        return self.filter(state=Message.State.FAILED)


class Message(models.Model):
    """A message to one person by one channel; its key says what it is about, so that nothing is told twice."""

    class State(models.TextChoices):
        """What has become of a message."""

        PENDING = "pending", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "No longer true"
        MERGED = "merged", "In a catch-up"

    class Channel(models.TextChoices):
        """By what a message goes."""

        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"

    key = models.CharField(max_length=300, unique=True, help_text="event:occurrence:offset:recipient:channel")
    kind = models.CharField(max_length=40)
    event = models.CharField(max_length=60)
    occurrence = models.CharField(max_length=120)
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    path = models.CharField(max_length=300, blank=True, help_text="The page it is about, below the site's address.")
    calendar_method = models.CharField(max_length=10, blank=True, help_text="REQUEST or CANCEL, for an invitation.")
    calendar = models.TextField(blank=True, help_text="The invitation's iCalendar object.")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="From then on it is of no use and is dropped.")
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    urgent = models.BooleanField(default=False, help_text="Goes before others, and in quiet hours too.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="After a failure, when it is tried again.")
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged", help_text="The catch-up."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sending", token__isnull=False, lease_until__isnull=False)
                | (~Q(state="sending") & Q(token=None, lease_until=None)),
                name="message_being_sent_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="message_sent_has_an_instant",
            ),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False) | (~Q(state="merged") & Q(merged_into=None)),
                name="message_merged_has_a_catch_up",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-urgent", "due_at", "id"], condition=Q(state__in=("pending", "sending")), name="message_due"
            ),
            models.Index(fields=["event", "occurrence"], name="message_about"),
            models.Index(fields=["recipient", "-due_at"], name="message_of_person"),
            models.Index(fields=["-due_at"], condition=Q(state="failed"), name="message_failed"),
            models.Index(
                fields=["expires_at"], condition=Q(state__in=("sent", "dropped", "merged")), name="message_finished"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient}"


@pghistory.track()
class ChannelPreference(models.Model):
    """By which channels a person is told of a kind of message; without a row, as the site thinks best."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="message_choices")
    kind = models.CharField(max_length=40)
    email = models.BooleanField("e-mail", default=True)
    chat = models.BooleanField(default=False)

    class Meta:
        ordering = ["person", "kind"]
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="one_choice_a_kind")]

    def __str__(self) -> str:
        return f"{self.person}: {self.kind}"


@pghistory.track()
class QuietHours(models.Model):
    """The hours of a person's day, by their own clock, in which what is not urgent waits until they end."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="quiet_hours")
    starts_at = models.TimeField("from")
    ends_at = models.TimeField("until")

    class Meta:
        ordering = ["person"]
        verbose_name_plural = "quiet hours"
        constraints = [
            models.CheckConstraint(condition=~Q(starts_at=F("ends_at")), name="quiet_hours_have_a_length"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.starts_at:%H:%M} to {self.ends_at:%H:%M}"


@pghistory.track(exclude=["address"])
class ChatAddress(models.Model):
    """Where a person is told by chat: an address in Apprise's form, given by an admin and kept sealed."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="chat_address")
    address = models.TextField(editable=False, help_text="Sealed: who knows it can write there.")
    service = models.CharField(max_length=20)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["person"]
        verbose_name_plural = "chat addresses"

    def __str__(self) -> str:
        return f"{self.person} by {self.service}"
