"""Channels of pipelines and rotations, and the deliveries to them."""

import datetime as dt
import json
from typing import NamedTuple, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from common.fields import EncryptedTextField, LineField, MultilineField
from notifications.models import LeasedQuerySet, LeasedRow
from notifications.outbox_row import OutboxQuerySet, OutboxRow, OutboxState
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation
from team_channels.domain.events import EVENTS, MAX_TITLE_LENGTH, TEST
from validation.models import Check, ExternalCheck

MAX_NAME_LENGTH = 80
# A message that fails holds back the next ones for this many attempts, about two and a half minutes.
ORDERED_ATTEMPTS = 5


class OldSecret(NamedTuple):
    """A replaced secret of a webhook, and until when requests are also signed with it."""

    secret: str
    until: dt.datetime


class TeamChannelQuerySet(models.QuerySet["TeamChannel"]):
    """Query methods for channels."""

    def active(self) -> Self:
        """Return the channels that are not turned off."""
        return self.filter(switched_off_at=None)

    def unreported(self) -> Self:
        """Return the channels that were turned off because they no longer exist, and not yet reported."""
        return self.filter(switched_off_at__isnull=False, switched_off_by=None, reported_at=None)

    def subscribed_to(self, event: str) -> Self:
        """Return the active channels that subscribe to an event."""
        return self.active().filter(events__contains=[event])


class TeamChannelManager(models.Manager["TeamChannel"]):
    """Manager of the channels that are not deleted."""

    def get_queryset(self) -> TeamChannelQuerySet:
        """Leave out deleted channels."""
        return TeamChannelQuerySet(self.model, using=self._db).filter(deleted_at=None)

    def active(self) -> TeamChannelQuerySet:
        """Return the channels that are not turned off."""
        return self.get_queryset().active()

    def subscribed_to(self, event: str) -> TeamChannelQuerySet:
        """Return the active channels that subscribe to an event."""
        return self.get_queryset().subscribed_to(event)


