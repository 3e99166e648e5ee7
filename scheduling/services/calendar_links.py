"""Link, sync and unlink an engineer's own calendar."""

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict

from django.db import transaction
from django.db.models import Q

from common.crypto import DecryptionError
from common.exceptions import InvalidInputError, NotAllowedError
from common.safe_http import FetchResult, UnreachableError, check_url, fetch
from people.models import User
from scheduling.domain.ical_busy import BusyCalendar, SkippedEvent
from scheduling.domain.ical_parser import UnreadableCalendarError
from scheduling.ical_subprocess import busy_days_within
from scheduling.models import CalendarLink, HolidayBlock
from scheduling.services.holidays import HolidayData, build_holiday
from scheduling.services.locks import lock_availability

# The window of dates that a sync reads.
SYNC_BACK, SYNC_AHEAD = dt.timedelta(days=7), dt.timedelta(days=400)
COMPARED_FIELDS = ("ends_on", "starts_at", "ends_at", "note")
MAX_SKIPPED_SHOWN = 50


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
        lock_availability(engineer)
        HolidayBlock.objects.filter(link__engineer=engineer).delete()
        CalendarLink.objects.filter(engineer=engineer).delete()
        return CalendarLink.objects.create(engineer=engineer, address=address, host=host[:255])


@transaction.atomic
def unlink_calendar(link: CalendarLink, *, by: User) -> None:
    """Delete a linked calendar and its absences; raise NotAllowedError for another engineer's."""
    _check_can_link(link.engineer, by=by)
    lock_availability(link.engineer)
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
    read: Callable[..., BusyCalendar] = busy_days_within,
) -> CalendarLink:
    """Read a linked calendar and update the engineer's imported absences to match; return the updated link.

    The URL is fetched outside any transaction. If the calendar cannot be read, no absence changes and the link records
    the error.
    """
    today = at.astimezone(link.engineer.zone).date()
    first, last = today - SYNC_BACK, today + SYNC_AHEAD
    try:
        body = fetch(link.address).body
        calendar = read(body, first=first, last=last, zone=link.engineer.time_zone)
    except (UnreachableError, UnreadableCalendarError, DecryptionError) as error:
        CalendarLink.objects.filter(pk=link.pk).update(
            state=CalendarLink.State.FAILING, problem=str(error)[:300], skipped_events=[], last_read_at=at
        )
    else:
        _update_absences(link, calendar, since=first, at=at)
    return CalendarLink.objects.filter(pk=link.pk).select_related("engineer").first() or link


@transaction.atomic
def _update_absences(link: CalendarLink, calendar: BusyCalendar, *, since: dt.date, at: dt.datetime) -> None:
    """Create, update and delete imported absences that end on or after `since`; skip those that did not change."""
    engineer = lock_availability(link.engineer)
    if not CalendarLink.objects.filter(pk=link.pk).exists():
        return  # The calendar was disconnected while it was being read.
    skipped = list(calendar.skipped)
    stored = {(row.link_uid, row.starts_on): row for row in HolidayBlock.objects.filter(link=link)}
    for event in calendar.events:
        data = HolidayData(event.starts_on, event.ends_on, kind=HolidayBlock.Kind.OTHER, note=event.summary)
        row = stored.pop((event.uid, event.starts_on), None)
        # A known event keeps its time zone, so that it does not move when the engineer does.
        try:
            absence = build_holiday(engineer, data=data, time_zone=row.time_zone if row else "")
        except InvalidInputError as error:
            skipped.append(SkippedEvent(event.summary, str(error)))
            continue
        absence.link, absence.link_uid = link, event.uid
        if row is None:
            absence.save()
        elif any(getattr(row, field) != getattr(absence, field) for field in COMPARED_FIELDS):
            absence.pk, absence.created_at = row.pk, row.created_at
            absence.save(force_update=True)
    outdated = [row.pk for row in stored.values() if row.ends_on >= since]
    HolidayBlock.objects.filter(pk__in=outdated).delete()
    _record_success(link, skipped, at=at)


def _record_success(link: CalendarLink, skipped: list[SkippedEvent], *, at: dt.datetime) -> None:
    """Record a sync: it is complete only if every all-day event became an absence."""
    count = len(skipped)
    CalendarLink.objects.filter(pk=link.pk).update(
        state=CalendarLink.State.PARTIAL if skipped else CalendarLink.State.OK,
        problem=f"{count} event{'s' if count > 1 else ''} could not be read." if skipped else "",
        skipped_events=[asdict(event) for event in skipped[:MAX_SKIPPED_SHOWN]],
        last_read_at=at,
        last_success_at=at,
    )


def _check_can_link(engineer: User, *, by: User) -> None:
    if by.pk != engineer.pk and not by.is_staff:
        raise NotAllowedError("Only an admin can connect or disconnect another engineer's calendar.")
