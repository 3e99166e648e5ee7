"""Tables of the schedule: rotations and who is on them, in order."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Self

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateTimeRangeField,
    RangeBoundary,
    RangeOperators,
)
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from people.models import User, valid_time_zone
from pipelines.models import Pipeline, slug_rule
from scheduling.engine.clock import day_in_words, days_in_words
from scheduling.engine.turns import Move

HANDOFF_TIME = dt.time(10, 0)


def never_overlap(*, per: str, name: str, message: str) -> ExclusionConstraint:
    """Return the constraint that no two rows of one `per` share an instant of [starts_at, ends_at).

    A range of one number stands for equality, so that no extension of PostgreSQL is needed (house.md, How state moves).
    """
    same = Func(F(per), F(per), Value("[]"), function="int8range", output_field=BigIntegerRangeField())
    span = Func(F("starts_at"), F("ends_at"), RangeBoundary(), function="tstzrange", output_field=DateTimeRangeField())
    return ExclusionConstraint(
        name=name,
        expressions=[(same, RangeOperators.OVERLAPS), (span, RangeOperators.OVERLAPS)],
        violation_error_message=message,
    )


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


class SpanQuerySet(models.QuerySet[Any]):
    """Rows that last from `starts_at` until just before `ends_at`, narrowed."""

    def touching(self, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Self:
        """Return the rows that share an instant with the window, in order."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).order_by("starts_at", "pk")


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
            never_overlap(per="rotation_id", name="weeks_never_overlap", message="Weeks of a rotation cannot overlap."),
        ]
        indexes = [
            models.Index(fields=["engineer", "starts_at"], name="week_of_engineer"),
            models.Index(fields=["rotation", "ends_at"], name="week_window"),
        ]

    def __str__(self) -> str:
        return f"{self.rotation}, week of {self.starts_on}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("state", "problem", "host")),
    pghistory.DeleteEvent(),
    exclude=["address", "last_read_at", "last_well_at"],
)
class CalendarLink(models.Model):
    """An engineer's own calendar elsewhere, whose busy whole days become holiday blocks; its address is kept sealed."""

    class State(models.TextChoices):
        """How reading it went the last time."""

        NEW = "new", "Not read yet"
        WELL = "well", "Read"
        FAILING = "failing", "Failing"

    engineer = models.OneToOneField(User, on_delete=models.CASCADE, related_name="calendar_link")
    address = models.TextField(editable=False, help_text="Sealed: who knows it reads the whole calendar.")
    host = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State, default=State.NEW)
    problem = models.CharField(max_length=300, blank=True)
    last_read_at = models.DateTimeField(null=True, blank=True)
    last_well_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["engineer"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="failing") | Q(problem=""), name="only_a_failing_link_has_a_problem"
            ),
        ]
        indexes = [models.Index(fields=["last_read_at"], name="link_due")]

    def __str__(self) -> str:
        return f"{self.engineer}’s calendar at {self.host}"


