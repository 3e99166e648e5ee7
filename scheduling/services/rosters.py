"""Change the roster of a rotation."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_day
from people.models import User
from people.services.accounts import check_active
from scheduling.domain.weeks import WEEK, current_week, week_start
from scheduling.loaders import rotation_hours
from scheduling.models import Roster, RosterMember, Rotation
from scheduling.queries.rosters import newest_roster, roster_engineers
from scheduling.services.locks import lock_active_rotation, lock_people
from scheduling.services.weeks import replan


@transaction.atomic
def set_roster(rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date, at: dt.datetime) -> Roster:
    """Set the rotation's ordered engineers from the week that starts on `starts_on`; delete later rosters.

    Weeks from that date on are replanned. Raises InvalidInputError if the date is not the rotation's hand-off weekday, or
    an engineer is repeated or inactive.
    """
    rotation = lock_active_rotation(rotation)
    people = lock_people(engineers)
    _check_roster(rotation, engineers=[people[engineer.pk] for engineer in engineers], starts_on=starts_on)
    rotation.rosters.filter(starts_on__gte=starts_on).delete()
    roster = Roster.objects.create(rotation=rotation, starts_on=starts_on)
    RosterMember.objects.bulk_create(
        RosterMember(roster=roster, engineer=engineer, position=position) for position, engineer in enumerate(engineers)
    )
    replan(rotation, first=starts_on, at=at)
    return roster


def _check_roster(rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date) -> None:
    if week_start(starts_on, weekday=rotation.handoff_weekday) != starts_on:
        expected = rotation.get_handoff_weekday_display()
        raise InvalidInputError(
            {"starts_on": [f"{format_day(starts_on)} is a {starts_on:%A}. Shifts of {rotation} start on a {expected}."]}
        )
    if len({engineer.pk for engineer in engineers}) < len(engineers) or not engineers:
        raise InvalidInputError({"engineers": ["List at least one engineer, and each engineer once."]})
    for engineer in engineers:
        check_active(engineer, field="engineers")


def check_roster_change(rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date, at: dt.datetime) -> None:
    """Raise the errors of `change_roster` for this roster, without changing anything, so that a preview has them too."""
    if rotation.archived_at is not None:
        raise DomainError(f"{rotation} is archived.")
    _check_is_upcoming(rotation, starts_on=starts_on, at=at)
    _check_roster(rotation, engineers=engineers, starts_on=starts_on)


def _check_is_upcoming(rotation: Rotation, *, starts_on: dt.date, at: dt.datetime) -> None:
    if starts_on <= current_week(rotation_hours(rotation), at=at):
        raise DomainError(_started_text(starts_on))


@transaction.atomic
def change_roster(
    rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date, by: User, at: dt.datetime
) -> Roster:
    """Change a rotation's roster as an admin, from a week that has not started.

    Raises NotAllowedError if `by` is not an admin; InvalidInputError as `set_roster` does;
    DomainError for a week that has started.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin can change a roster.")
    rotation = lock_active_rotation(rotation)
    _check_is_upcoming(rotation, starts_on=starts_on, at=at)
    return set_roster(rotation, engineers=engineers, starts_on=starts_on, at=at)


@transaction.atomic
def apply_roster(
    rotation: Rotation, *, engineers: Sequence[User], at: dt.datetime, starting: dt.date | None
) -> Roster | None:
    """Set a rotation's roster if it differs; return the new roster, or None if nothing changes.

    A new rotation starts at `starting`, or with the current week. A change takes effect at `starting`, or next week: past
    weeks and the current week never change. Raises DomainError if the week of `starting` has started.
    """
    rotation = lock_active_rotation(rotation)
    current = current_week(rotation_hours(rotation), at=at)
    newest = newest_roster(rotation)
    if newest is None:
        return set_roster(rotation, engineers=engineers, starts_on=starting or current, at=at)
    is_same = [engineer.pk for engineer in roster_engineers(newest)] == [engineer.pk for engineer in engineers]
    if is_same and starting in (None, newest.starts_on):
        return None
    first = starting or current + WEEK
    if first <= current:
        raise DomainError(_started_text(first))
    return set_roster(rotation, engineers=engineers, starts_on=first, at=at)


def _started_text(week: dt.date) -> str:
    return f"The week of {format_day(week)} has already started. A roster can only change future weeks."
