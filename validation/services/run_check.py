"""Request, claim and run checks, and save their results. A check has at most one run at a time."""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q

from common.db import lock_rows
from common.exceptions import DomainError
from common.formatting import format_value
from validation.domain.buckets import next_run
from validation.domain.check_type import Evaluation, evaluate
from validation.domain.parameters import InvalidParametersError
from validation.domain.results import CheckOutcome, Confirmation, ResultStatus, SeriesState, is_confirmed
from validation.models import Check, CheckResult, PendingReevaluation, Severity
from validation.notifications import notify_check_error
from validation.queries.evaluation_context import build_context
from validation.services.detector_states import save_states
from validation.services.pull import Budget, read_for, read_rows
from validation.warehouse_subprocess import QueryFailedError, Row

log = logging.getLogger(__name__)

# How long a claimed check may wait for a worker. The lease of a run is longer than the task's hard time limit; see
# docs/reliability.md.
QUEUE_LEASE = dt.timedelta(minutes=10)
RUN_LEASE = dt.timedelta(seconds=150)
RUN_SECONDS, PREVIEW_SECONDS = 95.0, 10.0
# A data source is slow if this many runs have waited on it for this long. Further runs are released, so that other
# checks get a worker.
MIN_SLOW_RUN = dt.timedelta(seconds=3)
MAX_SLOW_RUNS = 2
MAX_REEVALUATIONS = 60
# Enough results to confirm N of M even if many say nothing about the data.
CONFIRMATION_WINDOW = 100
MAX_MESSAGE_LENGTH, MAX_SEGMENT_MESSAGE_LENGTH, MAX_EXPECTED_LENGTH = 2000, 300, 120
EVALUATION_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError)

# The rows of `CheckQuerySet.due`.
CLAIM_SQL = """
WITH due AS (
  SELECT id FROM validation_check
  WHERE is_active AND next_due_at <= %(at)s AND (lease_until IS NULL OR lease_until <= %(at)s)
  ORDER BY next_due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE validation_check SET claim = gen_random_uuid(), lease_until = %(until)s, running_since = NULL
FROM due WHERE validation_check.id = due.id
RETURNING validation_check.id, claim
"""


@dataclass(frozen=True, slots=True)
class ClaimedCheck:
    """A check that a worker is to run, by ID, and its claim."""

    check: int
    claim: uuid.UUID


