"""Reads behind suggestions: who could take a week, and which moves would leave nobody on call while away."""

import datetime as dt

from people.models import User
from people.queries import public_holidays
from scheduling.domain.optimizer import Infeasible, Plan, plan
from scheduling.domain.responder_chain import Absence, RotationSchedule
from scheduling.domain.suggestions import RosterFacts, Suggestion, suggestions
from scheduling.domain.weeks import Week
from scheduling.loaders import load_schedules, with_extra_absence
from scheduling.models import Rotation

# As far as weeks are stored: a week that is only planned cannot change hands yet.
LOOKED_AHEAD = dt.timedelta(weeks=30)
PLANNED_WEEKS = 26


def suggestions_for(rotation: Rotation, *, week: dt.date, at: dt.datetime, limit: int = 10) -> list[Suggestion] | None:
    """Return ways in which the engineer of a coming week could be rid of it, best first; None where there is no such week."""
    world = upcoming_schedule(rotation, at=at)
    wanted = next((one for one in world.weeks if one.starts_on == week and one.starts_at > at), None)
    return None if wanted is None else suggestions_in(world, week=wanted, at=at, limit=limit)


def upcoming_schedule(
    rotation: Rotation, *, at: dt.datetime, without: int | None = None, absence: Absence | None = None
) -> RotationSchedule:
    """Return the world of a rotation's stored weeks, from the running one on, without a block, or with one more absence."""
    stored = rotation.weeks.filter(starts_at__gt=at).order_by("-starts_on").values_list("ends_at", flat=True).first()
    worlds = load_schedules([rotation], starts_at=at, ends_at=stored or at, without=without)
    world = (with_extra_absence(worlds, absence=absence) if absence else worlds).rotations[rotation.pk]
    weeks = [week for week in world.weeks if stored and week.ends_at <= stored]
    return RotationSchedule(people=world.people, weeks=weeks, covers=world.covers, rosters=world.rosters)


def suggestions_in(world: RotationSchedule, *, week: Week, at: dt.datetime, limit: int) -> list[Suggestion]:
    """Return the suggestions for a week of a world that was read already, for one on its roster or holding a week of it."""
    candidates = {*world.roster_of(week), *(one.engineer for one in world.weeks)} - world.people.inactive
    people = User.objects.filter(pk__in=candidates | {week.engineer}).in_bulk()
    years = range(at.year, (at + LOOKED_AHEAD).year + 1)
    facts = RosterFacts(
        candidates=candidates,
        names={key: str(user) for key, user in people.items()},
        zones={key: user.zone for key, user in people.items()},
        public_holidays={
            key: frozenset(day for year in years for day in public_holidays(user.country, user.subdivision, year))
            for key, user in people.items()
        },
    )
    return suggestions(week, weeks=world.weeks, people=world.people, facts=facts, after=at, limit=limit)


def plan_for(rotation: Rotation, *, at: dt.datetime) -> Plan | Infeasible:
    """Return the smallest set of moves in the next 26 weeks after which nobody is on call while away, or why there is none."""
    world = upcoming_schedule(rotation, at=at)
    weeks = [week for week in world.weeks if week.starts_at > at][:PLANNED_WEEKS]
    on_it = {key for week in weeks for key in world.roster_of(week)}
    engineers = sorted(on_it - world.people.inactive)
    everyone = {*engineers, *(week.engineer for week in weeks)}
    absences = [one for key in sorted(everyone) for one in world.people.absences.get(key, ())]
    names = {key: str(user) for key, user in User.objects.in_bulk(everyone).items()}
    return plan(weeks, absences=absences, engineers=engineers, names=names)
