"""Rotations, who is on them in order, their weeks, and the moments that nobody covers."""

import datetime as dt

import pghistory
from django.contrib.postgres.fields import (
    ArrayField,
)
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.db import SpanQuerySet, no_overlap_constraint
from common.identifiers import validate_slug
from people.models import User, valid_time_zone
from pipelines.models import Pipeline

HANDOFF_TIME = dt.time(10, 0)


class Weekday(models.IntegerChoices):
    """Days of a week, as Python counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@pghistory.track()
class Rotation(models.Model):
    """Who is on call, week after week (handbook: On-Call Schedule)."""

    slug = models.CharField(max_length=80, unique=True, validators=[validate_slug])
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, help_text="What the handbook says of the rotation.")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[valid_time_zone])
    handoff_weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    handoff_time = models.TimeField(default=HANDOFF_TIME, help_text="Wall-clock time in the rotation's zone.")
    policy_name = models.CharField("name of the holiday policy", max_length=120, default="Holiday Policy")
    policy_introduction = models.TextField(blank=True)
    policy_rules = ArrayField(
        models.TextField(), default=list, blank=True, help_text="The holiday policy, rule by rule."
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="rotation_has_a_name"),
            models.CheckConstraint(
                condition=Q(handoff_weekday__gte=0, handoff_weekday__lte=6), name="rotation_hands_off_on_a_weekday"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Roster(models.Model):
    """The engineers of a rotation in order, from a named week on: that week is the first engineer's."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="rosters")
    starts_on = models.DateField(help_text="The week, by the date it starts on, that belongs to the first engineer.")

    class Meta:
        ordering = ["rotation", "starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["rotation", "starts_on"], name="one_roster_a_week"),
        ]

    def __str__(self) -> str:
        return f"{self.rotation} from {self.starts_on}"


@pghistory.track()
class RosterMember(models.Model):
    """An engineer's place on a roster."""

    roster = models.ForeignKey(Roster, on_delete=models.CASCADE, related_name="members")
    engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="roster_places")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["roster", "position"]
        constraints = [
            models.UniqueConstraint(fields=["roster", "position"], name="one_engineer_a_place"),
            models.UniqueConstraint(fields=["roster", "engineer"], name="one_place_an_engineer"),
        ]

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.engineer}"


@pghistory.track()
class PipelineRotation(models.Model):
    """Which rotation a pipeline belongs to: one at most; without one its owners answer for it alone."""

    pipeline = models.OneToOneField(Pipeline, on_delete=models.CASCADE, related_name="in_rotation")
    rotation = models.ForeignKey(Rotation, on_delete=models.PROTECT, related_name="pipelines")

    class Meta:
        ordering = ["rotation", "pipeline"]

    def __str__(self) -> str:
        return f"{self.pipeline} in {self.rotation}"


@pghistory.track()
class RotationWeek(models.Model):
    """A week of a rotation, named by the date it starts on: who was planned, and who holds it now."""

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
        constraints = [
            models.UniqueConstraint(fields=["rotation", "starts_on"], name="one_week_a_date"),
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
    """A time within the coming weeks in which nobody is available for a pipeline; it goes when it is solved."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="uncovered")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    found_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SpanQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pipeline"]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="gap_has_a_length"),
            no_overlap_constraint(
                per="pipeline_id", name="gaps_never_overlap", message="Gaps of a pipeline cannot overlap."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} from {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"
