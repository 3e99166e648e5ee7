"""Readers without an account: links to their page, notes on it, subscriptions by e-mail and the messages to subscribers."""

from typing import Self

import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from common.fields import LineField, MultilineField
from notifications.outbox_row import OutboxQuerySet, OutboxRow, OutboxState
from people.models import User
from pipelines.models import Pipeline

MAX_NOTE_LENGTH = 280


class ReadersLinkQuerySet(models.QuerySet["ReadersLink"]):
    """Filters for reader links."""

    def usable(self) -> Self:
        """Return the links that are not revoked."""
        return self.filter(revoked_at=None)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["html", "rendered_at"])),
    pghistory.DeleteEvent(),
    exclude=["digest", "html", "rendered_at"],
)
class ReadersLink(models.Model):
    """The secret of a reader page: 256 random bits, stored only as a SHA-256 digest.

    `html` is the page as a worker rendered it at `rendered_at`, which all web processes share.
    """

    name = LineField(max_length=80, help_text="Title of the page, such as “Investor numbers”.")
    pipelines = models.ManyToManyField(Pipeline, related_name="readers_links")
    prefix = LineField(max_length=16)
    digest = LineField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    html = MultilineField(blank=True, editable=False)
    rendered_at = models.DateTimeField(null=True, editable=False)

    objects = ReadersLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "reader link"
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="readers_link_has_a_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


@pghistory.track()
class ReaderNote(models.Model):
    """One sentence about a pipeline for readers, by an engineer. It is shown without their name."""

    pipeline = models.OneToOneField(Pipeline, on_delete=models.CASCADE, related_name="reader_note")
    text = LineField(max_length=MAX_NOTE_LENGTH)
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["pipeline"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="reader_note_has_text")]

    def __str__(self) -> str:
        return self.text


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Filters for subscriptions."""

    def active(self) -> Self:
        """Return confirmed subscriptions of links that are not revoked."""
        return self.filter(confirmed_at__isnull=False, link__revoked_at=None)


class Subscription(models.Model):
    """An address that is notified when a pipeline's published numbers become doubtful or wrong, and when they are right again.

    `is_alerted` is what the subscriber was notified of last: that numbers are doubtful or wrong, or that they are right.
    """

    link = models.ForeignKey(ReadersLink, on_delete=models.CASCADE, related_name="subscriptions")
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="subscriptions")
    email = models.EmailField(max_length=254)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    is_alerted = models.BooleanField(default=False)
    notified_at = models.DateTimeField(null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["pipeline", "email"]
        constraints = [models.UniqueConstraint(fields=["pipeline", "email"], name="one_subscription_per_address")]

    def __str__(self) -> str:
        return f"{self.email}: {self.pipeline}"


class ReaderMessage(OutboxRow):
    """An e-mail to a subscriber and its delivery: the outbox for people without an account (docs/adr)."""

    class Kind(models.TextChoices):
        """What it says."""

        CONFIRM = "confirm", "Confirm the subscription"
        ALERT = "alert", "Numbers are doubtful or wrong"
        CLEAR = "clear", "Numbers are right again"

    State = OutboxState

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=7, choices=Kind)
    occurrence = LineField(max_length=40, help_text="Identifies the message within its subscription and kind.")
    subject = LineField(max_length=200)
    text = MultilineField()

    objects = OutboxQuerySet["ReaderMessage"].as_manager()

    class Meta(OutboxRow.Meta):
        ordering = ["-due_at", "-pk"]
        constraints = [
            *OutboxRow.Meta.constraints,
            models.UniqueConstraint(
                fields=["subscription", "kind", "occurrence"], name="reader_message_is_enqueued_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], condition=Q(state__in=("pending", "sending")), name="reader_message_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.subscription.email}"


class ReaderNotification(models.Model):
    """A record for auditors that a subscriber was notified of doubtful or wrong published numbers, without the address.

    `subscriber` is the primary key of the subscription, which identifies nobody once it has ended.
    """

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="reader_notifications")
    subscriber = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "at", "subscriber"], name="reader_is_notified_once_at_a_time")
        ]

    def __str__(self) -> str:
        return f"Reader {self.subscriber}: {self.pipeline}"
