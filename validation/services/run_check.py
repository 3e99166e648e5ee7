"""Request, claim and run checks, and save their results. A check has at most one run at a time."""

import datetime as dt
import logging
import time
import uuid
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from common.exceptions import DomainError
from validation.domain.confirmation import Confirmation, confirmed
from validation.domain.evaluation import ABSENCE_TYPES, Evaluation, evaluate
from validation.domain.results import CheckOutcome, ResultStatus
from validation.models import Check, CheckResult, PendingReevaluation, Severity
from validation.notifications import notify_check_error
from validation.queries.evaluation_context import build_context
from validation.services.definitions import due_after
from validation.services.pull import Budget, read_for
from validation.warehouse_subprocess import QueryFailedError, Row

log = logging.getLogger(__name__)

# How long a claimed check may wait for a worker. The lease of a run is longer than the task's hard time limit; see
# docs/reliability.md.
# docs/reliability.md.
QUEUED = dt.timedelta(minutes=10)
RUNNING = dt.timedelta(seconds=150)
RUN_SECONDS = 95.0
# A data source is slow if this many runs have waited on it for this long. Further runs are released, so that other
# checks get a worker.
SLOW_AFTER = dt.timedelta(seconds=3)
SLOW_RUNS = 2
MOST_REJUDGED = 60
LOOKED_AT = 100

CLAIM = """
WITH due AS (
  SELECT id FROM validation_check
  WHERE is_active AND next_due_at <= %(at)s AND (lease_until IS NULL OR lease_until <= %(at)s)
  ORDER BY next_due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE validation_check SET claim = gen_random_uuid(), lease_until = %(until)s, running_since = NULL
FROM due WHERE validation_check.id = due.id
RETURNING validation_check.id, claim
"""


@dataclass(frozen=True, slots=True)
class ClaimedCheck:
    """A check that a worker is to run, and the claim it does so with."""

    check: int
    claim: uuid.UUID


