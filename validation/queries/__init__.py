"""Reads of checks and their results, a file for each noun."""

from validation.queries.checks import (
    Progress,
    alerting_checks,
    checks,
    checks_worst_first,
    events_of,
    known_events,
    metric_named,
    metrics,
    metrics_with_newest,
    points_of,
    progress_of,
    results_of,
    runs_reported,
    sources,
    status_of_pipelines,
)
from validation.queries.external import external_checks, failing_external_checks
from validation.queries.facts import at_bucket, facts_between, facts_of, shape_of
from validation.queries.plots import Shown, backtest_facts, shown_of

__all__ = [
    "Progress",
    "Shown",
    "alerting_checks",
    "at_bucket",
    "backtest_facts",
    "checks",
    "checks_worst_first",
    "events_of",
    "external_checks",
    "facts_between",
    "facts_of",
    "failing_external_checks",
    "known_events",
    "metric_named",
    "metrics",
    "metrics_with_newest",
    "points_of",
    "progress_of",
    "results_of",
    "runs_reported",
    "shape_of",
    "shown_of",
    "sources",
    "status_of_pipelines",
]
