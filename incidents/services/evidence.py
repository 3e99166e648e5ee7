"""Evidence: approve its queries, request it for incidents, and run it. A worker runs each block; nothing waits for it."""

import datetime as dt
import logging
import math
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Q

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from incidents.models import MAX_EVIDENCE_QUERY_LENGTH, Evidence, Incident, QueryApproval
from incidents.queries.evidence import (
    BlockState,
    approved_evidence,
    check_table,
    incidents_without_evidence,
    query_digest,
    runbook_blocks,
)
from people.models import User
from runbooks.models import Runbook
from validation.domain.sql import query_problem
from validation.models import Check, DataSource
from validation.services.pull import Budget, read_table
from validation.services.run_check import MAX_SLOW_RUNS, MIN_SLOW_RUN
from validation.warehouse_subprocess import QueryFailedError, QueryTable, SourceRefusedError

log = logging.getLogger(__name__)

# A hundred results of this size fit on an incident's page, in its API list and in the database.
MAX_ROWS, MAX_COLUMNS, MAX_CELL_LENGTH, MAX_CHARACTERS = 50, 30, 200, 20_000
# A run and one retry. A run whose worker was killed counts.
MAX_ATTEMPTS = 2
MAX_EVIDENCE_PER_INCIDENT = 500
RUN_SECONDS = 60.0
# How long claimed evidence may wait for a worker, and the lease of a run: longer than the task's hard time limit.
QUEUE_LEASE, RUN_LEASE = dt.timedelta(minutes=5), dt.timedelta(seconds=150)
RETRY_WAIT = dt.timedelta(seconds=15)

# The rows of `EvidenceQuerySet.due`.
CLAIM_SQL = """
WITH due AS (
  SELECT id FROM incidents_evidence
  WHERE state = 'pending' AND due_at <= %(at)s AND (lease_until IS NULL OR lease_until <= %(at)s)
  ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE incidents_evidence SET claim = gen_random_uuid(), lease_until = %(until)s
FROM due WHERE incidents_evidence.id = due.id
RETURNING incidents_evidence.id, claim
"""


@dataclass(frozen=True, slots=True)
class ClaimedEvidence:
    """The ID of evidence that a worker is to run, and its claim."""

    evidence: int
    claim: uuid.UUID


@transaction.atomic
def approve_query(
    source: DataSource, *, query: str, by: User, at: dt.datetime, rows_for_engineers: bool = False
) -> QueryApproval:
    """Approve this exact SQL on a data source; return the approval.

    Evidence of open incidents that waits for it becomes due.

    Raises NotAllowedError if the user is not an admin, and InvalidInputError unless the text is one SELECT.
    """
    if not by.is_staff:
        raise NotAllowedError("Only admins can approve queries.")
    if problem := query_problem(query):
        raise InvalidInputError({"query": [problem]})
    approval, _ = QueryApproval.objects.update_or_create(
        source=source,
        digest=query_digest(query),
        defaults={
            "query": query,
            "rows_for_engineers": rows_for_engineers,
            "approved_by": by,
            "approved_at": at,
        },
    )
    _end_waiting(at=at)
    return approval


def approve_block(
    runbook: Runbook, *, key: str, by: User, at: dt.datetime, rows_for_engineers: bool = False
) -> QueryApproval:
    """Approve the query of a block of a runbook's current revision; raise DomainError if the text has changed since it was read."""
    if not by.is_staff:
        raise NotAllowedError("Only admins can approve queries.")
    state = _block(runbook, key=key)
    if state.source is None or state.problem:
        raise DomainError(state.problem or "A check needs no approval.")
    return approve_query(state.source, query=state.block.query, by=by, at=at, rows_for_engineers=rows_for_engineers)


def revoke_block(runbook: Runbook, *, key: str, by: User) -> None:
    """Revoke the approval of the query of a block, if it has one; raise as `approve_block` does."""
    if not by.is_staff:
        raise NotAllowedError("Only admins can revoke approvals.")
    approval = _block(runbook, key=key).approval
    if approval is not None:
        revoke_approval(approval, by=by)


def revoke_approval(approval: QueryApproval, *, by: User) -> None:
    """Revoke an approval for every runbook: the query does not run again, and engineers no longer see its rows.

    Raises NotAllowedError if the user is not an admin.
    """
    if not by.is_staff:
        raise NotAllowedError("Only admins can revoke approvals.")
    QueryApproval.objects.filter(pk=approval.pk).delete()


def _block(runbook: Runbook, *, key: str) -> BlockState:
    state = next((one for one in runbook_blocks(runbook) if one.block.key == key), None)
    if state is None:
        raise DomainError("The runbook no longer has this block. Reload the page and read the new text.")
    return state


