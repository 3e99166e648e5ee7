"""Weeks and hours that change hands: covers, and swap requests in every state."""

import datetime as dt
from collections.abc import Iterable
from typing import Self

import pghistory
from django.contrib.postgres.fields import (
    ArrayField,
)
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.db import SpanQuerySet, no_overlap_constraint
from people.models import User
from scheduling.domain.wall_time import format_day
from scheduling.domain.weeks import Move
from scheduling.models.rotations import Rotation


@pghistory.track()
class Cover(models.Model):
    """A part of a rotation's time that an engineer takes over from another."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="covers")
    engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="covers", help_text="Who takes over.")
    covered_engineer = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="covered_by", help_text="From whom."
    )
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
            models.CheckConstraint(condition=~Q(engineer=F("covered_engineer")), name="cover_is_by_another"),
            no_overlap_constraint(
                per="rotation_id", name="covers_never_overlap", message="Covers of a rotation cannot overlap."
            ),
        ]
        indexes = [models.Index(fields=["rotation", "ends_at"], name="cover_window")]

    def __str__(self) -> str:
        return f"{self.engineer} for {self.covered_engineer}, {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"


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
    accepted_by = ArrayField(models.BigIntegerField(), default=list, blank=True, help_text="Who of three has agreed.")
    declined_by = ArrayField(models.BigIntegerField(), default=list, blank=True, help_text="Of anyone, who will not.")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", help_text="An admin, on behalf.")
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
        return f"{self.requester}’s week of {format_day(self.offered_week)}"

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
