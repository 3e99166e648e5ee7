"""Models of the outbox and notification preferences."""

import datetime as dt
from typing import Any, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Greatest, Lower, Now

from common.fields import EncryptedTextField, LineField, MultilineField
from notifications.outbox_row import OutboxQuerySet, OutboxRow
from people.models import User, since_reactivation

# A delay this long means that the site was down, not that a mail server was slow.
OVERDUE_AFTER = dt.timedelta(hours=1)
# Types of the messages that list others: overdue ones, and those beyond the limit of incident messages.
DIGEST, SUMMARY = "digest", "summary"
LISTS = (DIGEST, SUMMARY)
MAX_DELAY_MINUTES = 12 * 60


class MessageQuerySet(OutboxQuerySet["Message"]):
    """Filters for messages."""

    def due(self, *, at: dt.datetime) -> Self:
        """Return waiting messages that are due at `at`."""
        return self.waiting().filter(due_at__lte=at)

    def late(self) -> Self:
        """Return overdue, unexpired messages that were never attempted; a digest handles them."""
        return self.filter(
            state=Message.State.PENDING,
            attempts=0,
            retry_at=None,
            due_at__lte=Now() - OVERDUE_AFTER,
            expires_at__gt=Now(),
        ).exclude(type__in=LISTS)

    def claimable(self) -> Self:
        """Return messages that can be sent now by the database's clock, urgent ones first."""
        tried = Q(retry_at__lte=Now()) | Q(retry_at=None, attempts__gt=0)
        never = Q(retry_at=None, attempts=0) & (Q(due_at__gt=Now() - OVERDUE_AFTER) | Q(type__in=LISTS))
        return self.sendable().filter(tried | never).order_by("-urgent", "due_at", "pk")

    def purgeable(self) -> Self:
        """Return finished messages that expired long ago, except digests that others refer to.

        Failed messages stay until an admin has dealt with them.
        """
        finished = self.filter(state__in=(Message.State.SENT, Message.State.DROPPED, Message.State.MERGED))
        needed = Message.objects.filter(merged_into=OuterRef("pk"))
        return finished.expired_long_ago().filter(~Exists(needed))

    def failed(self) -> Self:
        """Return failed messages."""
        return self.filter(state=Message.State.FAILED)


class Message(OutboxRow):
    """A notification for one user through one channel, and its delivery."""

    class State(models.TextChoices):
        """Delivery state."""

        PENDING = "pending", "Scheduled"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "Dropped (obsolete)"
        MERGED = "merged", "In a digest"

    class Channel(models.TextChoices):
        """Delivery channel."""

        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"
        NTFY = "ntfy", "ntfy"
        GOTIFY = "gotify", "Gotify"
        TEAMS = "teams", "Microsoft Teams"
        SLACK_DM = "slack_dm", "Slack"
        SLACK = "slack", "Slack webhook"
        WEBHOOK = "webhook", "Webhook"
        PUSH = "push", "Push"
        SMS = "sms", "SMS"
        VOICE = "voice", "Voice call"

    type = LineField(max_length=40, help_text="Name of the notification type.")
    dedup_key = LineField(max_length=200, help_text="Identifies the occurrence within its type.")
    context = models.JSONField(default=dict, help_text="Fields of the notification.")
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    contact_method = models.PositiveBigIntegerField(
        default=0,
        help_text="ID of the contact method; 0 for e-mail, push, and the oldest contact method of the channel.",
    )
    provider_id = LineField(
        max_length=64, blank=True, help_text="ID of the SMS, the call or the Slack message at its provider."
    )
    delay_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="Delay of its notification rule; 0 is sent at once."
    )
    subject = LineField(max_length=200)
    text = MultilineField()
    calendar_method = LineField(max_length=10, blank=True, help_text="REQUEST or CANCEL, for an invitation.")
    calendar = MultilineField(blank=True, help_text="The invitation's iCalendar object.")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    urgent = models.BooleanField(default=False, help_text="Goes before others, and in quiet hours too.")
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged", help_text="The digest."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta(OutboxRow.Meta):
        ordering = ["-due_at", "-pk"]
        constraints = [
            *OutboxRow.Meta.constraints,
            models.UniqueConstraint(
                fields=["type", "dedup_key", "recipient", "channel", "contact_method", "delay_minutes"],
                name="message_is_enqueued_once",
            ),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False) | (~Q(state="merged") & Q(merged_into=None)),
                name="message_merged_has_a_digest",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-urgent", "due_at", "id"], condition=Q(state__in=("pending", "sending")), name="message_due"
            ),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="message_sending"),
            models.Index(fields=["recipient", "-due_at"], name="message_of_person"),
            models.Index(fields=["-due_at"], condition=Q(state="failed"), name="message_failed"),
            models.Index(fields=["-created_at"], condition=Q(channel__in=("sms", "voice")), name="message_by_phone"),
            models.Index(
                fields=["expires_at"], condition=Q(state__in=("sent", "dropped", "merged")), name="message_finished"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient}"


