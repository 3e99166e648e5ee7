"""Models of changes to the schedule: covers and swap requests."""

import datetime as dt
from collections.abc import Iterable
from typing import Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.db import SpanQuerySet, no_overlap_constraint, on_call_version_trigger, page_version_triggers
from common.fields import LineField
from common.formatting import format_day
from people.domain.person import Person
from people.models import User
from scheduling.domain.sentences import week_subject
from scheduling.domain.weeks import Move
from scheduling.models.cover_requests import CoverRequest
from scheduling.models.requests import EngineerRequest, RequestQuerySet
from scheduling.models.rotations import Rotation


@pghistory.track()
class Cover(models.Model):
    """Part of one shift of a rotation that one engineer covers for another.

    A cover that spans shifts is stored in parts, one per shift and covered engineer; `series` is the ID of the first part.
    """

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="covers")
    engineer = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="covers", help_text="Engineer who is on call instead."
    )
    covered_engineer = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="covered_by", help_text="Engineer who would be on call otherwise."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = LineField(max_length=200, blank=True)
    series = models.BigIntegerField(null=True, blank=True, editable=False)
    request = models.ForeignKey(
        CoverRequest, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="covers"
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SpanQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        triggers = [on_call_version_trigger()]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="cover_has_a_length"),
            models.CheckConstraint(condition=~Q(engineer=F("covered_engineer")), name="cover_people_differ"),
            no_overlap_constraint(
                per="rotation_id", name="covers_never_overlap", message="Covers of a rotation cannot overlap."
            ),
        ]
        indexes = [models.Index(fields=["rotation", "ends_at"], name="cover_window")]

    def __str__(self) -> str:
        return f"{self.engineer} for {self.covered_engineer}, {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"


# The taker of a request to anyone that nobody has accepted: no user has this primary key.
ANYONE = Person(0, "", "anyone")


class SwapQuerySet(RequestQuerySet):
    """Filters for swap requests."""

    def accepted(self) -> Self:
        """Return the accepted swaps that still apply, in the order in which they were accepted."""
        return self.filter(state=SwapRequest.State.ACCEPTED).order_by("decided_at", "pk")

    def touching_weeks(self, weeks: Iterable[dt.date]) -> Self:
        """Return the requests that move one of these weeks."""
        dates = list(weeks)
        return self.filter(Q(offered_week__in=dates) | Q(wanted_week__in=dates) | Q(third_week__in=dates))


@pghistory.track()
class SwapRequest(EngineerRequest):
    """A request to swap weeks: two-way, three-way or one-way. See "Swaps" in docs/rules.md.

    Weeks are identified by start date. In a three-way swap the offered week goes to the counterpart, the counterpart's week
    (the wanted week) to the third engineer, and the third engineer's week to the requester.
    """

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="swaps")
    offered_week = models.DateField()
    wanted_week = models.DateField(null=True, blank=True)
    third_week = models.DateField(null=True, blank=True)
    third = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    message = LineField(max_length=500, blank=True)
    acknowledged = models.BooleanField(
        default=False, help_text="The requester confirmed the swap although they are away in the week they take."
    )
    accepted_by = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Recipients of a three-way swap who have accepted.",
    )

    objects = SwapQuerySet.as_manager()

    class Meta(EngineerRequest.Meta):
        triggers = page_version_triggers()
        constraints = [
            *EngineerRequest.Meta.constraints,
            models.CheckConstraint(condition=~Q(wanted_week=F("offered_week")), name="swap_weeks_differ"),
            models.CheckConstraint(
                condition=Q(wanted_week=None) | Q(counterpart__isnull=False), name="wanted_week_has_counterpart"
            ),
            models.CheckConstraint(
                condition=Q(third=None, third_week=None)
                | Q(third__isnull=False, third_week__isnull=False, wanted_week__isnull=False),
                name="three_way_swap_is_complete",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(counterpart__isnull=False), name="accepted_swap_has_counterpart"
            ),
        ]
        indexes = [
            *EngineerRequest.Meta.indexes,
            models.Index(fields=["rotation", "state", "offered_week"], name="swap_of_rotation"),
        ]

    def __str__(self) -> str:
        return f"{self.requester}’s week of {format_day(self.offered_week)}"

    def subject_for(self, reader: User) -> str:
        """Return the offered week as `reader` reads it: "your week of 21 Dec 2026"."""
        return week_subject(self.requester.person, self.offered_week, reader=reader.person)

    @property
    def people(self) -> list[User]:
        """The requester and the named recipients."""
        return [self.requester, *self.recipients]

    @property
    def recipients(self) -> list[User]:
        """The engineers it names."""
        return [person for person in (self.counterpart, self.third) if person]

    @property
    def recipient_ids(self) -> list[int | None]:
        """The IDs of the engineers it names, which need no query."""
        return [self.counterpart_id, self.third_id]

    @property
    def answered_by(self) -> list[int]:
        """The IDs of the engineers who have answered."""
        return [*self.accepted_by, *self.declined_by]

    @property
    def kind(self) -> str:
        """The kind of swap: "two_way", "three_way" or "one_way"."""
        return "three_way" if self.third_week else "two_way" if self.wanted_week else "one_way"

    def moves(self, *, taker: Person = ANYONE) -> tuple[Move, ...]:
        """Return the moves of the swap; a request to anyone goes to `taker`."""
        requester = self.requester.person
        counterpart = self.counterpart.person if self.counterpart else taker
        moves = [Move(self.offered_week, requester, counterpart)]
        if self.third_week and self.third and self.wanted_week:
            third = self.third.person
            moves += [Move(self.wanted_week, counterpart, third), Move(self.third_week, third, requester)]
        elif self.wanted_week:
            moves.append(Move(self.wanted_week, counterpart, requester))
        return tuple(moves)

    @property
    def weeks(self) -> tuple[dt.date, ...]:
        """The start dates of the weeks in the swap."""
        return tuple(week for week in (self.offered_week, self.wanted_week, self.third_week) if week)
