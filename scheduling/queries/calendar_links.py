"""Queries for linked calendars."""

import datetime as dt

from django.db.models import F, Q, QuerySet

from people.models import User
from scheduling.models import CalendarLink

SYNC_INTERVAL = dt.timedelta(hours=1)


def linked_calendar(engineer: User) -> CalendarLink | None:
    """Return an engineer's linked calendar, or None."""
    return CalendarLink.objects.select_related("engineer").filter(engineer=engineer).first()


def links_due(*, at: dt.datetime) -> QuerySet[CalendarLink]:
    """Return the links of active engineers that were not synced for an hour, the longest overdue first."""
    due = Q(last_read_at=None) | Q(last_read_at__lte=at - SYNC_INTERVAL)
    rows = CalendarLink.objects.filter(due, engineer__is_active=True).select_related("engineer")
    return rows.order_by(F("last_read_at").asc(nulls_first=True), "pk")
