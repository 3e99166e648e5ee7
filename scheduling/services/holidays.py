"""Changes of the shared calendar."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.datetimes import EARLIEST, LATEST
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from scheduling.domain.wall_time import dates_to_interval
from scheduling.models import HolidayBlock
from scheduling.services.locks import lock_availability_of

LONGEST_BLOCK = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class HolidayData:
    """What a person types of a holiday: inclusive dates in their own zone, perhaps hours, a kind, a private note."""

    starts_on: dt.date
    ends_on: dt.date
    starts_at_time: dt.time | None = None
    ends_at_time: dt.time | None = None
    kind: str = HolidayBlock.Kind.HOLIDAY
    note: str = ""


def build_holiday(engineer: User, *, dates: HolidayData) -> HolidayBlock:
    """Return a holiday block that is not saved; raise Invalid by field."""
    for name, day in (("starts_on", dates.starts_on), ("ends_on", dates.ends_on)):
        if not EARLIEST <= day < LATEST:
            raise InvalidInputError({name: ["Give a date between 2000 and 2100."]})
    if dates.ends_on < dates.starts_on:
        raise InvalidInputError({"ends_on": ["The last day cannot come before the first."]})
    if dates.ends_on - dates.starts_on > LONGEST_BLOCK:
        raise InvalidInputError({"ends_on": ["A block lasts a year at most."]})
    try:
        starts_at, ends_at = dates_to_interval(
            dates.starts_on, dates.ends_on, zone=engineer.time_zone, start=dates.starts_at_time, end=dates.ends_at_time
        )
    except ValueError as error:
        raise InvalidInputError({"ends_at_time": [str(error)]}) from error
    return HolidayBlock(
        engineer=engineer,
        starts_on=dates.starts_on,
        ends_on=dates.ends_on,
        starts_at_time=dates.starts_at_time,
        ends_at_time=dates.ends_at_time,
        kind=dates.kind,
        note=dates.note,
        time_zone=engineer.time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
    )


@transaction.atomic
def create_holiday(engineer: User, *, dates: HolidayData, by: User) -> HolidayBlock:
    """Block dates of an engineer: one's own, or anybody's by an admin (product.md §4, §11).

    Never refused for what it does to the schedule. Raises Forbidden for another's, Invalid by field.
    """
    _check_holiday_of(engineer, by=by)
    block = build_holiday(engineer, dates=dates)
    lock_availability_of(engineer)
    block.save()
    return block


@transaction.atomic
def update_holiday(block: HolidayBlock, *, dates: HolidayData, by: User) -> HolidayBlock:
    """Change a block's dates, kind or note; raises as `block_holiday` does, Refused where it is gone."""
    _check_holiday_of(block.engineer, by=by)
    _refuse_linked(block)
    wanted = build_holiday(block.engineer, dates=dates)
    lock_availability_of(block.engineer)
    if not HolidayBlock.objects.filter(pk=block.pk).exists():
        raise DomainError("This holiday was removed in the meantime.")
    wanted.pk, wanted.created_at = block.pk, block.created_at
    wanted.save(force_update=True)
    return wanted


@transaction.atomic
def delete_holiday(block: HolidayBlock, *, by: User) -> None:
    """Remove a block; raises Forbidden for another's, Refused for one of a linked calendar."""
    _check_holiday_of(block.engineer, by=by)
    _refuse_linked(block)
    lock_availability_of(block.engineer)
    HolidayBlock.objects.filter(pk=block.pk).delete()


def _check_holiday_of(engineer: User, *, by: User) -> None:
    if by.pk != engineer.pk and not by.is_staff:
        raise NotAllowedError("Only an admin blocks, changes or removes somebody else's holiday.")


def _refuse_linked(block: HolidayBlock) -> None:
    """Raise Refused for a block that comes from a linked calendar: it would come back at the next reading."""
    if block.link_id is not None:
        raise DomainError("This comes from the linked calendar: change it there, or unlink the calendar.")
