"""Create and end covers."""

import datetime as dt
from dataclasses import dataclass, replace

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from scheduling.domain.responder_chain import Assignment
from scheduling.models import Cover, HolidayBlock, Rotation, RotationWeek
from scheduling.notifications import notify_cover_created, notify_cover_ended
from scheduling.queries.on_call import assignments_between
from scheduling.services.locks import lock_people, lock_rotation

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
    """Create a cover and return it.

    Engineers can take over a shift or give away their own; an admin can create a cover for anyone. A cover inside
    another cover replaces that part of it.

    Raises InvalidInputError for bad input and if the period belongs to more than one engineer, NotAllowedError if the
    cover is between two other people, and DomainError if the covering engineer is away and the conflict is not
    acknowledged.
    """
    lock_rotation(rotation)
    data = _start_now_or_later(data, at=at)
    part = _single_assignment(rotation, data=data)
    covered: User = part.engineer
    if by.pk not in (data.engineer.pk, covered.pk) and not by.is_staff:
        raise NotAllowedError("You can only take over a shift yourself or give away your own.")
    engineer = lock_people([data.engineer])[data.engineer.pk]
    if not engineer.is_active:
        raise InvalidInputError({"engineer": [f"{engineer} is not active."]})
    if engineer.pk == covered.pk:
        raise InvalidInputError({"engineer": [f"{engineer} is already on call then."]})
    if not acknowledge_conflicts:
        _check_conflicts(data)
    if part.cover is not None:
        if part.week is not None and engineer.pk == part.week.engineer_id:
            raise DomainError(f"This is {engineer}’s own week. End {covered}’s cover instead.")
        _cut_out(part.cover, starts_at=data.starts_at, ends_at=data.ends_at)
    cover = Cover.objects.create(
        rotation=rotation,
        engineer=engineer,
        covered_engineer=covered,
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        reason=data.reason,
        created_by=by,
    )
    notify_cover_created(cover, at=at)
    return cover


def _start_now_or_later(data: CoverData, *, at: dt.datetime) -> CoverData:
    if data.starts_at < at - START_TOLERANCE:
        raise InvalidInputError({"starts_at": ["The start must be now or later."]})
    starts_at = max(data.starts_at, at)
    if data.ends_at <= starts_at:
        raise InvalidInputError({"ends_at": ["The end must be after the start."]})
    return replace(data, starts_at=starts_at)


def _single_assignment(rotation: Rotation, *, data: CoverData) -> Assignment[RotationWeek, Cover]:
    """Return the assignment of the whole period; raise InvalidInputError if there is none or more than one."""
    parts = assignments_between(rotation, starts_at=data.starts_at, ends_at=data.ends_at)
    if not parts or parts[0].starts_at > data.starts_at or parts[-1].ends_at < data.ends_at:
        raise InvalidInputError({"ends_at": [f"{rotation} has no shifts for all of that time yet."]})
    if len({(part.engineer.pk, part.cover and part.cover.pk) for part in parts}) > 1:
        listed = ", ".join(f"{part.engineer} until {part.ends_at:%Y-%m-%d %H:%M} UTC" for part in parts)
        raise InvalidInputError(
            {"ends_at": [f"More than one engineer is on call then: {listed}. Create one cover for each."]}
        )
    return parts[0]


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


def _cut_out(cover: Cover, *, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
    """Remove a period from the cover that contains it; keep the parts before and after."""
    before, after = cover.starts_at < starts_at, ends_at < cover.ends_at
    rest = Cover(
        rotation_id=cover.rotation_id,
        engineer_id=cover.engineer_id,
        covered_engineer_id=cover.covered_engineer_id,
        starts_at=ends_at,
        ends_at=cover.ends_at,
        reason=cover.reason,
        created_by_id=cover.created_by_id,
    )
    if before:
        cover.ends_at = starts_at
        cover.save(update_fields=["ends_at"])
        if after:
            rest.save()
    elif after:
        cover.starts_at = ends_at
        cover.save(update_fields=["starts_at"])
    else:
        cover.delete()


@transaction.atomic
def end_cover(cover: Cover, *, by: User, at: dt.datetime) -> None:
    """End a cover early, or cancel it before it starts, as the covering engineer, the covered engineer or an admin.

    The rest returns to the covered engineer, even if they were covering for someone else.
    Raises NotAllowedError for others and DomainError if the cover has ended.
    """
    rotation = lock_rotation(cover.rotation)
    row = Cover.objects.select_related("engineer", "covered_engineer", "rotation").filter(pk=cover.pk).first()
    if row is None or row.ends_at <= at:
        raise DomainError("This cover has already ended.")
    if by.pk not in (row.engineer_id, row.covered_engineer_id) and not by.is_staff:
        raise NotAllowedError("Only the covering engineer, the covered engineer or an admin can end this cover.")
    notify_cover_ended(row, at=at)
    starts_at, ends_at = max(row.starts_at, at), row.ends_at
    if row.starts_at < at:
        row.ends_at = at
        row.save(update_fields=["ends_at"])
    else:
        row.delete()
    covered = row.covered_engineer
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
