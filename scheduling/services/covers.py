"""Create and end covers."""

import copy
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from people.services.accounts import check_active
from scheduling.domain.responder_chain import Assignment
from scheduling.models import Cover, CoverRequest, HolidayBlock, Rotation, RotationWeek
from scheduling.notifications import notify_cover_created, notify_cover_ended
from scheduling.queries.on_call import assignments_between
from scheduling.services.locks import lock_people, lock_rotation
from scheduling.services.open_requests import void_cover_requests

# A start a few minutes ago, when the form was opened, means now.
START_TOLERANCE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CoverData:
    """The period that an engineer covers, and the reason."""

    engineer: User
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str = ""


@transaction.atomic
def create_cover(
    rotation: Rotation, *, data: CoverData, by: User, at: dt.datetime, acknowledge_conflicts: bool = False
) -> Cover:
    """Create a cover and return it, or its first part if it spans shifts or covered engineers.

    Raises the same errors as `create_cover_parts`.
    """
    parts = create_cover_parts(rotation, data=data, by=by, at=at, acknowledge_conflicts=acknowledge_conflicts)
    return parts[0]


@transaction.atomic
def create_cover_parts(
    rotation: Rotation,
    *,
    data: CoverData,
    by: User,
    at: dt.datetime,
    acknowledge_conflicts: bool = False,
    request: CoverRequest | None = None,
) -> list[Cover]:
    """Create a cover and return its parts: one, or more if it spans shifts or covered engineers.

    `request` is the cover request that the cover accepts; its service notifies its people.

    Engineers can take over a shift or give away their own; an admin can create a cover for anyone. A cover inside
    another cover replaces that part of it. Time in which the engineer is on call anyway is left out.

    Raises InvalidInputError for bad input, NotAllowedError if the cover is between two other people, and DomainError if
    the covering engineer is away and the conflict is not acknowledged.
    """
    lock_rotation(rotation)
    data = _start_now_or_later(data, at=at)
    engineer = lock_people([data.engineer])[data.engineer.pk]
    check_active(engineer, field="engineer")
    parts = _parts_to_cover(rotation, data=data)
    if by.pk != engineer.pk and any(part.engineer.pk != by.pk for part in parts) and not by.is_staff:
        raise NotAllowedError("You can only take over a shift yourself or give away your own.")
    if not acknowledge_conflicts:
        _check_conflicts(data)
    covers: list[Cover] = []
    for part in parts:
        if part.cover is not None:
            if part.week is not None and engineer.pk == part.week.engineer_id:
                raise DomainError(f"This is {engineer}’s own shift. End {part.engineer}’s cover instead.")
            _remove_time(part.cover, starts_at=part.starts_at, ends_at=part.ends_at)
        cover = Cover.objects.create(
            rotation=rotation,
            engineer=engineer,
            covered_engineer=part.engineer,
            starts_at=part.starts_at,
            ends_at=part.ends_at,
            reason=data.reason,
            series=covers[0].pk if covers else None,
            request=request,
            created_by=by,
        )
        covers.append(cover)
        if request is None:
            notify_cover_created(cover, at=at)
    if len(covers) > 1:
        covers[0].series = covers[0].pk
        covers[0].save(update_fields=["series"])
    if request is None:
        void_cover_requests(rotation, at=at)
    return covers


def _start_now_or_later(data: CoverData, *, at: dt.datetime) -> CoverData:
    if data.starts_at < at - START_TOLERANCE:
        raise InvalidInputError({"starts_at": ["The start must be now or later."]})
    starts_at = max(data.starts_at, at)
    if data.ends_at <= starts_at:
        raise InvalidInputError({"ends_at": ["The end must be after the start."]})
    return replace(data, starts_at=starts_at)


def _parts_to_cover(rotation: Rotation, *, data: CoverData) -> list[Assignment[RotationWeek, Cover]]:
    """Return the assignments of a period to other engineers; raise InvalidInputError if shifts are missing."""
    parts = assignments_between(rotation, starts_at=data.starts_at, ends_at=data.ends_at)
    covered = sum((part.ends_at - part.starts_at for part in parts), dt.timedelta())
    if covered < data.ends_at - data.starts_at:
        raise InvalidInputError({"ends_at": [f"{rotation} has no shifts for all of that time yet."]})
    others = [part for part in parts if part.engineer.pk != data.engineer.pk]
    if not others:
        raise InvalidInputError({"engineer": [f"{data.engineer} is already on call then."]})
    return others


def _check_conflicts(data: CoverData) -> None:
    """Raise DomainError, with the absences as `conflicts`, if the engineer is away during part of the period."""
    window = {"starts_at": data.starts_at, "ends_at": data.ends_at}
    absences = HolidayBlock.objects.filter(engineer=data.engineer).overlapping(**window)
    if absences:
        raise DomainError(
            f"{data.engineer} is away then. Confirm that they cover it anyway.",
            conflicts=[
                {"engineer": data.engineer.username, "starts_on": str(row.starts_on), "ends_on": str(row.ends_on)}
                for row in absences
            ],
        )


