"""Explanations of why a check alerted, or did not, on a past day."""

import datetime as dt
from collections.abc import Sequence

from validation.models import Check
from validation.queries.evaluation_context import build_context, check_granularity, newest_due


def explain_day(check: Check, *, day: dt.date, at: dt.datetime) -> Sequence[tuple[str, str]]:
    """Return a check's forecast and result of a day as labels and texts, or nothing if the day is not due.

    For an hourly metric, the day is its newest due hour. The check's current settings apply.
    """
    parameters = check.type.load_draft(check.parameters)
    if not can_explain_days(check) or parameters is None:
        return []
    newest = newest_due(check, at=at)
    hour = newest.hour if check_granularity(check).step < dt.timedelta(days=1) else 0
    bucket = dt.datetime.combine(day, dt.time(hour), dt.UTC)
    if bucket > newest:
        return []
    context = build_context(check, parameters=parameters, at=at, bucket=bucket, states=[])
    return check.type.explain(parameters, context)


def can_explain_days(check: Check) -> bool:
    """Return True if the check's page explains past days: not if the check evaluates each segment of a metric."""
    parameters = check.type.load_draft(check.parameters)
    return check.type.explains_days and check.metric is not None and not check.type.is_by_segment(parameters)
