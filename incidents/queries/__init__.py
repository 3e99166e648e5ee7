"""Reads about incidents, a file for each noun."""

from incidents.queries.chains import ChainLink, chain_of
from incidents.queries.incidents import (
    alerts,
    all_incidents,
    incidents_to_run,
    latest_of,
    open_counts,
    open_incidents,
    running,
    runs_of,
    timeline_of,
)
from incidents.queries.reports import MonthReport, month_reports, months_between, pipeline_reports
from incidents.queries.statuses import PipelineStatus, statuses
from incidents.queries.steps import StepStatistic, step_statistics

__all__ = [
    "ChainLink",
    "MonthReport",
    "PipelineStatus",
    "StepStatistic",
    "alerts",
    "all_incidents",
    "chain_of",
    "incidents_to_run",
    "latest_of",
    "month_reports",
    "months_between",
    "open_counts",
    "open_incidents",
    "pipeline_reports",
    "running",
    "runs_of",
    "statuses",
    "step_statistics",
    "timeline_of",
]