@pghistory.track(exclude=["note"])
class HolidayBlock(models.Model):
    """Dates on which an engineer is unavailable (handbook: Holiday Policy, rule 1), and the instants they mean."""

    class Kind(models.TextChoices):
        """Why somebody is unavailable."""

        HOLIDAY = "holiday", "Holiday"
        SICK = "sick", "Sick"
        TRAINING = "training", "Training"
        OTHER = "other", "Other"

    engineer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="holidays")
    starts_on = models.DateField("first day")
    ends_on = models.DateField("last day")
    starts_at_time = models.TimeField("from", null=True, blank=True, help_text="On the first day; empty: all day.")
    ends_at_time = models.TimeField("until", null=True, blank=True, help_text="On the last day; empty: all day.")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HOLIDAY)
    note = models.CharField(max_length=500, blank=True, help_text="Read by you and admins only.")
    time_zone = models.CharField(max_length=64, editable=False, help_text="The zone the dates were typed in.")
    starts_at = models.DateTimeField(editable=False)
    ends_at = models.DateTimeField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    link = models.ForeignKey(
        CalendarLink, on_delete=models.CASCADE, null=True, blank=True, editable=False, related_name="blocks"
    )
    link_uid = models.CharField(max_length=200, blank=True, editable=False)

    objects = SpanQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on", "pk"]
        verbose_name = "holiday"
        constraints = [
            models.UniqueConstraint(
                fields=["link", "link_uid", "starts_on"], condition=Q(link__isnull=False), name="one_block_an_event"
            ),
            models.CheckConstraint(condition=Q(starts_on__lte=F("ends_on")), name="holiday_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="holiday_has_a_length"),
        ]
        indexes = [
            models.Index(fields=["ends_at", "starts_at"], name="holiday_window"),
            models.Index(fields=["engineer", "ends_at"], name="holiday_of_engineer"),
        ]

    def __str__(self) -> str:
        return f"{self.engineer}: {self.get_kind_display()} {self.days}"

    @property
    def days(self) -> str:
        """The dates in words, with hours where it has any: "21–25 Dec"."""
        return days_in_words(self.starts_on, self.ends_on, start=self.starts_at_time, end=self.ends_at_time)


@pghistory.track()
class Cover(models.Model):
    """A part of a rotation's time that an engineer takes over from another."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="covers")
    engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="covers", help_text="Who takes over.")
    covers = models.ForeignKey(User, on_delete=models.PROTECT, related_name="covered_by", help_text="From whom.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SpanQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="cover_has_a_length"),
            models.CheckConstraint(condition=~Q(engineer=F("covers")), name="cover_is_by_another"),
            never_overlap(
                per="rotation_id", name="covers_never_overlap", message="Covers of a rotation cannot overlap."
            ),
        ]
        indexes = [models.Index(fields=["rotation", "ends_at"], name="cover_window")]

    def __str__(self) -> str:
        return f"{self.engineer} for {self.covers}, {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"


class SwapQuerySet(models.QuerySet["SwapRequest"]):
    """Swap requests, narrowed."""

    def pending(self) -> Self:
        """Return the requests that are not decided."""
        return self.filter(state=SwapRequest.State.PENDING)

    def accepted(self) -> Self:
        """Return the exchanges that were made and hold, in the order in which they were made."""
        return self.filter(state=SwapRequest.State.ACCEPTED).order_by("decided_at", "pk")

    def touching_weeks(self, weeks: Iterable[dt.date]) -> Self:
        """Return the requests that would move one of these weeks."""
        dates = list(weeks)
        return self.filter(Q(offered_week__in=dates) | Q(wanted_week__in=dates) | Q(third_week__in=dates))

    def concerning(self, person: User) -> Self:
        """Return the requests that somebody made, was asked, or may take since they ask anyone."""
        named = Q(requester=person) | Q(counterpart=person) | Q(third=person)
        return self.filter(named | Q(counterpart=None, state=SwapRequest.State.PENDING))


@pghistory.track()
class SwapRequest(models.Model):
    """A week that its engineer offers: for a named week of another's, for nothing, or round three (product.md §5).

    Weeks are named by the date they start on. Round three, the offered week goes to the counterpart, theirs (the wanted week)
    to the third, and the third's week to the requester.
    """

    class State(models.TextChoices):
        """What has become of a request."""

        PENDING = "pending", "Open"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        CANCELLED = "cancelled", "Withdrawn"
        EXPIRED = "expired", "Expired"
        VOID = "void", "Void"

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="swaps")
    offered_week = models.DateField()
    wanted_week = models.DateField(null=True, blank=True)
    third_week = models.DateField(null=True, blank=True)
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="swaps_asked")
    counterpart = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="swaps_to_answer",
        help_text="Empty: anyone.",
    )
    third = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="swaps_round_three")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    message = models.CharField(max_length=500, blank=True)
    acknowledged = models.BooleanField(default=False, help_text="The requester knows of their own holiday in it.")
    agreed = ArrayField(models.BigIntegerField(), default=list, blank=True, help_text="Who of three has agreed.")
    declined_by = ArrayField(models.BigIntegerField(), default=list, blank=True, help_text="Of anyone, who will not.")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", help_text="An admin, on behalf.")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was declined, or lost its ground.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = SwapQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(wanted_week=F("offered_week")), name="swap_is_of_two_weeks"),
            models.CheckConstraint(
                condition=Q(counterpart=None) | ~Q(counterpart=F("requester")), name="swap_is_with_another"
            ),
            models.CheckConstraint(
                condition=Q(wanted_week=None) | Q(counterpart__isnull=False), name="wanted_week_is_somebody_s"
            ),
            models.CheckConstraint(
                condition=Q(third=None, third_week=None)
                | Q(third__isnull=False, third_week__isnull=False, wanted_week__isnull=False),
                name="three_have_three_weeks",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at=None) | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="swap_is_decided_or_open",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(counterpart__isnull=False), name="accepted_by_somebody"
            ),
        ]
        indexes = [
            models.Index(fields=["rotation", "state", "offered_week"], name="swap_of_rotation"),
            models.Index(fields=["state", "expires_at"], name="swap_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.requester}’s week of {day_in_words(self.offered_week)}"

    @property
    def kind(self) -> str:
        """Two-way, three-way or one-way, as the suggestions call it."""
        return "three_way" if self.third_week else "two_way" if self.wanted_week else "one_way"

    def moves(self, *, taker: int | None = None) -> tuple[Move, ...]:
        """Return what would change hands; `taker` stands in for the counterpart of a request to anyone.

        A request to anyone that names nobody yet has no moves.
        """
        other = self.counterpart_id or taker
        if other is None:
            return ()
        moves = [Move(self.offered_week, self.requester_id, other)]
        if self.third_week and self.third_id and self.wanted_week:
            moves += [
                Move(self.wanted_week, other, self.third_id),
                Move(self.third_week, self.third_id, self.requester_id),
            ]
        elif self.wanted_week:
            moves.append(Move(self.wanted_week, other, self.requester_id))
        return tuple(moves)

    @property
    def weeks(self) -> tuple[dt.date, ...]:
        """The weeks that would change hands."""
        return tuple(week for week in (self.offered_week, self.wanted_week, self.third_week) if week)


@pghistory.track()
class UncoveredMoment(models.Model):
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
            never_overlap(per="pipeline_id", name="gaps_never_overlap", message="Gaps of a pipeline cannot overlap."),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} from {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"
