"""Run deadline: the pipeline's run is reported by a local time of day."""

import datetime as dt
from dataclasses import dataclass

from common.formatting import format_duration, format_instant
from validation.domain.check_type import CheckType
from validation.domain.parameters import Parameters, minutes, time_of_day, weekdays
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

# Two weeks cover every weekday twice, plus today.
DAYS_SEARCHED = 15


@dataclass(frozen=True, kw_only=True)
class RunDeadlineParameters(Parameters):
    """The deadline of a run, and the weekdays on which one is due."""

    by: dt.time = time_of_day(
        "Deadline",
        "Time by which a run must be reported, in the metric’s time zone; UTC without a metric.",
        default=dt.time(6),
    )
    weekdays: tuple[int, ...] = weekdays("Weekdays", "Days on which a run is due.")
    warn_minutes_before: int = minutes(
        "Warn before the deadline", "Warn this long before the deadline, such as 30 min.", default=0, least=0, most=1440
    )


class RunDeadline(CheckType[RunDeadlineParameters]):
    """Evaluate whether today's run was reported by the deadline; before the deadline, evaluate the last due day."""

    name = "run_deadline"
    label = "Run deadline"
    summary = "a run was reported by a local time on the given weekdays"
    failure = "Late run"
    parameters_class = RunDeadlineParameters
    needs_metric = False
    is_about_absence = True
    is_per_bucket = False
    needs_runs = True

    def unit(self, parameters: RunDeadlineParameters | None, *, metric_unit: str) -> str:
        """Return minutes."""
        return "min"

    def evaluate(self, parameters: RunDeadlineParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the last due day."""
        day = context.at.astimezone(context.zone).date()
        warning = dt.timedelta(minutes=parameters.warn_minutes_before)
        for _ in range(DAYS_SEARCHED):
            deadline = dt.datetime.combine(day, parameters.by, context.zone)
            is_due = day.weekday() in parameters.weekdays and day not in context.off_days
            if is_due and context.at >= deadline - warning:
                return _compare_with_deadline(context, deadline)
            day -= dt.timedelta(days=1)
        return CheckOutcome(ResultStatus.SKIP, "No run was due in the last two weeks.")


def _compare_with_deadline(context: EvaluationContext, deadline: dt.datetime) -> CheckOutcome:
    midnight = deadline.replace(hour=0, minute=0)
    finished = min((run for run in context.runs if midnight <= run <= context.at), default=None)
    due = f"due {format_instant(deadline, context.zone, brief=True)}"
    failed = max((run for run in context.failed_runs if midnight <= run <= context.at), default=None)
    failure = f"Run failed at {failed.astimezone(context.zone):%H:%M} ({due})." if failed else ""
    if finished is None and context.at < deadline:
        return CheckOutcome(ResultStatus.WARN, failure or f"Run not finished yet ({due}).")
    minutes = ((finished or context.at) - deadline).total_seconds() / 60
    if finished is None:
        message = failure or f"No finished run reported ({due})."
        return CheckOutcome(ResultStatus.FAIL, message, minutes, None, 0.0)
    message = f"Run finished at {finished.astimezone(context.zone):%H:%M}"
    if finished <= deadline:
        return CheckOutcome(ResultStatus.PASS, f"{message} ({due}).")
    late = format_duration(finished - deadline)
    return CheckOutcome(ResultStatus.WARN, f"{message}, {late} late ({due}).", minutes, None, 0.0)
