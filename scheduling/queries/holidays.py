"""Reads about the shared calendar, and what a block of dates would do."""

import datetime as dt
from functools import lru_cache

import holidays
from django.db.models import QuerySet

from people.models import User
from scheduling.models import HolidayBlock, RosterMember, Rotation


def holidays_between(*, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return everybody's holiday blocks that share an instant with a window, with their engineers."""
    return HolidayBlock.objects.touching(starts_at=starts_at, ends_at=ends_at).select_related("engineer")


def holidays_in_rotation(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return the holiday blocks, of who stands on a roster of the rotation, that share an instant with a window."""
    members = RosterMember.objects.filter(roster__rotation=rotation).values("engineer")
    return holidays_between(starts_at=starts_at, ends_at=ends_at).filter(engineer__in=members)


def holidays_of(engineer: User, *, at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return an engineer's holiday blocks that are not over."""
    return HolidayBlock.objects.filter(engineer=engineer, ends_at__gt=at).order_by("starts_at")


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str, year: int) -> dict[dt.date, str]:
    """Return the public holidays of a country and subdivision in a year, by date; none for an unknown country."""
    if not country:
        return {}
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
