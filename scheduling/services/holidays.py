"""Create, update and delete time off."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.datetimes import check_in_range
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from scheduling.domain.wall_time import dates_to_interval
from scheduling.models import HolidayBlock
from scheduling.services.locks import lock_availability

MAX_ABSENCE_DAYS = 366


@dataclass(frozen=True, slots=True)
class HolidayData:
    """An absence as entered: inclusive dates in the engineer's time zone, optional hours, a kind and a private note."""

    starts_on: dt.date
    ends_on: dt.date
    starts_at_time: dt.time | None = None
    ends_at_time: dt.time | None = None
    kind: str = HolidayBlock.Kind.HOLIDAY
    note: str = ""


def holiday_data(block: HolidayBlock) -> HolidayData:
    """Return an absence as it was entered."""
    return HolidayData(
        starts_on=block.starts_on,
        ends_on=block.ends_on,
        starts_at_time=block.starts_at_time,
        ends_at_time=block.ends_at_time,
        kind=block.kind,
        note=block.note,
    )


def build_holiday(engineer: User, *, data: HolidayData, time_zone: str = "") -> HolidayBlock:
    """Return an unsaved absence; raise InvalidInputError by field.

    The dates count in `time_zone`, by default the engineer's.
    """
    time_zone = time_zone or engineer.time_zone
    check_in_range({"starts_on": data.starts_on, "ends_on": data.ends_on})
    if data.ends_on < data.starts_on:
        raise InvalidInputError({"ends_on": ["The last day is before the first day."]})
    if (data.ends_on - data.starts_on).days > MAX_ABSENCE_DAYS:
        raise InvalidInputError({"ends_on": ["Time off can last at most a year."]})
    try:
        starts_at, ends_at = dates_to_interval(
            data.starts_on, data.ends_on, zone=time_zone, start=data.starts_at_time, end=data.ends_at_time
        )
    except ValueError as error:
        raise InvalidInputError({"ends_at_time": [str(error)]}) from error
    return HolidayBlock(
        engineer=engineer,
        starts_on=data.starts_on,
        ends_on=data.ends_on,
        starts_at_time=data.starts_at_time,
        ends_at_time=data.ends_at_time,
        kind=data.kind,
        note=data.note,
        time_zone=time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
    )


@transaction.atomic
def create_holiday(engineer: User, *, data: HolidayData, by: User) -> HolidayBlock:
    """Add time off for an engineer: their own, or anyone's as an admin.

    Time off is never refused because of its impact on the schedule. Raises NotAllowedError for another engineer's time off,
    InvalidInputError for bad input, and DomainError, with its `id`, if the same time off is there already.
    """
    _check_may_change(engineer, by=by)
    block = build_holiday(lock_availability(engineer), data=data)
    _check_new(block)
    block.save()
    return block


@transaction.atomic
def update_holiday(block: HolidayBlock, *, data: HolidayData, by: User) -> HolidayBlock:
    """Update the dates, kind or note of an absence. The dates keep the time zone in which they were first entered.

    Raises the same errors as `create_holiday`, and DomainError if the absence was deleted or comes from a linked calendar.
    """
    _check_may_change(block.engineer, by=by)
    engineer = lock_availability(block.engineer)
    row = HolidayBlock.objects.filter(pk=block.pk).first()
    if row is None:
        raise DomainError("This time off was deleted in the meantime.")
    _check_not_linked(row)
    updated = build_holiday(engineer, data=data, time_zone=row.time_zone)
    updated.pk, updated.created_at = row.pk, row.created_at
    updated.save(force_update=True)
    return updated


@transaction.atomic
def delete_holiday(block: HolidayBlock, *, by: User) -> None:
    """Delete an absence; raise NotAllowedError for another engineer's, DomainError for one from a linked calendar."""
    _check_may_change(block.engineer, by=by)
    lock_availability(block.engineer)
    row = HolidayBlock.objects.filter(pk=block.pk).first()
    if row is not None:
        _check_not_linked(row)
        row.delete()


def _check_may_change(engineer: User, *, by: User) -> None:
    if by.pk != engineer.pk and not by.is_staff:
        raise NotAllowedError("Only an admin can change another engineer’s time off.")


def _check_new(block: HolidayBlock) -> None:
    """Raise DomainError if the engineer has entered time off of the same kind, dates and hours before."""
    same = HolidayBlock.objects.filter(
        engineer=block.engineer,
        link=None,
        kind=block.kind,
        starts_at=block.starts_at,
        ends_at=block.ends_at,
    ).first()
    if same is not None:
        raise DomainError("This time off is already in the calendar.", id=same.pk)


def _check_not_linked(block: HolidayBlock) -> None:
    """Raise DomainError for an absence from a linked calendar, because the next sync would restore it."""
    if block.link_id is not None:
        raise DomainError("This time off comes from a linked calendar. Change it there, or unlink the calendar.")
