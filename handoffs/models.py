"""Database tables of hand-offs: meeting policies, topics, hand-offs, notes and action items."""

import datetime as dt
import uuid
from typing import Any, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import ExpressionWrapper, F, Q, Value, fields
from django.db.models.functions import Trim

from common.db import page_version_triggers
from common.fields import LineField, MultilineField
from people.models import User
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import MAX_MEETING_MINUTES, MIN_MEETING_MINUTES
from scheduling.models import Rotation

MAX_NOTE_CHARACTERS = 20_000
# Signing opens this long before the hand-off: on the last day of the outgoing engineer.
SIGNING_LEAD_TIME = dt.timedelta(days=1)
# How far before or after its hand-off a meeting can be moved.
MAX_MEETING_DISTANCE = dt.timedelta(days=7)
# How early invitations are sent. Swaps made before that change nobody's calendar.
INVITATION_LEAD_TIME = dt.timedelta(weeks=5)


@pghistory.track()
class HandoffPolicy(models.Model):
    """A rotation's hand-off rules: the meeting's minimum and maximum length in minutes, and the handbook's text."""

    rotation = models.OneToOneField(Rotation, on_delete=models.CASCADE, related_name="handoff_policy")
    name = LineField(max_length=120, default="Hand-Off")
    instruction = MultilineField(blank=True, help_text="The handbook's sentence about the meeting, in Markdown.")
    minutes_min = models.PositiveSmallIntegerField(
        "minimum length (minutes)",
        default=20,
        validators=[MinValueValidator(MIN_MEETING_MINUTES), MaxValueValidator(MAX_MEETING_MINUTES)],
    )
    minutes_max = models.PositiveSmallIntegerField(
        "maximum length (minutes)",
        default=30,
        validators=[MinValueValidator(MIN_MEETING_MINUTES), MaxValueValidator(MAX_MEETING_MINUTES)],
    )
    topics_label = LineField(max_length=120, default="Topics to discuss")

    class Meta:
        verbose_name = "hand-off policy"
        verbose_name_plural = "hand-off policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    minutes_min__gte=MIN_MEETING_MINUTES,
                    minutes_min__lte=F("minutes_max"),
                    minutes_max__lte=MAX_MEETING_MINUTES,
                ),
                name="handoff_policy_valid_length",
                violation_error_message="A meeting has 20 to 30 minutes, and the minimum is at most the maximum.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.rotation})"


@pghistory.track()
class HandoffTopic(models.Model):
    """A topic of a rotation's hand-off meeting, in the handbook's order."""

    policy = models.ForeignKey(HandoffPolicy, on_delete=models.CASCADE, related_name="topics")
    position = models.PositiveSmallIntegerField()
    title = LineField(max_length=400)

    class Meta:
        ordering = ["policy", "position"]
        verbose_name = "hand-off topic"
        constraints = [
            models.UniqueConstraint(fields=["policy", "position"], name="handoff_topic_unique_position"),
            models.UniqueConstraint(fields=["policy", "title"], name="handoff_topic_unique_title"),
            models.CheckConstraint(condition=~Q(title=""), name="handoff_topic_title_not_empty"),
        ]

    def __str__(self) -> str:
        return self.title


def new_event_uid() -> str:
    """Return a globally unique calendar event identifier (RFC 7986, 5.3)."""
    return str(uuid.uuid4())


def _field_plus(field: str, by: dt.timedelta) -> ExpressionWrapper[Any]:
    return ExpressionWrapper(F(field) + Value(by), output_field=fields.DateTimeField())


