"""Create, update and delete time off."""

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
    """An absence as entered: inclusive dates in the engineer's time zone, optional hours, a kind and a private note."""

    starts_on: dt.date
    ends_on: dt.date
    starts_at_time: dt.time | None = None
    ends_at_time: dt.time | None = None
    kind: str = HolidayBlock.Kind.HOLIDAY
    note: str = ""


def build_holiday(engineer: User, *, dates: HolidayData) -> HolidayBlock:
    """Return an unsaved holiday block; raise Invalid by field."""
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
    """Add time off for an engineer: their own, or anyone's as an admin.

    Time off is never refused because of its impact on the schedule. Raises Forbidden for another engineer's time off
    and Invalid, by field, for bad input.
    """
    _check_holiday_of(engineer, by=by)
    block = build_holiday(engineer, data=dates)
    lock_availability_of(engineer)
    block.save()
    return block


@transaction.atomic
def update_holiday(block: HolidayBlock, *, dates: HolidayData, by: User) -> HolidayBlock:
    """Update the dates, kind or note of a block.

    Raises the same errors as `create_holiday`, and Refused if the block was deleted.
    """
    _check_holiday_of(block.engineer, by=by)
    _refuse_linked(block)
    wanted = build_holiday(block.engineer, data=dates)
    lock_availability_of(block.engineer)
    if not HolidayBlock.objects.filter(pk=block.pk).exists():
        raise DomainError("This holiday was removed in the meantime.")
    wanted.pk, wanted.created_at = block.pk, block.created_at
    wanted.save(force_update=True)
    return wanted


@transaction.atomic
def delete_holiday(block: HolidayBlock, *, by: User) -> None:
    """Delete a block; raise Forbidden for another engineer's, and Refused for one from a linked calendar."""
    _check_holiday_of(block.engineer, by=by)
    _refuse_linked(block)
    lock_availability_of(block.engineer)
    HolidayBlock.objects.filter(pk=block.pk).delete()


def _check_holiday_of(engineer: User, *, by: User) -> None:
    if by.pk != engineer.pk and not by.is_staff:
        raise NotAllowedError("Only an admin blocks, changes or removes somebody else's holiday.")


def _refuse_linked(block: HolidayBlock) -> None:
    """Raise Refused for a block from a linked calendar, because the next sync would restore it."""
    if block.link_id is not None:
        raise DomainError("This comes from the linked calendar: change it there, or unlink the calendar.")
