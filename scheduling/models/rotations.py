"""Models of rotations: rosters, weeks, pipelines and coverage gaps."""

import datetime as dt
from typing import Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.db import SpanQuerySet, no_overlap_constraint, on_call_version_trigger, page_version_triggers
from common.fields import LineField, MultilineField
from common.identifiers import validate_slug
from people.models import User, valid_time_zone
from pipelines.models import Pipeline

MAX_DESCRIPTION_LENGTH = 10_000
DEFAULT_HANDOFF_TIME = dt.time(10, 0)
DEFAULT_DRILL_TIME = dt.time(11, 0)
# Changing one of these reschedules the weekly drill; a drill that was due before the change does not start.
DRILL_SCHEDULE_FIELDS = frozenset({"weekly_drill", "drill_weekday", "drill_time", "time_zone"})


class Weekday(models.IntegerChoices):
    """Days of the week, numbered as in Python."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class RotationQuerySet(models.QuerySet["Rotation"]):
    """Filters for rotations."""

    def active(self, *, at: dt.datetime | None = None) -> Self:
        """Return the rotations that are not archived, or were not archived yet at `at`, by primary key."""
        is_active = Q(archived_at=None) if at is None else Q(archived_at=None) | Q(archived_at__gt=at)
        return self.filter(is_active).order_by("pk")


@pghistory.track()
class Rotation(models.Model):
    """An on-call schedule: engineers take turns, week by week. An archived one keeps its past and has no future."""

    slug = LineField(max_length=80, unique=True, validators=[validate_slug])
    name = LineField(max_length=120)
    description = MultilineField(
        blank=True, max_length=MAX_DESCRIPTION_LENGTH, help_text="Text about the rotation in the handbook."
    )
    time_zone = LineField(max_length=64, default="UTC", validators=[valid_time_zone])
    handoff_weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    handoff_time = models.TimeField(default=DEFAULT_HANDOFF_TIME, help_text="Local time in the rotation's time zone.")
    weekly_drill = models.BooleanField(
        default=False,
        help_text="Start a drill once a week for the engineer on call. It is marked as a drill everywhere.",
    )
    drill_weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.TUESDAY)
    drill_time = models.TimeField(default=DEFAULT_DRILL_TIME, help_text="Local time in the rotation's time zone.")
    drill_changed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the schedule of its drills last changed."
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    policy_name = LineField("holiday policy name", max_length=120, default="Holiday Policy")
    policy_introduction = MultilineField(blank=True)
    policy_rules = ArrayField(
        MultilineField(), default=list, blank=True, help_text="Rules of the holiday policy, in order."
    )

    objects = RotationQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        triggers = [on_call_version_trigger()]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="rotation_has_a_name"),
            models.CheckConstraint(
                condition=Q(handoff_weekday__gte=0, handoff_weekday__lte=6), name="rotation_hands_off_on_a_weekday"
            ),
            models.CheckConstraint(
                condition=Q(drill_weekday__gte=0, drill_weekday__lte=6), name="rotation_drills_on_a_weekday"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Roster(models.Model):
    """The ordered engineers of a rotation from a start date on; the first engineer takes the first week."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="rosters")
    starts_on = models.DateField(help_text="Start date of the first engineer's week.")

    class Meta:
        ordering = ["rotation", "starts_on"]
        triggers = [on_call_version_trigger()]
        constraints = [
            models.UniqueConstraint(fields=["rotation", "starts_on"], name="one_roster_per_week"),
        ]

    def __str__(self) -> str:
        return f"{self.rotation} from {self.starts_on}"


@pghistory.track()
class RosterMember(models.Model):
    """An engineer's position on a roster."""

    roster = models.ForeignKey(Roster, on_delete=models.CASCADE, related_name="members")
    engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="roster_memberships")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["roster", "position"]
        triggers = [on_call_version_trigger()]
        constraints = [
            models.UniqueConstraint(fields=["roster", "position"], name="roster_positions_differ"),
            models.UniqueConstraint(fields=["roster", "engineer"], name="roster_engineers_differ"),
        ]

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.engineer}"


@pghistory.track()
class PipelineRotation(models.Model):
    """The rotation of a pipeline: at most one. Without one, only the owners respond."""

    pipeline = models.OneToOneField(Pipeline, on_delete=models.CASCADE, related_name="in_rotation")
    rotation = models.ForeignKey(Rotation, on_delete=models.PROTECT, related_name="pipelines")

    class Meta:
        ordering = ["rotation", "pipeline"]
        triggers = [on_call_version_trigger()]

    def __str__(self) -> str:
        return f"{self.pipeline} in {self.rotation}"


@pghistory.track()
class RotationWeek(models.Model):
    """A week of a rotation, identified by its start date, with its current and its planned engineer."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="weeks")
    starts_on = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="weeks")
    planned_engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="planned_weeks")

    objects = SpanQuerySet.as_manager()

    class Meta:
        ordering = ["rotation", "starts_on"]
        verbose_name = "week"
        triggers = [on_call_version_trigger()]
        constraints = [
            models.UniqueConstraint(fields=["rotation", "starts_on"], name="one_week_per_date"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="week_has_a_length"),
            no_overlap_constraint(
                per="rotation_id", name="weeks_never_overlap", message="Weeks of a rotation cannot overlap."
            ),
        ]
        indexes = [
            models.Index(fields=["engineer", "starts_at"], name="week_of_engineer"),
            models.Index(fields=["rotation", "ends_at"], name="week_window"),
        ]

    def __str__(self) -> str:
        return f"{self.rotation}, week of {self.starts_on}"


@pghistory.track()
class CoverageGap(models.Model):
    """A period in the next weeks in which nobody is available for a pipeline; deleted once it is resolved."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="coverage_gaps")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    found_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SpanQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pipeline"]
        triggers = page_version_triggers()
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="gap_has_a_length"),
            no_overlap_constraint(
                per="pipeline_id", name="gaps_never_overlap", message="Gaps of a pipeline cannot overlap."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} from {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"
