"""Reads about the schedule."""

import datetime as dt

from people.models import User
from scheduling.models import Roster, Rotation


def roster_in_force(rotation: Rotation, *, on: dt.date) -> Roster | None:
    """Return the roster that holds on a date; before the first one starts, the first."""
    rosters = rotation.rosters.all()
    return rosters.in_force(on=on).first() or rosters.order_by("starts_on").first()


def engineers_of(roster: Roster) -> list[User]:
    """Return a roster's engineers in order."""
    return [member.engineer for member in roster.members.select_related("engineer").order_by("position")]
