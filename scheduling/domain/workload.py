"""How evenly the rotation weighs on its engineers (product.md §2: shown, not assumed)."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scheduling.domain.responder_chain import RotationSchedule

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Workload:
    """What one engineer carries in a window: weeks held, and weekend days and public holidays on call."""

    weeks: int = 0
    weekend_days: int = 0
    public_holidays: int = 0


def workloads(
    world: RotationSchedule,
    *,
    noons: Iterable[dt.datetime],
    zones: Mapping[int, dt.tzinfo],
    public_holidays: Mapping[int, frozenset[dt.date]],
) -> dict[int, Workload]:
    """Return each engineer's share of a rotation over the days whose noons are given, covers counted to who took over.

    A day is an engineer's where they are on call at its noon; whether it is a weekend or a public holiday is told by the date
    in the engineer's own zone. A week is counted to who holds it, where one of its days is among those given.
    """
    weeks: dict[int, set[dt.date]] = {}
    weekends: dict[int, int] = {}
    holidays: dict[int, int] = {}
    for noon in noons:
        week, engineer = world.week_at(noon), world.on_call_at(noon)
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