def claim_due_checks(*, at: dt.datetime, limit: int = 1000) -> list[ClaimedCheck]:
    """Claim the checks that are due, longest waiting first. Concurrent sweeps never claim the same check."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, {"at": at, "until": at + QUEUE_LEASE, "limit": limit})
        return [ClaimedCheck(check, claim) for check, claim in cursor.fetchall()]


def request_run(check: Check, *, at: dt.datetime) -> Check:
    """Run a check as soon as a worker is free; raise DomainError if it is disabled."""
    updated = Check.objects.filter(pk=check.pk, is_active=True).update(requested_at=at, next_due_at=at)
    if not updated:
        raise DomainError("This check is disabled. Enable it first.")
    check.requested_at = check.next_due_at = at
    return check


def run_check(claimed: ClaimedCheck, *, at: dt.datetime) -> CheckResult | None:
    """Run a claimed check; return its result, or None if the claim no longer holds or the data source is slow.

    A claim is good for one run, and a run that ends after its lease saves nothing.
    """
    claim = uuid.uuid4()
    updated = Check.objects.filter(pk=claimed.check, claim=claimed.claim).update(
        claim=claim, lease_until=at + RUN_LEASE, running_since=at
    )
    if not updated:
        return None
    check = Check.objects.select_related("pipeline", "metric__source", "other_metric__source", "source").get(
        pk=claimed.check
    )
    if _has_slow_source(check, at=at):
        # The check stays due, and another check gets the worker.
        Check.objects.filter(pk=check.pk, claim=claim).update(claim=None, lease_until=None, running_since=None)
        return None
    start = time.monotonic()
    is_manual = check.requested_at is not None
    budget = Budget(RUN_SECONDS)
    read = partial(read_for, check, at=at, budget=budget, force=is_manual)
    evaluation, bucket = _evaluate(check, at=at, read=read, states=[])
    is_error = evaluation.outcome.status == ResultStatus.ERROR
    again = [] if is_error else _evaluate_again(check, at=at, states=evaluation.states)
    finished_at = at + dt.timedelta(seconds=time.monotonic() - start)
    trigger = CheckResult.Trigger.MANUAL if is_manual else CheckResult.Trigger.SCHEDULE
    result = _result(check, evaluation, bucket=bucket, trigger=trigger, started_at=at, finished_at=finished_at)
    backfilled = [
        _result(
            check,
            earlier,
            bucket=earlier_bucket,
            trigger=CheckResult.Trigger.BACKFILL,
            started_at=at,
            finished_at=finished_at,
        )
        for earlier_bucket, earlier in again
        if earlier_bucket != bucket
    ]
    return _save(
        check,
        claim=claim,
        result=result,
        backfilled=backfilled,
        buckets=[earlier_bucket for earlier_bucket, _ in again],
        states=evaluation.states,
    )


@dataclass(frozen=True, slots=True)
class CheckPreview:
    """The result that a check would have now: its status, its value in words, and the day or hour that it would evaluate."""

    status: str
    message: str
    details: str
    value: str
    bucket_time: dt.date | dt.datetime | None
    expected: str


def preview_check(check: Check, *, at: dt.datetime) -> CheckPreview:
    """Return the result that a check, saved or not, would have now.

    Its own query runs for at most ten seconds. Stores nothing, and pulls no metric.
    """
    evaluation, bucket = _evaluate(check, at=at, read=lambda: read_rows(check, budget=Budget(PREVIEW_SECONDS)))
    result = _result(
        check, evaluation, bucket=bucket, trigger=CheckResult.Trigger.MANUAL, started_at=at, finished_at=at
    )
    return CheckPreview(
        status=result.status,
        message=result.message,
        details=result.details,
        value="" if result.value is None else format_value(result.value, unit=check.value_unit),
        bucket_time=result.bucket_time,
        expected=result.expected,
    )


def _has_slow_source(check: Check, *, at: dt.datetime) -> bool:
    """Return True if several other runs have been waiting on a data source of the check."""
    metrics = [metric for metric in (check.metric, check.other_metric) if metric is not None]
    sources = {source for source in (check.source_id, *(metric.source_id for metric in metrics)) if source}
    if not sources:
        return False
    waiting = (
        Check.objects.filter(lease_until__gt=at, running_since__lte=at - MIN_SLOW_RUN)
        .filter(Q(source__in=sources) | Q(metric__source__in=sources) | Q(other_metric__source__in=sources))
        .exclude(pk=check.pk)
    )
    return waiting.count() >= MAX_SLOW_RUNS


def _evaluate(
    check: Check, *, at: dt.datetime, read: Callable[[], list[Row]], states: list[SeriesState] | None = None
) -> tuple[Evaluation, dt.datetime | None]:
    """Return the evaluation of the newest due bucket, and that bucket. A check that breaks is an error, never a pass."""
    try:
        return _evaluate_bucket(check, at=at, rows=read(), states=states)
    except QueryFailedError as error:
        return _error(error.message, error.details), None
    except InvalidParametersError as error:
        return _error(f"Invalid parameters. {error}"), None
    except OverflowError:
        log.exception("Check %s cannot be evaluated", check.pk)
        return _error("The values are too large to evaluate."), None
    except EVALUATION_ERRORS:
        log.exception("Check %s cannot be evaluated", check.pk)
        return _error("The check cannot be evaluated with these parameters and data."), None


def _error(message: str, details: str = "") -> Evaluation:
    return Evaluation(CheckOutcome(ResultStatus.ERROR, message, details=details), {})


def _evaluate_bucket(
    check: Check,
    *,
    at: dt.datetime,
    rows: list[Row],
    bucket: dt.datetime | None = None,
    states: list[SeriesState] | None = None,
) -> tuple[Evaluation, dt.datetime | None]:
    parameters = check.type.load(check.parameters)
    context = build_context(check, parameters=parameters, at=at, bucket=bucket, rows=rows, states=states)
    evaluation = evaluate(check.type, parameters=parameters, context=context)
    return evaluation, context.bucket if check.has_backtest else None


def _evaluate_again(
    check: Check, *, at: dt.datetime, states: list[SeriesState]
) -> list[tuple[dt.datetime, Evaluation]]:
    """Return the evaluations of buckets with late or changed data, oldest first; each continues from the previous one."""
    pending = PendingReevaluation.objects.filter(parent_check=check).order_by("bucket").values_list("bucket", flat=True)
    evaluations = []
    for bucket in pending[:MAX_REEVALUATIONS]:
        try:
            evaluation, _ = _evaluate_bucket(check, at=at, rows=[], bucket=bucket, states=states)
            evaluations.append((bucket, evaluation))
            states = [*states, *evaluation.states]
        except EVALUATION_ERRORS:
            log.exception("Check %s cannot be evaluated again for %s", check.pk, bucket)
    return evaluations


def _result(
    check: Check,
    evaluation: Evaluation,
    *,
    bucket: dt.datetime | None,
    trigger: str,
    started_at: dt.datetime,
    finished_at: dt.datetime,
) -> CheckResult:
    outcome = evaluation.outcome
    status = outcome.status
    if status == ResultStatus.FAIL and check.severity == Severity.WARN:
        status = ResultStatus.WARN
    return CheckResult(
        parent_check=check,
        status=str(status),
        value=outcome.value,
        low=outcome.low,
        high=outcome.high,
        message=outcome.message[:MAX_MESSAGE_LENGTH],
        details=outcome.details[:MAX_MESSAGE_LENGTH],
        bucket=bucket,
        expected=evaluation.expected[:MAX_EXPECTED_LENGTH],
        trigger=trigger,
        segments=[
            {
                "segment": name,
                "status": str(segment.status),
                "value": segment.value,
                "message": segment.message[:MAX_SEGMENT_MESSAGE_LENGTH],
            }
            for name, segment in evaluation.segments.items()
        ],
        started_at=started_at,
        finished_at=finished_at,
    )


@transaction.atomic
def _save(
    check: Check,
    *,
    claim: uuid.UUID,
    result: CheckResult,
    backfilled: list[CheckResult],
    buckets: list[dt.datetime],
    states: list[SeriesState],
) -> CheckResult | None:
    """Save the results of a run and release the check; return None if another run has claimed it."""
    row = lock_rows(Check.objects.select_related("metric").filter(pk=check.pk, claim=claim)).first()
    if row is None:
        return None
    previous_status = row.last_status
    for earlier in backfilled:
        earlier.save(force_insert=True)
    result.save(force_insert=True)
    PendingReevaluation.objects.filter(parent_check=row, bucket__in=buckets).delete()
    save_states(row, states=states)
    _update_state(row, result)
    row.claim = row.lease_until = row.running_since = None
    row.last_run_at = result.started_at
    if row.requested_at is not None and row.requested_at <= result.started_at:
        row.requested_at = None
    is_waiting = row.requested_at is not None or PendingReevaluation.objects.filter(parent_check=row).exists()
    row.next_due_at = result.finished_at if is_waiting else _due_after(row, at=result.finished_at)
    row.save()
    if row.last_status == ResultStatus.ERROR and previous_status != ResultStatus.ERROR:
        notify_check_error(row, result)
    return result


def _due_after(check: Check, *, at: dt.datetime) -> dt.datetime:
    """Return when a check that ran at `at` is due next."""
    interval = dt.timedelta(minutes=check.interval_minutes) if check.interval_minutes else None
    zone = ZoneInfo(check.zone_name)
    return next_run(at, interval=interval, cron=check.cron, zone=zone, was_due=check.next_due_at)


def _update_state(row: Check, result: CheckResult) -> None:
    """Set a check's state from its newest result, and start or end its alert.

    Results of backfilled buckets are part of the history, but never start or end an alert.
    """
    row.last_status, row.last_message = result.status, result.message
    row.last_value, row.last_expected, row.last_bucket = result.value, result.expected, result.bucket
    at = result.finished_at
    if result.counts_as == ResultStatus.PASS:
        if row.alerting_since is not None:
            row.alerting_since, row.alert_ended_at = None, at
        return
    if result.counts_as != ResultStatus.FAIL or row.alerting_since is not None or _is_silenced(row, at=at):
        return
    recent = CheckResult.objects.filter(parent_check=row).exclude(trigger=CheckResult.Trigger.BACKFILL)
    newest_first = recent.only("status", "expected").order_by("-started_at", "-pk")[:CONFIRMATION_WINDOW]
    statuses = [earlier.counts_as for earlier in newest_first]
    if is_confirmed(statuses, confirmation=Confirmation(row.confirm, row.confirm_of)):
        row.alerting_since = at


def _is_silenced(row: Check, *, at: dt.datetime) -> bool:
    """Return True if no alert may start: the check is muted or in its cooldown."""
    if row.muted_until is not None and row.muted_until > at:
        return True
    cooldown = dt.timedelta(minutes=row.cooldown_minutes)
    return row.alert_ended_at is not None and at < row.alert_ended_at + cooldown