# Health changes often and is not an edit.
@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(
        condition=pghistory.AnyChange("name", "shown_as", "user_group", "events", "switched_off_at", "deleted_at")
    ),
    pghistory.DeleteEvent(),
    # The default name is already that of a column.
    obj_field=pghistory.ObjForeignKey(related_name="history"),
    exclude=[
        "address",
        "secret",
        "previous_secrets",
        "last_delivered_at",
        "problem",
        "problem_at",
        "retry_at",
        "reported_at",
    ],
)
class TeamChannel(models.Model):
    """A channel of a chat service, or a URL, that gets messages about a pipeline or a rotation.

    Its address is encrypted and never shown after it is saved, because anyone who knows it can post.
    """

    class Kind(models.TextChoices):
        """The service."""

        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"
        TEAMS = "teams", "Microsoft Teams"
        MATTERMOST = "mattermost", "Mattermost"
        DISCORD = "discord", "Discord"
        GOOGLE_CHAT = "google_chat", "Google Chat"

    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.CASCADE, null=True, blank=True, related_name="team_channels"
    )
    rotation = models.ForeignKey(
        Rotation, on_delete=models.CASCADE, null=True, blank=True, related_name="team_channels"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    name = LineField(max_length=MAX_NAME_LENGTH, help_text="The name that the team uses, such as #data-alerts.")
    address = EncryptedTextField(editable=False)
    shown_as = LineField(max_length=255, help_text="The host, without secrets.")
    secret = EncryptedTextField(blank=True, editable=False)
    # JSON list of `OldSecret`, newest first.
    previous_secrets = EncryptedTextField(blank=True, editable=False)
    user_group = LineField(
        max_length=32, blank=True, help_text="Slack’s ID of the group whose members are the engineers on call."
    )
    events = ArrayField(
        models.CharField(max_length=32, choices=EVENTS.items()), help_text="Events that the channel receives."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    last_delivered_at = models.DateTimeField(null=True, blank=True, help_text="When it last accepted a message.")
    problem = LineField(max_length=500, blank=True, help_text="Why the last message was not accepted.")
    problem_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Nothing is sent until then.")
    switched_off_at = models.DateTimeField(null=True, blank=True)
    switched_off_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty if the channel was turned off because it no longer exists.",
    )
    reported_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When people were notified that it no longer exists."
    )

    deleted_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When it was deleted. It is purged once it can no longer be restored.",
    )

    objects = TeamChannelManager()
    all_objects = TeamChannelQuerySet.as_manager()

    class Meta:
        base_manager_name = "all_objects"
        ordering = ["name", "pk"]
        verbose_name = "channel"
        constraints = [
            models.CheckConstraint(
                condition=Q(pipeline__isnull=False, rotation=None) | Q(pipeline=None, rotation__isnull=False),
                name="channel_has_one_owner",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="channel_has_a_name"),
            models.CheckConstraint(
                condition=Q(user_group="") | Q(kind="slack", rotation__isnull=False),
                name="user_group_is_of_a_rotation_in_slack",
            ),
            models.CheckConstraint(condition=~Q(kind="webhook") | ~Q(secret=""), name="webhook_has_a_secret"),  # nosec B106
            models.CheckConstraint(
                condition=Q(reported_at=None) | Q(switched_off_at__isnull=False), name="channel_reported_is_off"
            ),
        ]
        indexes = [
            models.Index(
                fields=["switched_off_at"],
                condition=Q(switched_off_at__isnull=False, switched_off_by=None, reported_at=None),
                name="channel_to_report",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}"

    @property
    def is_active(self) -> bool:
        return self.switched_off_at is None

    @property
    def is_signed(self) -> bool:
        """Whether requests are signed with a secret. Does not read the secret, which may be encrypted with a lost key."""
        return bool(vars(self)["secret"])

    def old_secrets(self, at: dt.datetime) -> list[OldSecret]:
        """Return the replaced secrets that still sign requests at an instant, newest first."""
        rows = json.loads(self.previous_secrets) if self.previous_secrets else []
        secrets = [OldSecret(secret, dt.datetime.fromisoformat(until)) for secret, until in rows]
        return [row for row in secrets if row.until > at]

    @property
    def owner(self) -> Pipeline | Rotation:
        """The pipeline or the rotation."""
        owner = self.pipeline or self.rotation
        if owner is None:
            raise ValueError("A channel has an owner.")  # the database holds the constraint
        return owner


class ChannelDeliveryQuerySet(OutboxQuerySet["ChannelDelivery"]):
    """Query methods for deliveries."""

    def claimable(self) -> Self:
        """Return the deliveries that can be sent now by the database's clock, oldest first.

        A channel gets its messages one at a time and in order: a delivery waits for an earlier one of its channel until
        that has failed `ORDERED_ATTEMPTS` times.
        """
        earlier = ChannelDelivery.objects.waiting().filter(
            channel=OuterRef("channel"), pk__lt=OuterRef("pk"), attempts__lt=ORDERED_ATTEMPTS, expires_at__gt=Now()
        )
        under_way = ChannelDelivery.objects.held().filter(channel=OuterRef("channel"))
        ready = (
            super()
            .claimable()
            .filter(Q(channel__retry_at=None) | Q(channel__retry_at__lte=Now()), channel__switched_off_at=None)
        )
        ready = ready.filter(channel__deleted_at=None)
        return ready.filter(~Exists(earlier), ~Exists(under_way))


class ChannelDelivery(OutboxRow):
    """A message to a channel about one event, and its delivery."""

    State = OutboxState

    channel = models.ForeignKey(TeamChannel, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=32, choices=[*EVENTS.items(), (TEST, "Test")])
    event_id = LineField(max_length=64, help_text="Identifies the event, the same for every attempt.")
    occurred_at = models.DateTimeField()
    title = LineField(max_length=MAX_TITLE_LENGTH)
    text = MultilineField(blank=True)
    path = LineField(max_length=200, help_text="Path of the page that the event is about.")
    facts = models.JSONField(default=list, blank=True, help_text="Pairs of a label and a value.")
    data = models.JSONField(default=dict, blank=True, help_text="The event as webhooks get it.")
    response_status = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="HTTP status of the last attempt."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ChannelDeliveryQuerySet.as_manager()

    class Meta(OutboxRow.Meta):
        ordering = ["-pk"]
        verbose_name_plural = "channel deliveries"
        constraints = [
            *OutboxRow.Meta.constraints,
            models.UniqueConstraint(fields=["channel", "event_id"], name="channel_gets_an_event_once"),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], condition=Q(state__in=("pending", "sending")), name="channel_delivery_due"
            ),
            models.Index(fields=["channel", "-id"], name="delivery_of_channel"),
            models.Index(fields=["expires_at"], name="channel_delivery_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.title} → {self.channel.name}"

    @property
    def is_finished(self) -> bool:
        return self.state not in (OutboxState.PENDING, OutboxState.SENDING)

    @property
    def fact_pairs(self) -> list[tuple[str, str]]:
        """The facts as labels and values."""
        return [(str(label), str(value)) for label, value in self.facts]


class CheckFailure(models.Model):
    """A failure of a check that was posted to channels, until its recovery is posted. One row per check, so each is posted once."""

    parent_check = models.OneToOneField(
        Check, on_delete=models.CASCADE, null=True, blank=True, related_name="channel_failure"
    )
    external_check = models.OneToOneField(
        ExternalCheck, on_delete=models.CASCADE, null=True, blank=True, related_name="channel_failure"
    )
    since = models.DateTimeField()

    class Meta:
        ordering = ["since", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(parent_check__isnull=False, external_check=None)
                | Q(parent_check=None, external_check__isnull=False),
                name="check_failure_has_one_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parent_check or self.external_check} since {self.since:%Y-%m-%d %H:%M}Z"


class SlackUserGroup(LeasedRow):
    """A user group in Slack, and the members that the site last set: the engineers on call."""

    group_id = LineField("group ID", max_length=32, unique=True)
    members = ArrayField(models.CharField(max_length=32), default=list, blank=True, help_text="Slack IDs.")
    synced_at = models.DateTimeField(null=True, blank=True)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        ordering = ["group_id"]
        verbose_name = "Slack user group"

    def __str__(self) -> str:
        return self.group_id
