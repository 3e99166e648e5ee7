"""Who is on call on each day of a calendar, and its coverage gaps."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import QuerySet

from people.domain.person import Person
from scheduling.domain.responder_chain import RotationSchedule
from scheduling.loaders import load_schedules
from scheduling.models import CoverageGap, Rotation

DAY, NOON = dt.timedelta(days=1), dt.timedelta(hours=12)


@dataclass(slots=True)
class OnCallDay:
    """A day on which an engineer is on call: in which rotations, and whether they are away then."""

    rotations: list[Rotation] = field(default_factory=list)
    away: bool = False


@dataclass(frozen=True, slots=True)
class OnCallSpan:
    """Consecutive days on which the same engineer, or nobody, is on call at noon."""

    engineer: Person | None
    days: int


@dataclass(frozen=True, slots=True)
class OnCallCalendar:
    """Who is on call on consecutive days.

    `days` has the on-call days of each engineer and date; `spans` the engineers of each rotation in the order of
    time; `members` everybody on a roster or on call.
    """

    days: Mapping[tuple[Person, dt.date], OnCallDay]
    spans: list[tuple[Rotation, list[OnCallSpan]]]
    members: frozenset[Person]


def on_call_calendar(days: list[dt.date], *, rotations: Iterable[Rotation], zone: dt.tzinfo) -> OnCallCalendar:
    """Return who is on call in these rotations on consecutive dates, which count in `zone`; runs one statement."""
    rotations = list(rotations)
    starts = [dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in [*days, days[-1] + DAY]]
    schedules = load_schedules(rotations, starts_at=starts[0], ends_at=starts[-1], owners=()).rotations
    on_call: dict[tuple[Person, dt.date], OnCallDay] = {}
    spans: list[tuple[Rotation, list[OnCallSpan]]] = []
    members: set[Person] = set()
    for rotation in rotations:
        schedule = schedules[rotation.pk]
        for place, day in enumerate(days):
            for engineer, away in _on_call(schedule, starts[place], starts[place + 1]).items():
                row = on_call.setdefault((engineer, day), OnCallDay())
                row.rotations.append(rotation)
                row.away = row.away or away
        noons = [schedule.on_call_at(start + NOON) for start in starts[:-1]]
        spans.append((rotation, [OnCallSpan(key, len(list(run))) for key, run in groupby(noons)]))
        members |= {engineer for week in schedule.weeks for engineer in schedule.roster(week)}
    members |= {engineer for engineer, _ in on_call}
    return OnCallCalendar(on_call, spans, frozenset(members))


def _on_call(schedule: RotationSchedule, starts_at: dt.datetime, ends_at: dt.datetime) -> dict[Person, bool]:
    """Return who is on call between two instants, each with whether they are away then."""
    instants = [starts_at, *(edge for edge in schedule.boundaries if starts_at < edge < ends_at)]
    engineers = {engineer for at in instants if (engineer := schedule.on_call_at(at)) is not None}
    return {
        engineer: any(
            schedule.on_call_at(at) == engineer and schedule.availability.why_unavailable(engineer, at=at)
            for at in [*instants, *schedule.availability.edges(engineer, after=starts_at, before=ends_at)]
        )
        for engineer in engineers
    }


def gaps_between(*, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[CoverageGap]:
    """Return the stored coverage gaps that overlap a period, with their pipelines."""
    rows = CoverageGap.objects.overlapping(starts_at=starts_at, ends_at=ends_at)
    return rows.select_related("pipeline").order_by("starts_at", "pipeline")
