"""Reads about the shared calendar, and what a block of dates would do."""

import datetime as dt

from django.db.models import QuerySet

from people.models import User
from scheduling.models import HolidayBlock, RosterMember, Rotation


def holidays_between(*, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return everybody's holiday blocks that share an instant with a window, with their engineers."""
    return HolidayBlock.objects.overlapping(starts_at=starts_at, ends_at=ends_at).select_related("engineer")


def holidays_in_rotation(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return the holiday blocks, of who stands on a roster of the rotation, that share an instant with a window."""
    members = RosterMember.objects.filter(roster__rotation=rotation).values("engineer")
    return holidays_between(starts_at=starts_at, ends_at=ends_at).filter(engineer__in=members)


def holidays_of(engineer: User, *, at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return an engineer's holiday blocks that are not over."""
    return HolidayBlock.objects.filter(engineer=engineer, ends_at__gt=at).order_by("starts_at")
