"""Reads behind swap suggestions and the optimizer."""

import datetime as dt
from collections.abc import Sequence

from people.models import User
from people.queries import public_holidays
from scheduling.domain.optimizer import Infeasible, Plan, plan
from scheduling.domain.responder_chain import Absence, RotationSchedule
from scheduling.domain.suggestions import RosterFacts, Suggestion, suggestions
from scheduling.domain.weeks import Move, Week
from scheduling.loaders import load_schedules, with_extra_absence
from scheduling.models import HolidayBlock, Rotation

# As far ahead as weeks are stored: a week that is only planned cannot be swapped yet.
PUBLIC_HOLIDAY_LOOKAHEAD = dt.timedelta(weeks=30)
OPTIMIZED_WEEKS = 26


def suggestions_for(rotation: Rotation, *, week: dt.date, at: dt.datetime, limit: int = 10) -> list[Suggestion] | None:
    """Return ways to hand over an upcoming week, best first; None if no stored upcoming week starts on that date."""
    schedule = upcoming_schedule(rotation, at=at)
    upcoming = (row for row in schedule.weeks if row.starts_on == week and row.starts_at > at)
    row = next(upcoming, None)
    return None if row is None else suggestions_in(schedule, week=row, at=at, limit=limit)


def upcoming_schedule(
    rotation: Rotation, *, at: dt.datetime, without: int | None = None, absence: Absence | None = None
) -> RotationSchedule:
    """Return the schedule of a rotation's stored weeks from the current one on.

    `without` is the primary key of an absence to leave out; `absence` is one to add.
    """
    stored = rotation.weeks.filter(starts_at__gt=at).order_by("-starts_on").values_list("ends_at", flat=True).first()
    snapshot = load_schedules([rotation], starts_at=at, ends_at=stored or at, without=without)
    if absence:
        snapshot = with_extra_absence(snapshot, absence=absence)
    schedule = snapshot.rotations[rotation.pk]
    weeks = [week for week in schedule.weeks if stored and week.ends_at <= stored]
    return RotationSchedule(
        availability=schedule.availability, weeks=weeks, covers=schedule.covers, rosters=schedule.rosters
    )


def suggestions_in(schedule: RotationSchedule, *, week: Week, at: dt.datetime, limit: int) -> list[Suggestion]:
    """Return ways to hand over a week of a loaded schedule to engineers on its roster or with a week in the schedule."""
    candidates = {*schedule.roster(week), *(row.engineer for row in schedule.weeks)} - schedule.availability.inactive
    users = list(User.objects.filter(pk__in={person.id for person in candidates | {week.engineer}}))
    years = range(at.year, (at + PUBLIC_HOLIDAY_LOOKAHEAD).year + 1)
    facts = RosterFacts(
        candidates=candidates,
        zones={user.person: user.zone for user in users},
        public_holidays={
            user.person: frozenset(
                day for year in years for day in public_holidays(user.country, user.subdivision, year)
            )
            for user in users
        },
    )
    return suggestions(
        week, weeks=schedule.weeks, availability=schedule.availability, facts=facts, after=at, limit=limit
    )


def plan_for(rotation: Rotation, *, at: dt.datetime) -> Plan | Infeasible:
    """Return the smallest set of moves in the next 26 weeks that leaves nobody on call while away, or why none exists."""
    schedule = upcoming_schedule(rotation, at=at)
    weeks = [week for week in schedule.weeks if week.starts_at > at][:OPTIMIZED_WEEKS]
    on_rosters = {person for week in weeks for person in schedule.roster(week)}
    engineers = sorted(on_rosters - schedule.availability.inactive)
    involved = {*engineers, *(week.engineer for week in weeks)}
    absences = [absence for person in sorted(involved) for absence in schedule.availability.absences.get(person, ())]
    return plan(weeks, absences=absences, engineers=engineers)


def plan_reasons(rotation: Rotation, *, moves: Sequence[Move]) -> list[tuple[Move, str]]:
    """Return each move of a plan with its reason: the time off of the engineer who gives the week, or the balance."""
    weeks = {week.starts_on: week for week in rotation.weeks.filter(starts_on__in=[move.week for move in moves])}
    absences = list(HolidayBlock.objects.filter(engineer__in={move.giver.id for move in moves}).order_by("starts_at"))
    reasons = []
    for move in moves:
        week = weeks.get(move.week)
        away = [
            row.days
            for row in absences
            if week
            and row.engineer_id == move.giver.id
            and row.starts_at < week.ends_at
            and row.ends_at > week.starts_at
        ]
        reason = f"{move.giver} is away {', '.join(away)}." if away else "Keeps everyone’s number of weeks even."
        reasons.append((move, reason))
    return reasons
