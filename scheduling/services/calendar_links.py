"""Link, sync and unlink an engineer's own calendar."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from common.crypto import DecryptionError
from common.exceptions import InvalidInputError, NotAllowedError
from common.safe_http import FetchResult, UnreachableError, check_url, fetch
from people.models import User
from scheduling.domain.ical_busy import BusyEvent, UnreadableCalendarError
from scheduling.ical_subprocess import busy_days_within
from scheduling.models import CalendarLink, HolidayBlock
from scheduling.services.holidays import HolidayData, build_holiday
from scheduling.services.locks import lock_availability_of

# The window of dates that a sync reads.
SYNC_BACK, SYNC_AHEAD = dt.timedelta(days=7), dt.timedelta(days=400)
COMPARED_FIELDS = ("ends_on", "starts_at", "ends_at", "note")


def link_calendar(engineer: User, *, address: str, by: User) -> CalendarLink:
    """Link an engineer's own calendar, replacing an earlier link.

    Raises NotAllowedError for another engineer's calendar and InvalidInputError, by field, for a bad URL.
    """
    _check_can_link(engineer, by=by)
    address = address.strip()
    if address.lower().startswith("webcal://"):
        # Calendar apps use webcal:// for "subscribe to this over https".
        address = "https://" + address[len("webcal://") :]
    try:
        host = check_url(address).hostname or ""
    except UnreachableError as error:
        raise InvalidInputError({"address": [str(error)]}) from error
    with transaction.atomic():
        lock_availability_of(engineer)
        HolidayBlock.objects.filter(link__engineer=engineer).delete()
        CalendarLink.objects.filter(engineer=engineer).delete()
        return CalendarLink.objects.create(engineer=engineer, address=address, host=host[:255])


@transaction.atomic
def unlink_calendar(link: CalendarLink, *, by: User) -> None:
    """Delete a linked calendar and its absences; raise NotAllowedError for another engineer's."""
    _check_can_link(link.engineer, by=by)
    lock_availability_of(link.engineer)
    HolidayBlock.objects.filter(link=link).delete()
    CalendarLink.objects.filter(pk=link.pk).delete()


def claim_link(link: CalendarLink, *, at: dt.datetime) -> bool:
    """Claim a link for syncing by comparing its last sync time; return False if another worker claimed it first."""
    same = Q(last_read_at=link.last_read_at) if link.last_read_at else Q(last_read_at=None)
    return CalendarLink.objects.filter(same, pk=link.pk).update(last_read_at=at) == 1


def sync_link(
    link: CalendarLink,
    *,
    at: dt.datetime,
    fetch: Callable[[str], FetchResult] = fetch,
    read: Callable[..., list[BusyEvent]] = busy_days_within,
) -> CalendarLink:
    """Read a linked calendar and update the engineer's imported absences to match; return the updated link.

    The URL is fetched outside any transaction. If the calendar cannot be read, no absence changes and the link records
    the error.
    """
    today = at.astimezone(link.engineer.zone).date()
    first, last = today - SYNC_BACK, today + SYNC_AHEAD
    try:
        events = read(fetch(link.address).body, first=first, last=last)
    except (UnreachableError, UnreadableCalendarError, DecryptionError) as error:
        CalendarLink.objects.filter(pk=link.pk).update(
            state=CalendarLink.State.FAILING, problem=str(error)[:300], last_read_at=at
        )
    else:
        _update_absences(link, events, since=first, at=at)
    return CalendarLink.objects.filter(pk=link.pk).select_related("engineer").first() or link


@transaction.atomic
def _update_absences(link: CalendarLink, events: list[BusyEvent], *, since: dt.date, at: dt.datetime) -> None:
    """Create, update and delete imported absences that end on or after `since`; skip those that did not change."""
    engineer = lock_availability_of(link.engineer)
    success = {"state": CalendarLink.State.OK, "problem": "", "last_read_at": at, "last_success_at": at}
    if CalendarLink.objects.filter(pk=link.pk).update(**success) != 1:
        return  # The calendar was disconnected while it was being read.
    stored = {(row.link_uid, row.starts_on): row for row in HolidayBlock.objects.filter(link=link, ends_on__gte=since)}
    for event in events:
        dates = HolidayData(event.starts_on, event.ends_on, kind=HolidayBlock.Kind.OTHER, note=event.summary)
        row = stored.pop((event.uid, event.starts_on), None)
        # A known event keeps its time zone, so that it does not move when the engineer does.
        absence = build_holiday(engineer, data=dates, time_zone=row.time_zone if row else "")
        absence.link, absence.link_uid = link, event.uid
        if row is None:
            HolidayBlock.objects.bulk_create([absence], ignore_conflicts=True)
        elif any(getattr(row, field) != getattr(absence, field) for field in COMPARED_FIELDS):
            absence.pk, absence.created_at = row.pk, row.created_at
            absence.save(force_update=True)
    HolidayBlock.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()


def _check_can_link(engineer: User, *, by: User) -> None:
    if by.pk != engineer.pk and not by.is_staff:
        raise NotAllowedError("Only an admin can connect or disconnect another engineer's calendar.")
