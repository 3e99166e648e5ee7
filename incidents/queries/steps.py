"""Statistics of runbook steps: how often each was done and fixed an incident, and how long it took."""

import datetime as dt
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from incidents.models import RunStep
from runbooks.domain.steps import runbook_steps
from runbooks.models import Runbook
from runbooks.queries import revision_html

MAX_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class StepStatistic:
    """A step of the current revision, by its number, over all runs that had it: how often it was done and fixed the incident.

    `duration` is the median time since the step done before it, or since the start of the run. `time_to_resolve` is the median
    time from the opening to the resolution of the incidents that it fixed.
    """

    position: int
    text: str
    runs: int
    done: int
    fixed: int
    duration: dt.timedelta | None
    time_to_resolve: dt.timedelta | None

    @property
    def seconds(self) -> float | None:
        return self.duration.total_seconds() if self.duration is not None else None

    @property
    def seconds_to_resolve(self) -> float | None:
        return self.time_to_resolve.total_seconds() if self.time_to_resolve is not None else None


def step_statistics(runbook: Runbook, *, only_ended: bool = False) -> list[StepStatistic]:
    """Return a statistic for each step of a runbook's current revision, in order, in two queries; equal text means the same step.

    With `only_ended`, runs in progress do not count.
    """
    fields = (
        "run",
        "text",
        "done_at",
        "fixed_incident",
        "run__started_at",
        "run__incident__opened_at",
        "run__ended_at",
    )
    steps = RunStep.objects.filter(run__runbook=runbook)
    if only_ended:
        steps = steps.exclude(run__ended_at=None)
    rows = steps.order_by("run", "done_at", "position").values(*fields)
    timed = [step for _, run in groupby(rows, key=lambda row: row["run"]) for step in _timed(run)]
    return [
        _statistic(number, step.text, [row for row in timed if row["text"] == step.text])
        for number, step in enumerate(runbook_steps(revision_html(runbook, number=runbook.revision)), start=1)
    ]


def suggested_steps(runbook: Runbook) -> list[StepStatistic]:
    """Return the steps that fixed incidents, by the share of earlier incidents fixed, quickest first if equal."""
    fixing = [step for step in step_statistics(runbook, only_ended=True) if step.fixed]
    fixing.sort(key=lambda step: (-step.fixed / step.runs, step.duration or dt.timedelta.max))
    return fixing[:MAX_SUGGESTIONS]


def _timed(steps: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a run's steps with the time since the step done before, None for steps not done."""
    previous: dt.datetime | None = None
    for step in steps:
        done = step["done_at"]
        start = previous or step["run__started_at"]
        yield {**step, "duration": done - start if done else None}
        previous = done or previous


def _statistic(position: int, text: str, rows: list[dict[str, Any]]) -> StepStatistic:
    fixed = [row for row in rows if row["fixed_incident"]]
    return StepStatistic(
        position=position,
        text=text,
        runs=len(rows),
        done=sum(row["done_at"] is not None for row in rows),
        fixed=len(fixed),
        duration=_median([row["duration"] for row in rows if row["duration"] is not None]),
        time_to_resolve=_median([row["run__ended_at"] - row["run__incident__opened_at"] for row in fixed]),
    )


def _median(durations: list[dt.timedelta]) -> dt.timedelta | None:
    return (
        dt.timedelta(seconds=statistics.median(duration.total_seconds() for duration in durations))
        if durations
        else None
    )
