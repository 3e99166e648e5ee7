"""Reads about time off."""

import datetime as dt

from django.db.models import QuerySet

from people.models import User
from scheduling.models import HolidayBlock, RosterMember, Rotation


def holidays_between(*, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return the absences of all engineers that overlap a window, with their engineers."""
    return HolidayBlock.objects.overlapping(starts_at=starts_at, ends_at=ends_at).select_related("engineer")


def holidays_in_rotation(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return the absences that overlap a window, of engineers on any roster of a rotation."""
    members = RosterMember.objects.filter(roster__rotation=rotation).values("engineer")
    return holidays_between(starts_at=starts_at, ends_at=ends_at).filter(engineer__in=members)


def upcoming_holidays(engineer: User, *, at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return an engineer's current and upcoming absences."""
    return HolidayBlock.objects.filter(engineer=engineer, ends_at__gt=at).order_by("starts_at")