def _end_waiting(*, at: dt.datetime) -> None:
    """Make waiting evidence of open incidents due if its query is now approved or its data source was deleted.

    Sweeps call it too: a query can be approved while evidence is being added, between two runs, or while the incident
    is resolved.
    """
    approved_evidence().update(state=Evidence.State.PENDING, due_at=at, attempts=0)


def request_evidence(*, at: dt.datetime, limit: int = 100) -> int:
    """Request the evidence of incidents that opened or reopened; return their number.

    A sweep that stops halfway loses nothing.
    """
    _end_waiting(at=at)
    count = 0
    for pk in incidents_without_evidence().values_list("pk", flat=True)[:limit]:
        count += _request_for_round(pk, at=at)
    return count


@transaction.atomic
def _request_for_round(pk: int, *, at: dt.datetime) -> bool:
    """Request the evidence of an incident's current round, unless another sweep has."""
    if not incidents_without_evidence().filter(pk=pk).update(evidence_round=F("round")):
        return False
    incident = Incident.objects.select_related("pipeline").get(pk=pk)
    runbook = Runbook.objects.select_related("pipeline").filter(pipeline=incident.pipeline_id).first()
    if runbook is not None:
        # Evidence of the round before that still waits becomes part of this one.
        incident.evidence.unfinished().update(round=incident.round)
        _add(incident, runbook, runbook_blocks(runbook), by=None, at=at)
    return True


@transaction.atomic
def rerun_evidence(incident: Incident, *, by: User, at: dt.datetime, key: str | None = None) -> int:
    """Request the evidence of one block of an incident or of all blocks again; return the number of requested blocks.

    Evidence that is still due stays as it is.

    Raises DomainError if the incident is resolved or the runbook does not have the block.
    """
    row = Incident.objects.select_for_update(of=("self",), no_key=True).select_related("pipeline").get(pk=incident.pk)
    if row.is_resolved:
        raise DomainError("This incident is resolved. Reopen it first.")
    if row.evidence.count() >= MAX_EVIDENCE_PER_INCIDENT:
        raise DomainError(f"An incident can have at most {MAX_EVIDENCE_PER_INCIDENT} evidence results.")
    runbook = Runbook.objects.select_related("pipeline").filter(pipeline=row.pipeline_id).first()
    states = runbook_blocks(runbook) if runbook else []
    requested = [one for one in states if key in (None, one.block.key)]
    if runbook is None or not requested:
        raise DomainError("The runbook no longer has this block." if key else "The runbook has no evidence blocks.")
    return _add(row, runbook, requested, by=by, at=at)


def _add(
    incident: Incident, runbook: Runbook, states: Iterable[BlockState], *, by: User | None, at: dt.datetime
) -> int:
    """Add evidence for blocks without unfinished evidence; return the number added."""
    unfinished = set(incident.evidence.unfinished().values_list("key", flat=True))
    run = incident.runs.filter(ended_at=None).first()
    rows = []
    for state in states:
        block = state.block
        if block.key in unfinished:
            continue
        row = Evidence(
            incident=incident,
            run=run,
            round=incident.round,
            revision=runbook.revision,
            step=state.step,
            step_text=state.step_text,
            kind=block.kind,
            name=block.name,
            query=block.query[:MAX_EVIDENCE_QUERY_LENGTH],
            key=block.key,
            source=state.source,
            approval=state.approval,
            check_id=state.check.pk if state.check else None,
            requested_at=at,
            requested_by=by,
            due_at=at,
        )
        if state.problem:
            row.state, row.due_at, row.finished_at, row.error = Evidence.State.FAILED, None, at, state.problem
        elif state.is_waiting:
            row.state, row.due_at = Evidence.State.WAITING, None
        rows.append(row)
    Evidence.objects.bulk_create(rows)
    return len(rows)


