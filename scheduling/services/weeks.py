"""Store a rotation's upcoming weeks and change their hours."""

import datetime as dt

from django.db import transaction

from scheduling.domain.wall_time import to_utc
from scheduling.domain.weeks import WEEK, planned_weeks
from scheduling.loaders import roster_versions, rotation_hours
from scheduling.models import Rotation, RotationWeek, SwapRequest
from scheduling.notifications import WeekMoved, notify_swap_decided, notify_weeks_changed
from scheduling.queries.rosters import planned_replan
from scheduling.services.covers import realign_covers
from scheduling.services.locks import lock_rotation
from scheduling.services.swaps import transfer_covers, void_invalidated_requests

# Half a year of weeks plus a margin, so that a missed run of the job does not matter.
STORED_AHEAD = dt.timedelta(weeks=30)


@transaction.atomic
def ensure_weeks(rotation: Rotation, *, today: dt.date) -> int:
    """Store a rotation's planned weeks for the next 30 weeks; return how many were missing."""
    rotation = lock_rotation(rotation)
    versions = roster_versions([rotation]).get(rotation.pk, [])
    newest = rotation.weeks.order_by("-starts_on").first()
    first = newest.starts_on + WEEK if newest else min((roster.starts_on for roster in versions), default=today)
    weeks = planned_weeks(rotation_hours(rotation), rosters=versions, first=first, until=today + STORED_AHEAD)
    rows = [
        RotationWeek(
            rotation=rotation,
            starts_on=week.starts_on,
            starts_at=week.starts_at,
            ends_at=week.ends_at,
            engineer_id=week.engineer,
            planned_engineer_id=week.planned_engineer,
        )
        for week in weeks
    ]
    RotationWeek.objects.bulk_create(rows)
    return len(rows)


@transaction.atomic
def update_hours(
    rotation: Rotation, *, at: dt.datetime, time_zone: str | None = None, handoff_time: dt.time | None = None
) -> list[str]:
    """Change a rotation's hand-off time or time zone; return the names of the fields that changed.

    Weeks that have not started move; the current week ends when the next one starts; past weeks do not change.
    Raises django.core.exceptions.ValidationError by field.
    """
    row = lock_rotation(rotation)
    values = {"time_zone": time_zone or row.time_zone, "handoff_time": handoff_time or row.handoff_time}
    changed = [field for field, value in values.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, values[field])
        setattr(rotation, field, values[field])
    if changed:
        row.full_clean()
        row.save(update_fields=changed)
        _move_weeks(row, at=at)
    return changed


def _move_weeks(rotation: Rotation, *, at: dt.datetime) -> None:
    """Move the weeks that have not started to the rotation's current hours."""
    hours = rotation_hours(rotation)
    old_weeks = list(rotation.weeks.filter(ends_at__gt=at))
    upcoming = list(rotation.weeks.filter(starts_at__gt=at).order_by("starts_on"))
    if not upcoming:
        return
    # Neighbours could overlap while moved one by one, which the database forbids. Recreate them with the same primary keys.
    rotation.weeks.filter(pk__in=[week.pk for week in upcoming]).delete()
    for week in upcoming:
        week.starts_at = to_utc(week.starts_on, hours.hour, zone=hours.zone)
        week.ends_at = to_utc(week.starts_on + WEEK, hours.hour, zone=hours.zone)
    upcoming[0].starts_at = max(upcoming[0].starts_at, at)
    rotation.weeks.filter(starts_at__lte=at, ends_at__gt=at).update(ends_at=upcoming[0].starts_at)
    RotationWeek.objects.bulk_create(upcoming)
    realign_covers(rotation, old_weeks=old_weeks, at=at)


@transaction.atomic
def replan(rotation: Rotation, *, first: dt.date, at: dt.datetime) -> None:
    """Replan the weeks from `first` on with the current rosters, and store more if fewer than 30 are stored.

    Swaps that both engineers can still honour are reapplied. Other swaps, and open requests that are no longer
    possible, become void with the reason. The caller has locked the rotation.
    """
    replanned = planned_replan(rotation, versions=roster_versions([rotation]).get(rotation.pk, []), first=first)
    moved = []
    for row in replanned.weeks:
        if row.week.engineer_id != row.engineer:
            moved.append(WeekMoved(row.week.starts_on, row.week.engineer_id, row.engineer))
            transfer_covers(row.week, taker=row.engineer)
        row.week.engineer_id, row.week.planned_engineer_id = row.engineer, row.planned_engineer
    RotationWeek.objects.bulk_update([row.week for row in replanned.weeks], ["engineer", "planned_engineer"])
    for swap, reason in replanned.lost:
        swap.state, swap.reason = SwapRequest.State.VOID, reason
        if SwapRequest.objects.accepted().filter(pk=swap.pk).update(state=swap.state, reason=reason) == 1:
            notify_swap_decided(swap, at=at)
    notify_weeks_changed(rotation, moved=moved, at=at, why=f"The roster of {rotation} changed.")
    ensure_weeks(rotation, today=at.date())
    void_invalidated_requests(rotation, at=at)
