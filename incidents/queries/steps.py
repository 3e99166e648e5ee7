"""What running a runbook has shown: how often each step ended an incident, and how long it took."""

import datetime as dt
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from incidents.domain.steps import steps_of
from incidents.models import RunStep
from runbooks.models import Runbook
from runbooks.queries import markdown_of


@dataclass(frozen=True, slots=True)
class StepStatistic:
    """A step of the text in force, over all runs that had it: how often it was done and ended the incident.

    `took` is the median time from the tick before it, or from the start of the run; `over_after` the median time from the
    opening of the incidents that it ended to their end.
    """

    text: str
    runs: int
    done: int
    ended: int
    took: dt.timedelta | None
    over_after: dt.timedelta | None


def step_statistics(runbook: Runbook) -> list[StepStatistic]:
    """Return a statistic for each step of a runbook's text in force, in order, in two statements; steps are the same by their words."""
    fields = (
        "run",
        "text",
        "done_at",
        "ended_incident",
        "run__started_at",
        "run__incident__opened_at",
        "run__ended_at",
    )
    rows = RunStep.objects.filter(run__runbook=runbook).order_by("run", "done_at", "position").values(*fields)
    timed = [one for _, steps in groupby(rows, key=lambda row: row["run"]) for one in _timed(steps)]
    return [
        _statistic(text, [row for row in timed if row["text"] == text])
        for text in steps_of(markdown_of(runbook, number=runbook.revision))
    ]


def _timed(steps: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a run's steps, each that was done with how long it took since the one done before it."""
    before: dt.datetime | None = None
    for step in steps:
        done = step["done_at"]
        began = before or step["run__started_at"]
        yield {**step, "took": done - began if done else None}
        before = done or before


def _statistic(text: str, rows: list[dict[str, Any]]) -> StepStatistic:
    ended = [row for row in rows if row["ended_incident"]]
    return StepStatistic(
        text=text,
        runs=len(rows),
        done=sum(row["done_at"] is not None for row in rows),
        ended=len(ended),
        took=_median([row["took"] for row in rows if row["took"] is not None]),
        over_after=_median([row["run__ended_at"] - row["run__incident__opened_at"] for row in ended]),
    )


def _median(spans: list[dt.timedelta]) -> dt.timedelta | None:
    return dt.timedelta(seconds=statistics.median(one.total_seconds() for one in spans)) if spans else None
