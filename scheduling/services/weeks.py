"""Store a rotation's upcoming weeks and change their hours."""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from scheduling.domain.wall_time import to_utc
from scheduling.domain.weeks import WEEK, Hours, Move, active_roster, planned_weeks
from scheduling.loaders import roster_versions, rotation_hours
from scheduling.models import Roster, RosterMember, Rotation, RotationWeek, SwapRequest
from scheduling.notifications import notify_swap_decided, notify_weeks_changed
from scheduling.queries.rosters import planned_replan
from scheduling.services.covers import realign_covers
from scheduling.services.locks import lock_active_rotation
from scheduling.services.open_requests import void_cover_requests
from scheduling.services.swaps import transfer_covers, void_invalidated_requests

# Half a year of weeks plus a margin, so that a missed run of the job does not matter.
STORED_PERIOD = dt.timedelta(weeks=30)
# A new hand-off weekday more than half a week later moves shifts back instead.
MAX_DAYS_FORWARD = 3


@transaction.atomic
def ensure_weeks(rotation: Rotation, *, today: dt.date) -> int:
    """Store a rotation's planned weeks for the next 30 weeks; return how many were missing."""
    rotation = lock_active_rotation(rotation)
    versions = roster_versions([rotation]).get(rotation.pk, [])
    newest = rotation.weeks.order_by("-starts_on").first()
    first = newest.starts_on + WEEK if newest else min((roster.starts_on for roster in versions), default=today)
    weeks = planned_weeks(rotation_hours(rotation), rosters=versions, first=first, until=today + STORED_PERIOD)
    rows = [
        RotationWeek(
            rotation=rotation,
            starts_on=week.starts_on,
            starts_at=week.starts_at,
            ends_at=week.ends_at,
            engineer_id=week.engineer.id,
            planned_engineer_id=week.planned_engineer.id,
        )
        for week in weeks
    ]
    RotationWeek.objects.bulk_create(rows)
    return len(rows)


@transaction.atomic
def update_hours(
    rotation: Rotation,
    *,
    at: dt.datetime,
    time_zone: str | None = None,
    handoff_time: dt.time | None = None,
    handoff_weekday: int | None = None,
) -> list[str]:
    """Change a rotation's hand-off weekday, time or time zone; return the names of the fields that changed.

    Weeks that have not started move; the current week ends when the next one starts; past weeks do not change.
    Raises django.core.exceptions.ValidationError by field.
    """
    row = lock_active_rotation(rotation)
    values = {"time_zone": time_zone, "handoff_time": handoff_time, "handoff_weekday": handoff_weekday}
    changed = [field for field, value in values.items() if value is not None and getattr(row, field) != value]
    for field in changed:
        setattr(row, field, values[field])
        setattr(rotation, field, values[field])
    if changed:
        row.full_clean()
        row.save(update_fields=changed)
        _move_weeks(row, at=at)
    return changed


def _move_weeks(rotation: Rotation, *, at: dt.datetime) -> None:
    """Move the weeks that have not started to the rotation's current weekday and hours."""
    hours = rotation_hours(rotation)
    old_weeks = list(rotation.weeks.filter(ends_at__gt=at))
    upcoming = list(rotation.weeks.filter(starts_at__gt=at).order_by("starts_on"))
    if not upcoming:
        return
    days = _days_to_weekday(upcoming[0].starts_on, hours=hours, at=at)
    if days:
        _move_dates(rotation, first=upcoming[0].starts_on, days=days)
    # Neighbours could overlap while moved one by one, which the database forbids. Recreate them with the same primary keys.
    rotation.weeks.filter(pk__in=[week.pk for week in upcoming]).delete()
    for week in upcoming:
        week.starts_on += days
        week.starts_at = to_utc(week.starts_on, hours.hour, zone=hours.zone)
        week.ends_at = to_utc(week.starts_on + WEEK, hours.hour, zone=hours.zone)
    upcoming[0].starts_at = max(upcoming[0].starts_at, at)
    rotation.weeks.filter(starts_at__lte=at, ends_at__gt=at).update(ends_at=upcoming[0].starts_at)
    RotationWeek.objects.bulk_create(upcoming)
    realign_covers(rotation, old_weeks=old_weeks, at=at)
    void_cover_requests(rotation, at=at)


def _days_to_weekday(first: dt.date, *, hours: Hours, at: dt.datetime) -> dt.timedelta:
    """Return by how many days to move the first upcoming week to its hand-off weekday: the nearest one after `at`."""
    forward = (hours.weekday - first.weekday()) % 7
    days = dt.timedelta(days=forward - 7 if forward > MAX_DAYS_FORWARD else forward)
    if days < dt.timedelta() and to_utc(first + days, hours.hour, zone=hours.zone) <= at:
        days += WEEK
    return days


def _move_dates(rotation: Rotation, *, first: dt.date, days: dt.timedelta) -> None:
    """Move the start dates of rosters and swaps from the week of `first` on, so that every week keeps its engineer."""
    active = active_roster(roster_versions([rotation]).get(rotation.pk, []), week=first)
    for roster in rotation.rosters.filter(starts_on__gte=first):
        roster.starts_on += days
        roster.save(update_fields=["starts_on"])
    if active is not None and active.starts_on < first:
        roster = Roster.objects.create(rotation=rotation, starts_on=first + days)
        RosterMember.objects.bulk_create(
            RosterMember(roster=roster, engineer_id=person.id, position=position)
            for position, person in enumerate(active.order_from(first))
        )
    fields = ("offered_week", "wanted_week", "third_week")
    for swap in rotation.swaps.filter(
        Q(offered_week__gte=first) | Q(wanted_week__gte=first) | Q(third_week__gte=first)
    ):
        for field in fields:
            week = getattr(swap, field)
            if week is not None and week >= first:
                setattr(swap, field, week + days)
        swap.save(update_fields=fields)


@transaction.atomic
def replan(rotation: Rotation, *, first: dt.date, at: dt.datetime) -> None:
    """Replan the weeks from `first` on with the current rosters, and store more if fewer than 30 are stored.

    Swaps that both engineers can still honour are reapplied. Other swaps, and open requests that are no longer
    possible, become void with the reason. The caller has locked the rotation.
    """
    replanned = planned_replan(rotation, versions=roster_versions([rotation]).get(rotation.pk, []), first=first)
    moved = []
    for row in replanned.weeks:
        if row.week.engineer_id != row.engineer.id:
            moved.append(Move(row.week.starts_on, row.week.engineer.person, row.engineer))
            transfer_covers(row.week, taker=row.engineer)
        row.week.engineer_id, row.week.planned_engineer_id = row.engineer.id, row.planned_engineer.id
    RotationWeek.objects.bulk_update([row.week for row in replanned.weeks], ["engineer", "planned_engineer"])
    for swap, reason in replanned.lost:
        # Read under the rotation's lock, which every change of an accepted swap takes.
        swap.state, swap.reason = SwapRequest.State.VOID, reason
        swap.save(update_fields=["state", "reason"])
        notify_swap_decided(swap, at=at)
    notify_weeks_changed(rotation, moved=moved, at=at, why=f"The roster of {rotation} changed.")
    ensure_weeks(rotation, today=at.date())
    void_invalidated_requests(rotation, at=at)
