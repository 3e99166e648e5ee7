"""Tables of the schedule: rotations and who is on them, in order."""

import datetime as dt
from typing import Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from people.models import User, valid_time_zone
from pipelines.models import Pipeline, slug_rule

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

    slug = models.CharField(max_length=80, unique=True, validators=[slug_rule])
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


class RosterQuerySet(models.QuerySet["Roster"]):
    """Rosters, narrowed."""

    def in_force(self, *, on: dt.date) -> Self:
        """Return the rosters that hold on a date or later come to, the one in force first."""
        return self.filter(starts_on__lte=on).order_by("-starts_on")


@pghistory.track()
class Roster(models.Model):
    """The engineers of a rotation in order, from a named week on: that week is the first engineer's."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="rosters")
    starts_on = models.DateField(help_text="The week, by the date it starts on, that belongs to the first engineer.")

    objects = RosterQuerySet.as_manager()

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
