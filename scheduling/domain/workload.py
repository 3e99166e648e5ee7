"""Workload of each engineer in a rotation."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from people.domain.person import Person
from scheduling.domain.responder_chain import RotationSchedule

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Workload:
    """The number of weeks, weekend days and public holidays that an engineer is on call."""

    weeks: int = 0
    weekend_days: int = 0
    public_holidays: int = 0


def workloads(
    schedule: RotationSchedule,
    *,
    noons: Iterable[dt.datetime],
    zones: Mapping[Person, dt.tzinfo],
    public_holidays: Mapping[Person, frozenset[dt.date]],
) -> dict[Person, Workload]:
    """Return each engineer's workload in a rotation over the days of these noons.

    A day counts for the engineer on call at its noon, so a covered day counts for the covering engineer. The date in the
    engineer's time zone decides if it is a weekend day or a public holiday. A week counts for its engineer if it includes
    one of the noons.
    """
    weeks: dict[Person, set[dt.date]] = {}
    weekends: dict[Person, int] = {}
    holidays: dict[Person, int] = {}
    for noon in noons:
        week, engineer = schedule.week_at(noon), schedule.on_call_at(noon)
        if week is None or engineer is None:
            continue
        weeks.setdefault(week.engineer, set()).add(week.starts_on)
        day = noon.astimezone(zones.get(engineer, dt.UTC)).date()
        if day.weekday() >= SATURDAY:
            weekends[engineer] = weekends.get(engineer, 0) + 1
        if day in public_holidays.get(engineer, ()):
            holidays[engineer] = holidays.get(engineer, 0) + 1
    return {
        engineer: Workload(len(weeks.get(engineer, ())), weekends.get(engineer, 0), holidays.get(engineer, 0))
        for engineer in weeks.keys() | weekends.keys() | holidays.keys()
    }