@pghistory.track()
class ChannelPreference(models.Model):
    """A user's channels for a notification type; without a row, the defaults apply."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="channel_preferences")
    type = LineField(max_length=40, help_text="Name of the notification type.")
    channels = ArrayField(models.CharField(max_length=8, choices=Message.Channel), default=list, blank=True)

    class Meta:
        ordering = ["person", "type"]
        constraints = [models.UniqueConstraint(fields=["person", "type"], name="one_preference_per_type")]

    def __str__(self) -> str:
        return f"{self.person}: {self.type}"


# Channels to an address of one person, at a server of their own choice.
PERSONAL_CHANNELS = (
    Message.Channel.CHAT,
    Message.Channel.NTFY,
    Message.Channel.GOTIFY,
    Message.Channel.TEAMS,
    Message.Channel.SLACK,
    Message.Channel.WEBHOOK,
)
# Since when a message is late. One that waits for its next attempt at an address of one person is not: the site delivers, and the
# Notifications page shows the problem.
LATE_SINCE = Case(When(channel__in=PERSONAL_CHANNELS, then=Greatest("due_at", "retry_at")), default="due_at")


@pghistory.track()
class QuietHours(models.Model):
    """Daily hours in a user's time zone during which non-urgent messages wait."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="quiet_hours")
    starts_at = models.TimeField("from")
    ends_at = models.TimeField("until")
    weekends = models.BooleanField(default=False, help_text="Saturday and Sunday are quiet all day.")

    class Meta:
        ordering = ["person"]
        verbose_name_plural = "quiet hours"
        constraints = [
            models.CheckConstraint(condition=~Q(starts_at=F("ends_at")), name="quiet_hours_have_a_length"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.starts_at:%H:%M} to {self.ends_at:%H:%M}"


@pghistory.track()
class NotificationRule(models.Model):
    """A step of a user's notifications: by which channel, and how long after the event. Without rows, the defaults apply."""

    class Urgency(models.TextChoices):
        """Which notifications the rule is for."""

        HIGH = "high", "High urgency"
        LOW = "low", "Low urgency"

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notification_rules")
    urgency = models.CharField(max_length=4, choices=Urgency)
    channel = models.CharField(max_length=8, choices=Message.Channel)
    delay_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(MAX_DELAY_MINUTES)])

    class Meta:
        ordering = ["person", "urgency", "delay_minutes", "channel"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "urgency", "channel", "delay_minutes"], name="notification_rule_is_there_once"
            ),
            models.CheckConstraint(
                condition=Q(delay_minutes__lte=MAX_DELAY_MINUTES), name="notification_rule_delay_is_limited"
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.person}: {self.get_urgency_display()}, {self.get_channel_display()} after {self.delay_minutes} min"
        )


# Not among them: e-mail, whose address is in the profile, and push, which has devices.
WITHOUT_ADDRESS = (Message.Channel.EMAIL, Message.Channel.PUSH)
CONTACT_CHANNELS = [choice for choice in Message.Channel.choices if choice[0] not in WITHOUT_ADDRESS]


class ContactMethodQuerySet(models.QuerySet["ContactMethod"]):
    """Filters for contact methods."""

    def live(self) -> Self:
        """Return the contact methods that notifications are sent to: verified and not turned off."""
        return self.filter(verified_at__isnull=False, switched_off_at=None)

    def record_delivery(self) -> None:
        """Record that a message has just arrived. A method that was turned off in the meantime keeps its problem."""
        problem = Case(
            When(switched_off_at=None, then=Value("")), default=F("problem"), output_field=models.CharField()
        )
        self.update(last_delivered_at=Now(), problem=problem)