class HandoffQuerySet(models.QuerySet["Handoff"]):
    """Query methods for hand-offs."""

    def not_cancelled(self) -> Self:
        return self.filter(cancelled_at=None)

    def unsigned(self) -> Self:
        """Return hand-offs with a missing signature that nobody has closed."""
        return (
            self.not_cancelled().filter(closed_at=None).filter(Q(signed_outgoing_at=None) | Q(signed_incoming_at=None))
        )

    def attended_by(self, person: User) -> Self:
        """Return hand-offs in which the person is the outgoing or incoming engineer."""
        return self.filter(Q(outgoing=person) | Q(incoming=person))

    def due_for_mail(self, *, at: dt.datetime) -> Self:
        """Return hand-offs that are not over and whose newest version has not been sent to all its people."""
        invitation_due = Q(cancelled_at=None, meeting_starts_at__lte=at + INVITATION_LEAD_TIME) | ~Q(invited=[])
        up_to_date = Q(mailed_sequence__isnull=False, mailed_sequence=F("sequence"))
        return self.filter(invitation_due, meeting_ends_at__gt=at).exclude(up_to_date)

    def with_people(self) -> Self:
        """Prefetch the rotation and both engineers."""
        return self.select_related("rotation", "outgoing", "incoming")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(
        condition=pghistory.AnyChange(
            exclude=["invited", "mailed_sequence", "absence_notified", "unsigned_notified_at"]
        )
    ),
    pghistory.DeleteEvent(),
    exclude=["invited", "mailed_sequence", "absence_notified", "unsigned_notified_at"],
)
class Handoff(models.Model):
    """A change of on-call engineer at the start of a shift, with its meeting and two signatures.

    It is identified by the start date of that shift, so it keeps its calendar UID when a swap changes its engineers.
    """

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="handoffs")
    week = models.DateField(help_text="Start date of the shift that begins.")
    at = models.DateTimeField("hand-off")
    outgoing = models.ForeignKey(User, on_delete=models.PROTECT, related_name="handed_over")
    incoming = models.ForeignKey(User, on_delete=models.PROTECT, related_name="taken_over")
    meeting_starts_at = models.DateTimeField()
    meeting_ends_at = models.DateTimeField()
    moved = models.BooleanField(default=False, help_text="The meeting was rescheduled by hand.")
    uid = LineField(max_length=255, unique=True, default=new_event_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    stamped_at = models.DateTimeField(editable=False, help_text="When the sequence last increased.")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    signed_outgoing_at = models.DateTimeField("outgoing engineer signed", null=True, blank=True)
    signed_incoming_at = models.DateTimeField("incoming engineer signed", null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Closed because an engineer who must sign left.")
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    frozen = models.JSONField(
        null=True, blank=True, editable=False, help_text="The sheet when it was signed or closed."
    )
    invited = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    mailed_sequence = models.PositiveIntegerField(null=True, blank=True, editable=False)
    absence_notified = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    unsigned_notified_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = "hand-off"
        triggers = page_version_triggers(
            exclude=["invited", "mailed_sequence", "absence_notified", "unsigned_notified_at"]
        )
        constraints = [
            models.UniqueConstraint(fields=["rotation", "week"], name="one_handoff_a_week"),
            models.UniqueConstraint(fields=["rotation", "at"], name="one_handoff_an_instant"),
            models.CheckConstraint(condition=~Q(outgoing=F("incoming")), name="handoff_is_between_two"),
            models.CheckConstraint(
                condition=Q(
                    meeting_ends_at__gte=_field_plus("meeting_starts_at", dt.timedelta(minutes=MIN_MEETING_MINUTES))
                )
                & Q(meeting_ends_at__lte=_field_plus("meeting_starts_at", dt.timedelta(minutes=MAX_MEETING_MINUTES))),
                name="handoff_meeting_valid_length",
            ),
            models.CheckConstraint(
                condition=Q(meeting_starts_at__gte=_field_plus("at", -MAX_MEETING_DISTANCE))
                & Q(meeting_ends_at__lte=_field_plus("at", MAX_MEETING_DISTANCE)),
                name="handoff_meeting_near_handoff",
            ),
            models.CheckConstraint(
                condition=Q(frozen=None)
                | Q(closed_at__isnull=False)
                | Q(signed_outgoing_at__isnull=False, signed_incoming_at__isnull=False),
                name="handoff_frozen_only_if_signed",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None) | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="handoff_closed_has_person",
            ),
        ]
        indexes = [
            models.Index(fields=["at", "id"], name="handoff_in_order"),
            models.Index(fields=["outgoing", "at"], name="handoff_of_outgoing"),
            models.Index(fields=["incoming", "at"], name="handoff_of_incoming"),
        ]

    def __str__(self) -> str:
        return f"{self.outgoing} to {self.incoming}, {self.rotation}, {self.week}"

    @property
    def is_signed(self) -> bool:
        """Return True if both engineers have signed, which freezes the sheet."""
        return self.signed_outgoing_at is not None and self.signed_incoming_at is not None

    @property
    def is_locked(self) -> bool:
        """Return True if both engineers have signed, or the hand-off was closed or cancelled."""
        return self.is_signed or self.closed_at is not None or self.cancelled_at is not None

    @property
    def has_lost_engineer(self) -> bool:
        """Return True if an engineer who must sign is deactivated."""
        return any(not engineer.is_active for engineer in self.missing_signers)

    @property
    def missing_signers(self) -> list[User]:
        """Return the engineers who have not signed yet."""
        signatures = ((self.outgoing, self.signed_outgoing_at), (self.incoming, self.signed_incoming_at))
        return [engineer for engineer, signed_at in signatures if signed_at is None]

    @property
    def people(self) -> tuple[User, User]:
        """Return the outgoing and the incoming engineer."""
        return self.outgoing, self.incoming


@pghistory.track()
class HandoffNote(models.Model):
    """A note under a topic of a hand-off's sheet. Topics are identified by title."""

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="notes")
    title = LineField("topic", max_length=400)
    text = MultilineField(blank=True, max_length=MAX_NOTE_CHARACTERS)
    version = models.PositiveIntegerField(default=1, help_text="Rises with every change.")
    edited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()

    class Meta:
        ordering = ["handoff", "pk"]
        constraints = [models.UniqueConstraint(fields=["handoff", "title"], name="handoff_note_unique_topic")]

    def __str__(self) -> str:
        return f"{self.handoff}: {self.title}"


@pghistory.track()
class ActionItem(models.Model):
    """An action item of a rotation. It appears on every hand-off sheet until it is done."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="action_items")
    text = LineField(max_length=500)
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="action_items"
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(text="") & Q(text=Trim("text")), name="action_item_text_not_empty"),
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None) | Q(done_at__isnull=False, done_by__isnull=False),
                name="action_item_done_has_person",
            ),
        ]
        indexes = [models.Index(fields=["rotation", "created_at"], condition=Q(done_at=None), name="action_items_open")]

    def __str__(self) -> str:
        return self.text
