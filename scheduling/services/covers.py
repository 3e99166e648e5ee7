"""Create and end covers."""

import datetime as dt
from dataclasses import dataclass, replace

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from scheduling.models import Cover, HolidayBlock, Rotation, RotationWeek
from scheduling.notifications import notify_cover_created, notify_cover_ended
from scheduling.queries.on_call import Assignment, assignments_between
from scheduling.services.locks import lock_people, lock_rotation

# A form that was filled in a moment ago still means "from now".
TOLERANCE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CoverData:
    """The period that an engineer covers, and the reason."""

    engineer: User
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str = ""


@transaction.atomic
def create_cover(
    rotation: Rotation, *, span: CoverData, by: User, at: dt.datetime, acknowledge_conflicts: bool = False
) -> Cover:
    """Create a cover and return it.

    Engineers can take over a shift or give away their own; an admin can create a cover for anyone. A cover inside
    another cover replaces that part of it.

    Raises Invalid, by field, for bad input and if the period belongs to more than one engineer; Forbidden if the cover
    is between two other people; Refused if the covering engineer is away and the conflict is not acknowledged.
    """
    lock_rotation(rotation)
    span = _not_in_the_past(span, at=at)
    held = _the_one_holder(rotation, data=span)
    if by.pk not in (span.engineer.pk, held.engineer.pk) and not by.is_staff:
        raise NotAllowedError("You can only take over yourself or give away your own time.")
    engineer = lock_people([span.engineer])[span.engineer.pk]
    if not engineer.is_active:
        raise InvalidInputError({"engineer": [f"{engineer} is not active."]})
    if engineer.pk == held.engineer.pk:
        raise InvalidInputError({"engineer": [f"{engineer} is on call at that time anyway."]})
    if not acknowledge_conflicts:
        _refuse_conflicts(span)
    if engineer.pk == held.week_engineer:
        raise DomainError(f"It is {engineer}’s own week: end the cover of {held.engineer} instead.")
    if held.cover is not None:
        _take_out(held.cover, starts_at=span.starts_at, ends_at=span.ends_at)
    cover = Cover.objects.create(
        rotation=rotation,
        engineer=engineer,
        covered_engineer=held.engineer,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        reason=span.reason,
        created_by=by,
    )
    notify_cover_created(cover, at=at)
    return cover


def _not_in_the_past(span: CoverData, *, at: dt.datetime) -> CoverData:
    if span.starts_at < at - TOLERANCE:
        raise InvalidInputError({"starts_at": ["The past is not rewritten: begin now or later."]})
    starts_at = max(span.starts_at, at)
    if span.ends_at <= starts_at:
        raise InvalidInputError({"ends_at": ["The end must come after the start."]})
    return replace(span, starts_at=starts_at)


def _the_one_holder(rotation: Rotation, *, span: CoverData) -> Assignment:
    """Return the engineer on call for the whole period; raise Invalid if there is none or more than one."""
    parts = assignments_between(rotation, starts_at=span.starts_at, ends_at=span.ends_at)
    if not parts or parts[0].starts_at > span.starts_at or parts[-1].ends_at < span.ends_at:
        raise InvalidInputError({"ends_at": [f"{rotation} has no week stored for all of that time."]})
    if len({(part.engineer.pk, part.cover.pk if part.cover else None) for part in parts}) > 1:
        until = ", ".join(f"{part.engineer} until {part.ends_at:%Y-%m-%d %H:%M}Z" for part in parts)
        raise InvalidInputError(
            {"ends_at": [f"More than one engineer is on call in that time ({until}): cover each by itself."]}
        )
    return parts[0]


def _refuse_conflicts(span: CoverData) -> None:
    blocks = HolidayBlock.objects.filter(engineer=span.engineer).overlapping(
        starts_at=span.starts_at, ends_at=span.ends_at
    )
    if blocks:
        raise DomainError(
            f"{span.engineer} is away at that time. Say acknowledge_conflicts to cover it all the same.",
            conflicts=[
                {"engineer": span.engineer.username, "starts_on": str(one.starts_on), "ends_on": str(one.ends_on)}
                for one in blocks
            ],
        )


def _take_out(cover: Cover, *, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
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
    Raises Forbidden for others and Refused if the cover is over.
    """
    rotation = lock_rotation(cover.rotation)
    row = Cover.objects.select_related("engineer", "covered_engineer", "rotation").filter(pk=cover.pk).first()
    if row is None or row.ends_at <= at:
        raise DomainError("This cover is over.")
    if by.pk not in (row.engineer_id, row.covered_engineer_id) and not by.is_staff:
        raise NotAllowedError("A cover is ended by who covers, who is covered, or an admin.")
    notify_cover_ended(row, at=at)
    begin = max(row.starts_at, at)
    if row.starts_at < at:
        row.ends_at = at
        row.save(update_fields=["ends_at"])
        rest = Cover(reason=row.reason, created_by=by, ends_at=cover.ends_at)
    else:
        rest = Cover(reason=row.reason, created_by=by, ends_at=row.ends_at)
        row.delete()
    _give_back(rotation, rest, engineer=row.covered_engineer, starts_at=begin)


def _give_back(rotation: Rotation, rest: Cover, *, engineer: User, starts_at: dt.datetime) -> None:
    """Return the rest of a cover to the covered engineer, with a new cover for each week that is not theirs."""
    for part in assignments_between(rotation, starts_at=starts_at, ends_at=rest.ends_at):
        if part.week_engineer == engineer.pk or not engineer.is_active:
            continue
        Cover.objects.create(
            rotation=rotation,
            engineer=engineer,
            covered_engineer_id=part.week_engineer,
            starts_at=max(part.starts_at, starts_at),
            ends_at=min(part.ends_at, rest.ends_at),
            reason=rest.reason,
            created_by=rest.created_by,
        )


def transfer_covers(week: RotationWeek, *, taker: int) -> None:
    """Make a week's new engineer the covered one in its covers; delete the covers in which they cover."""
    within = Cover.objects.filter(rotation=week.rotation_id, starts_at__gte=week.starts_at, ends_at__lte=week.ends_at)
    within.filter(engineer=taker).delete()
    within.filter(covered_engineer=week.engineer_id).update(covered_engineer=taker)
