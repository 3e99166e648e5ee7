"""Link, sync and unlink an engineer's own calendar."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from common.crypto import DecryptionError, decrypt, encrypt
from common.exceptions import InvalidInputError, NotAllowedError
from common.safe_http import FetchResult, UnreachableError, check_url, fetch
from people.models import User
from scheduling.domain.ical_busy import BusyEvent, UnreadableCalendarError
from scheduling.ical_subprocess import busy_days_within
from scheduling.models import CalendarLink, HolidayBlock
from scheduling.services.holidays import HolidayData, build_holiday
from scheduling.services.locks import lock_availability_of

BEHIND, AHEAD = dt.timedelta(days=7), dt.timedelta(days=400)
COMPARED = ("ends_on", "starts_at", "ends_at", "note")


def link_calendar(engineer: User, *, address: str, by: User) -> CalendarLink:
    """Link an engineer's own calendar, replacing an earlier link.

    Raises Forbidden for another engineer's calendar and Invalid, by field, for bad input.
    """
    _check_link_of(engineer, by=by)
    address = address.strip()
    if address.lower().startswith("webcal://"):
        # Calendar programs use webcal:// for "subscribe to this over https".
        address = "https://" + address[len("webcal://") :]
    try:
        host = check_url(address).hostname or ""
    except UnreachableError as error:
        raise InvalidInputError({"address": [str(error)]}) from error
    with transaction.atomic():
        lock_availability_of(engineer)
        HolidayBlock.objects.filter(link__engineer=engineer).delete()
        CalendarLink.objects.filter(engineer=engineer).delete()
        return CalendarLink.objects.create(engineer=engineer, address=encrypt(address), host=host[:255])


@transaction.atomic
def unlink_calendar(link: CalendarLink, *, by: User) -> None:
    """Delete a linked calendar and its blocks; raise Forbidden for another engineer's."""
    _check_link_of(link.engineer, by=by)
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
    """Read a linked calendar and update the engineer's linked blocks to match; return the updated link.

    The address is fetched outside any transaction. If the calendar cannot be read, no block changes and the link
    records the error.
    """
    today = at.astimezone(link.engineer.zone).date()
    first, last = today - BEHIND, today + AHEAD
    try:
        found = read(fetch(decrypt(link.address)).body, first=first, last=last)
    except (UnreachableError, UnreadableCalendarError, DecryptionError) as error:
        CalendarLink.objects.filter(pk=link.pk).update(
            state=CalendarLink.State.FAILING, problem=str(error)[:300], last_read_at=at
        )
    else:
        _follow(link, found, since=first, at=at)
    return CalendarLink.objects.filter(pk=link.pk).select_related("engineer").first() or link


@transaction.atomic
def _follow(link: CalendarLink, found: list[BusyEvent], *, since: dt.date, at: dt.datetime) -> None:
    """Create, update and delete linked blocks that end on or after `since`; skip blocks that did not change."""
    engineer = lock_availability_of(link.engineer)
    well = {"state": CalendarLink.State.OK, "problem": "", "last_read_at": at, "last_success_at": at}
    if CalendarLink.objects.filter(pk=link.pk).update(**well) != 1:
        return  # Unlinked while it was being read.
    stored = {(row.link_uid, row.starts_on): row for row in HolidayBlock.objects.filter(link=link, ends_on__gte=since)}
    for one in found:
        wanted = build_holiday(
            engineer, data=HolidayData(one.starts_on, one.ends_on, kind=HolidayBlock.Kind.OTHER, note=one.summary)
        )
        wanted.link, wanted.link_uid = link, one.uid
        row = stored.pop((one.uid, one.starts_on), None)
        if row is None:
            HolidayBlock.objects.bulk_create([wanted], ignore_conflicts=True)
        elif any(getattr(row, field) != getattr(wanted, field) for field in COMPARED):
            wanted.pk, wanted.created_at = row.pk, row.created_at
            wanted.save(force_update=True)
    HolidayBlock.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()


def _check_link_of(engineer: User, *, by: User) -> None:
    if by.pk != engineer.pk and not by.is_staff:
        raise NotAllowedError("Only an admin links or unlinks somebody else's calendar.")