# Codes and the health change often, and say nothing about who changed what.
@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("verified_at", "switched_off_at", "shown_as")),
    pghistory.DeleteEvent(),
    exclude=[
        "address",
        "address_digest",
        "code_nonce",
        "code_sent_at",
        "code_attempts",
        "last_delivered_at",
        "problem",
    ],
)
class ContactMethod(models.Model):
    """A user's address for a channel other than e-mail and push, encrypted and never shown after it is saved.

    Only codes are sent to it until its user has entered one.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contact_methods")
    channel = models.CharField(max_length=8, choices=CONTACT_CHANNELS)
    address = EncryptedTextField(editable=False)
    address_digest = models.CharField(max_length=64, editable=False, help_text="Keyed digest of the address.")
    shown_as = LineField(max_length=255, help_text="The service or the host, without secrets.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    verified_at = models.DateTimeField(
        null=True, blank=True, help_text="When its user last showed that messages arrive."
    )
    code_nonce = models.CharField(max_length=32, blank=True, editable=False)
    code_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    code_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    last_delivered_at = models.DateTimeField(null=True, blank=True, help_text="When the service accepted a message.")
    problem = LineField(max_length=500, blank=True, help_text="Why the last message was not accepted.")
    switched_off_at = models.DateTimeField(null=True, blank=True, help_text="When the service said that it is gone.")
    reported_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the user was notified that it is turned off."
    )

    objects = ContactMethodQuerySet.as_manager()

    class Meta:
        ordering = ["person", "channel", "created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "channel", "address_digest"], name="contact_method_is_added_once"
            ),
            models.CheckConstraint(
                condition=Q(reported_at=None) | Q(switched_off_at__isnull=False), name="contact_method_reported_is_off"
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "address_digest"], name="contact_method_address"),
            models.Index(
                fields=["switched_off_at"],
                condition=Q(switched_off_at__isnull=False, reported_at=None),
                name="contact_method_to_report",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_channel_display()} ({self.shown_as})"

    @property
    def is_live(self) -> bool:
        return self.verified_at is not None and self.switched_off_at is None


@pghistory.track()
class PrivateHost(models.Model):
    """A host that messages may be sent to even on a private network, such as the team's own Gotify server."""

    host = LineField(max_length=253, help_text="Such as gotify.example.org.")
    port = models.PositiveIntegerField(null=True, blank=True, help_text="Leave empty for 443 and 8443.")
    note = LineField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["host", "port"]
        verbose_name = "allowed host"
        constraints = [
            models.UniqueConstraint(
                fields=["host", "port"],
                name="private_host_is_listed_once",
                nulls_distinct=False,
                violation_error_message="This host is already on the list.",
            ),
            models.CheckConstraint(
                condition=Q(host=Lower("host")) & ~Q(host=""),
                name="private_host_in_lower_case",
                violation_error_message="Enter the host in lower case.",
            ),
            models.CheckConstraint(
                condition=Q(port=None) | Q(port__range=(1, 65535)),
                name="private_host_has_a_port",
                violation_error_message="Enter a port from 1 to 65535.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


@pghistory.track()
class NotificationPolicy(models.Model):
    """What admins require of everyone's notification rules."""

    high_needs_one_of = ArrayField(
        models.CharField(max_length=8, choices=Message.Channel),
        default=list,
        blank=True,
        help_text="High-urgency rules must include one of these channels, such as push, sms or voice. Empty for none.",
    )

    class Meta:
        verbose_name_plural = "notification policy"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="there_is_one_notification_policy")]

    def __str__(self) -> str:
        return "Notification policy"