def _remove_time(cover: Cover, *, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
    """Remove a period from a cover; keep the parts before and after."""
    before, after = cover.starts_at < starts_at, ends_at < cover.ends_at
    if before and after:
        remainder = Cover.objects.get(pk=cover.pk)
        remainder.pk, remainder.starts_at = None, ends_at
        _resize(cover, ends_at=starts_at)
        remainder.save(force_insert=True)
    elif before:
        _resize(cover, ends_at=starts_at)
    elif after:
        _resize(cover, starts_at=ends_at)
    else:
        cover.delete()


def _resize(cover: Cover, *, starts_at: dt.datetime | None = None, ends_at: dt.datetime | None = None) -> None:
    cover.starts_at, cover.ends_at = starts_at or cover.starts_at, ends_at or cover.ends_at
    cover.save(update_fields=["starts_at", "ends_at"])


@transaction.atomic
def end_cover(cover: Cover, *, by: User, at: dt.datetime) -> list[Cover]:
    """End a cover early, or cancel it before it starts, as the covering engineer, the covered engineer or an admin.

    Later parts of the same cover end with it, except parts that the covered engineer has no say in. The rest returns to
    the covered engineers, even if they were covering for someone else. Returns the parts as they were.
    Raises NotAllowedError for others and DomainError if the cover has ended.
    """
    rotation = lock_rotation(cover.rotation)
    rows = rotation.covers.select_related("engineer", "covered_engineer", "rotation")
    row = rows.filter(pk=cover.pk).first()
    if row is None or row.ends_at <= at:
        raise DomainError("This cover has already ended.")
    if not _may_end(row, by=by):
        raise NotAllowedError("Only the covering engineer, the covered engineer or an admin can end this cover.")
    weeks = rotation.weeks.overlapping(starts_at=max(row.starts_at, at), ends_at=row.ends_at)
    if not row.covered_engineer.is_active and weeks.filter(engineer__is_active=False).exists():
        raise DomainError(f"{row.covered_engineer} is no longer active. Let another engineer take over instead.")
    series = rows.filter(series=row.series, starts_at__gt=row.starts_at) if row.series else rows.none()
    parts = [row, *(later for later in series if _may_end(later, by=by))]
    ended = [copy.copy(part) for part in parts]
    for part in parts:
        notify_cover_ended(part, at=at)
        return_time(part, by=by, at=at)
    void_cover_requests(rotation, at=at)
    return ended


def _may_end(cover: Cover, *, by: User) -> bool:
    return by.is_staff or by.pk in (cover.engineer_id, cover.covered_engineer_id)


def return_time(row: Cover, *, by: User, at: dt.datetime) -> None:
    """Return what is left of a cover to the covered engineer. The caller has locked the rotation."""
    rotation, covered = row.rotation, row.covered_engineer
    starts_at, ends_at = max(row.starts_at, at), row.ends_at
    _remove_time(row, starts_at=starts_at, ends_at=ends_at)
    for part in assignments_between(rotation, starts_at=starts_at, ends_at=ends_at):
        if covered.is_active and part.week is not None and part.week.engineer_id != covered.pk:
            Cover.objects.create(
                rotation=rotation,
                engineer=covered,
                covered_engineer_id=part.week.engineer_id,
                starts_at=part.starts_at,
                ends_at=part.ends_at,
                reason=row.reason,
                created_by=by,
            )


def realign_covers(rotation: Rotation, *, old_weeks: Sequence[RotationWeek], at: dt.datetime) -> None:
    """Adapt current and upcoming covers after the start of upcoming weeks changed.

    A cover is split where a new shift starts. If it covered the old shift's engineer, it covers the new shift's engineer,
    and time in which the covering engineer is now on call anyway is removed. The caller has locked the rotation.
    """
    for cover in list(rotation.covers.filter(ends_at__gt=at).order_by("starts_at")):
        old = next((week for week in old_weeks if week.starts_at <= cover.starts_at < week.ends_at), None)
        covers_shift = old is None or cover.covered_engineer_id == old.engineer_id
        starts_at, ends_at = cover.starts_at, cover.ends_at
        weeks = rotation.weeks.overlapping(starts_at=starts_at, ends_at=ends_at).exclude(engineer=cover.engineer_id)
        parts = [
            (max(week.starts_at, starts_at), min(week.ends_at, ends_at), week.engineer_id if covers_shift else None)
            for week in weeks
        ]
        if not parts:
            cover.delete()
        for number, (begin, end, covered) in enumerate(parts):
            cover.starts_at, cover.ends_at = begin, end
            cover.covered_engineer_id = covered or cover.covered_engineer_id
            if len(parts) > 1:
                cover.series = cover.series or cover.pk
            if number:
                cover.pk = None
            cover.save(force_insert=bool(number))
