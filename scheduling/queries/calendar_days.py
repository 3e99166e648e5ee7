"""Who is on call on each day of a calendar, and its coverage gaps."""

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import QuerySet

from people.domain.person import Person
from scheduling.domain.responder_chain import RotationSchedule
from scheduling.loaders import load_schedules
from scheduling.models import CoverageGap, Rotation

DAY = dt.timedelta(days=1)


@dataclass(slots=True)
class OnCallDay:
    """A day on which an engineer is on call: in which rotations, and whether they are away meanwhile."""

    rotations: list[Rotation] = field(default_factory=list)
    away: bool = False


def on_call_days(days: list[dt.date], *, zone: dt.tzinfo) -> dict[tuple[Person, dt.date], OnCallDay]:
    """Return the on-call days of all engineers, by engineer and date. The dates are consecutive and count in `zone`."""
    starts = [dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in [*days, days[-1] + DAY]]
    rotations = list(Rotation.objects.order_by("pk"))
    schedules = load_schedules(rotations, starts_at=starts[0], ends_at=starts[-1], owners=()).rotations
    on_call: dict[tuple[Person, dt.date], OnCallDay] = {}
    for rotation in rotations:
        for place, day in enumerate(days):
            for engineer, away in _on_call(schedules[rotation.pk], starts[place], starts[place + 1]).items():
                row = on_call.setdefault((engineer, day), OnCallDay())
                row.rotations.append(rotation)
                row.away = row.away or away
    return on_call


def _on_call(schedule: RotationSchedule, starts_at: dt.datetime, ends_at: dt.datetime) -> dict[Person, bool]:
    """Return who is on call between two instants, each with whether they are away meanwhile."""
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