@pghistory.track(exclude=["auth_token"])
class PhoneAccount(models.Model):
    """The account at the provider of SMS and calls (Twilio), unless the settings have one."""

    account_sid = LineField("account SID", max_length=34, help_text="Starts with AC.")
    auth_token = EncryptedTextField(editable=False)
    from_number = LineField(max_length=16, help_text="A number of the account, such as +15005550006.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="there_is_one_phone_account")]

    def __str__(self) -> str:
        return self.account_sid


class EmailRejection(models.Model):
    """A user's e-mail address that the mail server rejects.

    Messages are still sent; the first one accepted deletes this row.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="email_rejection")
    address = models.EmailField(help_text="The rejected address. A later address is not affected.")
    problem = LineField(max_length=500, help_text="Response of the mail server.")
    rejected_at = models.DateTimeField(help_text="When it was first rejected.")
    reported_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When someone was notified.")

    class Meta:
        verbose_name = "rejected e-mail address"
        verbose_name_plural = "rejected e-mail addresses"
        ordering = ["person"]

    def __str__(self) -> str:
        return f"{self.person}: {self.address}"


class PushDeviceQuerySet(models.QuerySet["PushDevice"]):
    """Filters for push devices."""

    def live(self) -> Self:
        """Return devices that messages are sent to: not turned off, of an active user, and not from before a deactivation."""
        return self.filter(since_reactivation("person"), switched_off_at=None, person__is_active=True)


@pghistory.track(exclude=["endpoint", "endpoint_digest", "p256dh", "auth", "last_delivered_at", "retry_at", "problem"])
class PushDevice(models.Model):
    """A browser that shows push messages of a user: its push service's endpoint and keys, encrypted (RFC 8030, RFC 8291)."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="push_devices")
    name = LineField(max_length=60)
    endpoint = EncryptedTextField(editable=False)
    endpoint_digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the endpoint.")
    service = LineField(max_length=255, help_text="Host of the push service.")
    p256dh = EncryptedTextField(editable=False)
    auth = EncryptedTextField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="When the user confirmed a test message.")
    last_delivered_at = models.DateTimeField(
        null=True, blank=True, help_text="When its push service accepted a message."
    )
    retry_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Nothing is sent until then, because the push service asked for a pause.",
    )
    problem = LineField(max_length=500, blank=True, help_text="Why the last message was not accepted.")
    switched_off_at = models.DateTimeField(null=True, blank=True, help_text="When its push service said it is gone.")
    reported_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the user was notified that it is turned off."
    )

    objects = PushDeviceQuerySet.as_manager()

    class Meta:
        ordering = ["person", "created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reported_at=None) | Q(switched_off_at__isnull=False), name="push_device_reported_is_off"
            ),
        ]
        indexes = [
            models.Index(
                fields=["switched_off_at"],
                condition=Q(switched_off_at__isnull=False, reported_at=None),
                name="push_device_to_report",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.name}"


class VapidKey(models.Model):
    """The key by which push services know the site (RFC 8292), generated at first use unless the settings have one."""

    private_key = EncryptedTextField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "VAPID key"
        verbose_name_plural = "VAPID keys"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="there_is_one_vapid_key")]

    def __str__(self) -> str:
        return f"VAPID key of {self.created_at:%Y-%m-%d}"


@pghistory.track(exclude=["bot_token", "signing_secret"])
class SlackApp(models.Model):
    """The site's Slack app, unless the environment configures one."""

    bot_token = EncryptedTextField(editable=False)
    signing_secret = EncryptedTextField(editable=False)

    class Meta:
        verbose_name = "Slack app"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="there_is_one_slack_app")]

    def __str__(self) -> str:
        return "Slack app"


class SlackMember(models.Model):
    """A user's account in the Slack workspace, found by e-mail address."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="slack_member")
    email = models.EmailField(help_text="The address that was looked up.")
    slack_id = LineField(
        "Slack ID", max_length=32, blank=True, help_text="Such as U012AB3CD; empty if Slack has no member."
    )
    looked_up_at = models.DateTimeField()
    problem = LineField(max_length=500, blank=True, help_text="Why no member was found.")

    class Meta:
        ordering = ["person"]
        verbose_name = "Slack member"
        constraints = [
            models.UniqueConstraint(
                fields=["slack_id"], condition=~Q(slack_id=""), name="slack_member_is_of_one_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.slack_id or 'not in Slack'}"


class SlackRequest(models.Model):
    """The signature of an accepted request from Slack, stored to reject replays."""

    signature = models.CharField(max_length=80, unique=True, editable=False)
    received_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.signature


class LeasedQuerySet(models.QuerySet[Any]):
    """Query methods for rows that workers claim."""

    def claimable(self) -> Self:
        """Return rows that no worker holds and whose retry is due, by the database's clock."""
        free = Q(token=None) | Q(lease_until__lte=Now())
        return self.filter(free, Q(retry_at=None) | Q(retry_at__lte=Now()))

    def held(self) -> Self:
        """Return rows that a worker holds."""
        return self.filter(lease_until__gt=Now())


class LeasedRow(models.Model):
    """A row that one worker claims at a time, by the database's clock (`notifications.services.slack_leases`)."""

    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed attempts in a row.")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Next attempt after a failure.")
    problem = LineField(max_length=500, blank=True, help_text="Why the last attempt failed.")

    class Meta:
        abstract = True


class SlackAnswer(LeasedRow):
    """A response to a click that only that person sees. It is posted to the URL that Slack sent with the click."""

    response_url = EncryptedTextField(editable=False)
    text = MultilineField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text