def claim_evidence(*, at: dt.datetime, limit: int = 50) -> list[ClaimedEvidence]:
    """Claim the evidence that is due, longest waiting first. Concurrent sweeps never claim the same."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, {"at": at, "until": at + QUEUE_LEASE, "limit": limit})
        return [ClaimedEvidence(evidence, claim) for evidence, claim in cursor.fetchall()]


def run_evidence(claimed: ClaimedEvidence, *, at: dt.datetime) -> Evidence | None:
    """Run claimed evidence; return it, or None if the claim no longer holds or the data source is slow.

    A claim is valid for one run. A run that ends after its lease saves nothing. A run that fails or is lost is repeated
    once.
    """
    claim = uuid.uuid4()
    due = Evidence.objects.filter(pk=claimed.evidence, claim=claimed.claim, state=Evidence.State.PENDING)
    if not due.update(claim=claim, lease_until=at + RUN_LEASE, started_at=at, attempts=F("attempts") + 1):
        return None
    row = Evidence.objects.select_related("source").get(pk=claimed.evidence)
    if row.attempts > MAX_ATTEMPTS:
        row.error = row.error or "The run was interrupted twice."
        return _finish(row, claim=claim, state=Evidence.State.FAILED, at=at)
    if _has_slow_source(row, at=at):
        _release(row, claim=claim, due_at=at + RETRY_WAIT, attempts=row.attempts - 1)
        return None
    start = time.monotonic()
    try:
        state = _read(row)
    except QueryFailedError as error:
        row.error, row.error_details = error.message, error.details
        if row.attempts < MAX_ATTEMPTS and not isinstance(error, SourceRefusedError):
            _release(row, claim=claim, due_at=at + RETRY_WAIT, attempts=row.attempts)
            return row
        state = Evidence.State.FAILED
    return _finish(row, claim=claim, state=state, at=at + dt.timedelta(seconds=time.monotonic() - start))


def _read(row: Evidence) -> Evidence.State:
    """Set the rows of evidence and return its state; raise QueryFailedError.

    The approval is looked up now, not at the request.
    """
    if row.kind == Evidence.Kind.CHECK:
        checks = Check.objects.select_related("pipeline", "metric")
        check = checks.filter(pk=row.check_id).first() if row.check_id is not None else None
        if check is None:
            raise QueryFailedError("The check was deleted.")
        _set_rows(row, check_table(check))
        return Evidence.State.DONE
    if row.source is None:
        raise QueryFailedError("The data source was deleted.")
    row.approval = QueryApproval.objects.filter(source=row.source, digest=query_digest(row.query)).first()
    if row.approval is None:
        return Evidence.State.WAITING
    if problem := query_problem(row.query):
        raise QueryFailedError(problem)
    _set_rows(row, read_table(row.source, query=row.query, budget=Budget(RUN_SECONDS), limit=MAX_ROWS + 1))
    return Evidence.State.DONE


def _set_rows(row: Evidence, table: QueryTable) -> None:
    row.columns = [_cell(name) for name in table.columns[:MAX_COLUMNS]]
    row.rows, size = [], 0
    for cells in table.rows[:MAX_ROWS]:
        shown_cells = [_cell(cell) for cell in cells[:MAX_COLUMNS]]
        size += sum(len(str(cell)) for cell in shown_cells)
        if size > MAX_CHARACTERS:
            break
        row.rows.append(shown_cells)
    row.is_truncated = len(table.rows) > len(row.rows)
    row.error = row.error_details = ""


def _cell(value: object) -> object:
    """Return a value that JSON and PostgreSQL can store."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value.replace("\0", "�").encode(errors="replace").decode()[:MAX_CELL_LENGTH]
    return value


def _has_slow_source(row: Evidence, *, at: dt.datetime) -> bool:
    """Return True if several runs already wait on the data source, so that the worker can take another block."""
    if row.source_id is None:
        return False
    slow = at - MIN_SLOW_RUN
    evidence = Evidence.objects.filter(
        state=Evidence.State.PENDING, source=row.source_id, lease_until__gt=at, started_at__lte=slow
    ).exclude(pk=row.pk)
    checks = Check.objects.filter(Q(source=row.source_id) | Q(metric__source=row.source_id))
    checks = checks.filter(lease_until__gt=at, running_since__lte=slow)
    return evidence.count() + checks.count() >= MAX_SLOW_RUNS


def _release(row: Evidence, *, claim: uuid.UUID, due_at: dt.datetime, attempts: int) -> None:
    Evidence.objects.filter(pk=row.pk, claim=claim).update(
        claim=None,
        lease_until=None,
        due_at=due_at,
        attempts=attempts,
        error=row.error,
        error_details=row.error_details,
    )


@transaction.atomic
def _finish(row: Evidence, *, claim: uuid.UUID, state: str, at: dt.datetime) -> Evidence | None:
    """Save the result of a run; return None if its lease has ended and another worker has claimed it.

    Rows are not saved if the approval of their query was revoked meanwhile.
    """
    approvals = QueryApproval.objects.select_for_update(no_key=True)
    if row.approval is not None and not approvals.filter(pk=row.approval.pk):
        state, row.approval, row.columns, row.rows, row.is_truncated = Evidence.State.WAITING, None, [], [], False
    is_waiting = state == Evidence.State.WAITING
    row.state, row.due_at, row.claim, row.lease_until = state, None, None, None
    row.finished_at, row.started_at = (None, None) if is_waiting else (at, row.started_at)
    if is_waiting:
        row.attempts = 0
    fields = (
        "state", "due_at", "claim", "lease_until", "finished_at", "started_at", "attempts", "approval",
        "columns", "rows", "is_truncated", "error", "error_details",
    )  # fmt: skip
    saved = Evidence.objects.filter(pk=row.pk, claim=claim).update(**{name: getattr(row, name) for name in fields})
    return row if saved else None