def claim_due_checks(*, at: dt.datetime, most: int = 1000) -> list[ClaimedCheck]:
    """Claim the checks that are due, those that waited longest first; of sweeps at the same time each gets its own."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"at": at, "until": at + QUEUED, "most": most})
        return [ClaimedCheck(check, claim) for check, claim in cursor.fetchall()]


def request_run(check: Check, *, at: dt.datetime) -> Check:
    """Let a check run as soon as a worker is free; raise Refused for one that is switched off."""
    asked = Check.objects.filter(pk=check.pk, is_active=True).update(requested_at=at, next_due_at=at)
    if not asked:
        raise DomainError("Switch the check on first: it is not complete.")
    check.requested_at = check.next_due_at = at
    return check


def run_check(handed: ClaimedCheck, *, at: dt.datetime) -> CheckResult | None:
    """Run a check that was handed out; return its result, None where the claim no longer holds or the source is slow.

    Rows are the truth: a claim is good for one run, and a run that ends after its lease writes nothing.
    """
    claim = uuid.uuid4()
    began = Check.objects.filter(pk=handed.check, claim=handed.claim).update(
        claim=claim, lease_until=at + RUNNING, running_since=at
    )
    if not began:
        return None
    check = Check.objects.select_related("pipeline", "metric__source", "other_metric__source", "source").get(
        pk=handed.check
    )
    if _give_back(check, claim=claim, at=at):
        return None
    start = time.monotonic()
    person = check.requested_at is not None
    judgement, bucket = _judged(check, at=at, force=person)
    again = _judged_again(check, at=at) if judgement.verdict.outcome != ResultStatus.ERROR else []
    finished = at + dt.timedelta(seconds=time.monotonic() - start)
    because = CheckResult.Because.PERSON if person else CheckResult.Because.TIMETABLE
    result = _result(check, judgement, bucket=bucket, because=because, started_at=at, finished_at=finished)
    late = [
        _result(check, one, bucket=of, because=CheckResult.Because.BACKFILL, started_at=at, finished_at=finished)
        for of, one in again
        if of != bucket
    ]
    return _write_down(check, claim=claim, result=result, late=late, again=[of for of, _ in again])


def _give_back(check: Check, *, claim: uuid.UUID, at: dt.datetime) -> bool:
    """Give a run back where its source is slow: its check stays due, and another takes the worker."""
    sources = {one for one in (check.source_id, *_metric_sources(check)) if one}
    if not sources:
        return False
    waiting = (
        Check.objects.filter(lease_until__gt=at, running_since__lte=at - SLOW_AFTER)
        .filter(Q(source__in=sources) | Q(metric__source__in=sources) | Q(other_metric__source__in=sources))
        .exclude(pk=check.pk)
    )
    if waiting.count() < SLOW_RUNS:
        return False
    Check.objects.filter(pk=check.pk, claim=claim).update(claim=None, lease_until=None, running_since=None)
    return True


def _metric_sources(check: Check) -> list[int | None]:
    return [metric.source_id for metric in (check.metric, check.other_metric) if metric is not None]


def _judged(check: Check, *, at: dt.datetime, force: bool) -> tuple[Evaluation, dt.datetime | None]:
    """Return what a check says of the newest settled bucket, and that bucket; what breaks is an error, never a pass."""
    try:
        rows = read_for(check, at=at, budget=Budget(RUN_SECONDS), force=force)
        return _judgement(check, at=at, rows=rows)
    except QueryFailedError as failed:
        return Evaluation(CheckOutcome(ResultStatus.ERROR, str(failed)), {}), None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        log.exception("Check %s cannot be judged", check.pk)
        said = (
            f"The check cannot be judged: {type(error).__name__}. Its parameters or data are not what it is made for."
        )
        return Evaluation(CheckOutcome(ResultStatus.ERROR, said), {}), None


def _judgement(
    check: Check, *, at: dt.datetime, rows: list[Row], bucket: dt.datetime | None = None
) -> tuple[Evaluation, dt.datetime | None]:
    facts = build_context(check, at=at, bucket=bucket, rows=rows)
    said = evaluate(check.check_type, parameters=check.parameters, facts=facts)
    return said, None if check.check_type in ABSENCE_TYPES else facts.bucket


def _judged_again(check: Check, *, at: dt.datetime) -> list[tuple[dt.datetime, Evaluation]]:
    """Return what a check says now of buckets whose data came late or changed, oldest first."""
    buckets = PendingReevaluation.objects.filter(of=check).order_by("bucket").values_list("bucket", flat=True)
    found = []
    for bucket in buckets[:MOST_REJUDGED]:
        try:
            found.append((bucket, _judgement(check, at=at, rows=[], bucket=bucket)[0]))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            log.exception("Check %s cannot judge %s again", check.pk, bucket)
    return found


def _result(
    check: Check,
    judgement: Evaluation,
    *,
    bucket: dt.datetime | None,
    because: str,
    started_at: dt.datetime,
    finished_at: dt.datetime,
) -> CheckResult:
    verdict = judgement.verdict
    status = verdict.outcome
    if status == ResultStatus.FAIL and check.severity == Severity.WARN:
        status = ResultStatus.WARN
    return CheckResult(
        of=check,
        status=str(status),
        value=verdict.value,
        low=verdict.low,
        high=verdict.high,
        message=verdict.message[:2000],
        bucket=bucket,
        expected=judgement.expected[:120],
        because=because,
        segments=[
            {"segment": name, "status": str(one.outcome), "value": one.value, "message": one.message[:300]}
            for name, one in judgement.segments.items()
        ],
        started_at=started_at,
        finished_at=finished_at,
    )


@transaction.atomic
def _write_down(
    check: Check, *, claim: uuid.UUID, result: CheckResult, late: list[CheckResult], again: list[dt.datetime]
) -> CheckResult | None:
    """Write down what a run said and let its check go, if it still has it; None where another run has."""
    row = (
        Check.objects.select_for_update(of=("self",)).select_related("metric").filter(pk=check.pk, claim=claim).first()
    )
    if row is None:
        return None
    known = row.last_status
    for one in late:
        one.save(force_insert=True)
    result.save(force_insert=True)
    PendingReevaluation.objects.filter(of=row, bucket__in=again).delete()
    _follow(row, result, late=late)
    row.claim = row.lease_until = row.running_since = None
    row.last_run_at = result.started_at
    if row.requested_at is not None and row.requested_at <= result.started_at:
        row.requested_at = None
    waits = row.requested_at is not None or PendingReevaluation.objects.filter(of=row).exists()
    row.next_due_at = result.finished_at if waits else due_after(row, at=result.finished_at)
    row.save()
    if row.last_status == ResultStatus.ERROR and known != ResultStatus.ERROR:
        notify_check_error(row, result)
    return result


def _follow(row: Check, result: CheckResult, *, late: list[CheckResult]) -> None:
    """Let a check's state be what its newest result says, and an alert begin or end by it."""
    newest = result
    row.last_status, row.last_message = newest.status, newest.message
    row.last_value, row.last_expected, row.last_bucket = newest.value, newest.expected, newest.bucket
    at = newest.finished_at
    if newest.counts_as == ResultStatus.PASS:
        if row.alerting_since is not None:
            row.alerting_since, row.alert_ended_at = None, at
        return
    if newest.counts_as != ResultStatus.FAIL or row.alerting_since is not None or _quiet(row, at=at):
        return
    said = (
        CheckResult.objects.filter(of=row)
        .exclude(pk__in=[one.pk for one in late])
        .exclude(because=CheckResult.Because.BACKFILL)
    )
    outcomes = [one.counts_as for one in said.only("status", "expected").order_by("-started_at", "-pk")[:LOOKED_AT]]
    if confirmed(outcomes, confirmation=Confirmation(row.confirm, row.confirm_of)):
        row.alerting_since = at


def _quiet(row: Check, *, at: dt.datetime) -> bool:
    """Tell whether no alert may begin: the check is muted, or its last alert ended too short a time ago."""
    if row.muted_until is not None and row.muted_until > at:
        return True
    cooldown = dt.timedelta(minutes=row.cooldown_minutes)
    return row.alert_ended_at is not None and at < row.alert_ended_at + cooldown
