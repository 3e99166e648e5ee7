"""Record results of external tools and map them to pipelines by the mapping rules."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import QuerySet

from common.db import lock_rows
from common.exceptions import InvalidInputError
from lineage.domain.dbt import Manifest
from lineage.models import OpenLineageNode
from lineage.services.manifests import place_again, store_manifest
from lineage.services.openlineage import move_nodes
from validation.importers import dbt
from validation.importers.files import KINDS, read
from validation.importers.parsing import Json
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError
from validation.models import ExternalCheck, ExternalFinding, MappingRule, ReportedRun
from validation.notifications import notify_external_errors, notify_test_owners
from validation.services.mapping import check_pipelines, openlineage_pipelines, place_manifest
from validation.services.pipeline_runs import Run, report_runs

# Tolerated clock difference. A result dated further in the future gets the time it was received.
MAX_CLOCK_SKEW = dt.timedelta(minutes=10)
# The time of the last result of a check that has none yet.
NO_RESULT_AT = dt.datetime.min.replace(tzinfo=dt.UTC)
RUN_STATES = {ResultStatus.PASS: ReportedRun.State.SUCCEEDED, ResultStatus.FAIL: ReportedRun.State.FAILED}
# A check with one of these results may still be failing.
INCONCLUSIVE = (ResultStatus.SKIP, ResultStatus.UNKNOWN)
STATE_FIELDS = ("name", "subject", "column", "measure", "status", "value", "message", "at", "period_at", "is_stale")


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """Counts of new and already known results or nodes, and the keys that no rule maps to a pipeline.

    `refused` are sentences about edges that would close a cycle. `outdated` is True if a newer manifest was imported before.
    """

    new: int
    known: int
    unmapped: tuple[str, ...]
    refused: tuple[str, ...] = ()
    outdated: bool = False


def record_file(kind: str, *, document: Json, at: dt.datetime) -> ImportSummary:
    """Record every result of a tool's file.

    If the file is dbt's `sources.json`, each known source that it leaves out gets the result `unknown`. Raises
    InvalidInputError for `file` if the file is not of this kind or has an unsupported version; then nothing is
    recorded.
    """
    if kind not in KINDS:
        raise InvalidInputError({"kind": [f"“{kind}” is not one of {', '.join(KINDS)}."]})
    try:
        results = read(kind, document=document)
        if kind == "dbt" and dbt.is_sources(document):
            known = ExternalCheck.objects.filter(tool=dbt.TOOL, key__startswith="source.").values_list("key", flat=True)
            results += dbt.absent_sources(document, expected=list(known))
    except UnreadableFileError as unreadable:
        raise InvalidInputError({"file": [str(unreadable)]}) from unreadable
    return record_external_results(results, at=at)


@transaction.atomic
def record_external_results(results: Sequence[ExternalResult], *, at: dt.datetime) -> ImportSummary:
    """Record results and update the state of their checks. Recording the same results twice changes nothing.

    A result that has no time, or one in the future, gets the time `at`. It counts as known if it equals the tool's last
    result.
    """
    checks = _lock_checks(results, at=at)
    latest = _latest_findings(checks.values()) if any(_own_time(result, at=at) is None for result in results) else {}
    findings = [_finding(result, check=checks[result.tool, result.key], latest=latest, at=at) for result in results]
    known = _known(findings)
    new: list[ExternalFinding] = []
    changed: dict[int, ExternalCheck] = {}
    broken: list[ExternalCheck] = []
    failed: list[ExternalCheck] = []
    for result, finding in zip(results, findings, strict=True):
        if finding is None or _identity(finding) in known:
            continue
        known.add(_identity(finding))
        new.append(finding)
        check = finding.external_check
        period = result.period if result.period and result.period <= at + MAX_CLOCK_SKEW else None
        if not _replaces_state(check, status=result.status, at=finding.at, period=period):
            continue
        if result.status == ResultStatus.ERROR and (check.status != ResultStatus.ERROR or check.at == NO_RESULT_AT):
            broken.append(check)
        if result.status == ResultStatus.FAIL and (check.status != ResultStatus.FAIL or check.at == NO_RESULT_AT):
            failed.append(check)
        _update_state(check, result=result, at=finding.at, period=period)
        changed[check.pk] = check
    ExternalFinding.objects.bulk_create(new)
    # Three times as fast as bulk_update. The rows exist and are locked, so this never creates one.
    ExternalCheck.objects.bulk_create(
        changed.values(), update_conflicts=True, unique_fields=["tool", "key"], update_fields=STATE_FIELDS
    )
    _report_runs(results, checks=checks, at=at)
    notify_external_errors(broken, at=at)
    notify_test_owners([check for check in failed if check.status == ResultStatus.FAIL], at=at)
    unmapped = tuple(sorted(check.key for check in checks.values() if check.pipeline_id is None))
    return ImportSummary(new=len(new), known=len(results) - len(new), unmapped=unmapped)


@transaction.atomic
def save_mapping_rule(rule: MappingRule) -> int:
    """Save a mapping rule, apply all rules again, and return how many checks changed pipeline."""
    rule.save()
    return _apply_rules()


@transaction.atomic
def delete_mapping_rule(rule: MappingRule) -> int:
    """Delete a mapping rule, apply the remaining rules, and return how many checks changed pipeline."""
    rule.delete()
    return _apply_rules()


@transaction.atomic
def record_manifest(manifest: Manifest, *, at: dt.datetime) -> ImportSummary:
    """Store a dbt manifest: its nodes with their pipelines, the edges between pipelines, and the pipelines of dbt's checks."""
    report = store_manifest(manifest, place=place_manifest, at=at)
    map_checks(ExternalCheck.objects.filter(tool=dbt.TOOL))
    return ImportSummary(
        new=report.new,
        known=report.known,
        unmapped=report.unmapped,
        refused=report.edges.refused,
        outdated=report.outdated,
    )


def map_checks(checks: QuerySet[ExternalCheck]) -> int:
    """Map external checks to their pipelines; return how many changed pipeline."""
    rows = list(checks.select_for_update().order_by("pk"))
    pipelines = check_pipelines({(check.tool, check.key) for check in rows})
    moved = [check for check in rows if check.pipeline_id != pipelines[check.tool, check.key]]
    for check in moved:
        check.pipeline_id = pipelines[check.tool, check.key]
    ExternalCheck.objects.bulk_update(moved, ["pipeline"], batch_size=500)
    return len(moved)


def _apply_rules() -> int:
    place_again(place=place_manifest)
    move_nodes(openlineage_pipelines(set(OpenLineageNode.objects.values_list("key", flat=True))))
    return map_checks(ExternalCheck.objects.all())


def _report_runs(
    results: Sequence[ExternalResult], *, checks: dict[tuple[str, str], ExternalCheck], at: dt.datetime
) -> None:
    """Report runs of whole pipelines for deadline checks; skip runs that are unfinished or being retried."""
    reports = []
    for result in results:
        pipeline = checks[result.tool, result.key].pipeline_id
        state = RUN_STATES.get(result.status)
        if result.run and pipeline and state:
            finished_at = result.at if result.at and result.at <= at else at
            reports.append((pipeline, Run(key=result.run, state=state, finished_at=finished_at)))
    report_runs(reports, at=at)


def _lock_checks(results: Sequence[ExternalResult], *, at: dt.datetime) -> dict[tuple[str, str], ExternalCheck]:
    """Return the locked check of each result by (tool, key), after creating the missing ones."""
    tools, keys = {result.tool for result in results}, {result.key for result in results}
    rows = ExternalCheck.objects.filter(tool__in=tools, key__in=keys)
    existing = set(rows.values_list("tool", "key"))
    first = {(result.tool, result.key): result for result in reversed(results)}
    missing = sorted(first.keys() - existing)
    pipelines = check_pipelines(missing)
    ExternalCheck.objects.bulk_create(
        [_new_check(first[identity], pipeline=pipelines[identity], at=at) for identity in missing],
        # A concurrent import may have created the check.
        ignore_conflicts=True,
    )
    return {(check.tool, check.key): check for check in lock_rows(rows.select_related("pipeline"))}


def _new_check(result: ExternalResult, *, pipeline: int | None, at: dt.datetime) -> ExternalCheck:
    check = ExternalCheck(tool=result.tool, key=result.key, pipeline_id=pipeline, created_at=at)
    _update_state(check, result=result, at=NO_RESULT_AT, period=None)
    return check


def _replaces_state(check: ExternalCheck, *, status: ResultStatus, at: dt.datetime, period: dt.datetime | None) -> bool:
    """Return True if a result is newer than the check's state.

    A result of a later period is newer even if it arrives late. A backfill of an earlier period never ends a failure of a
    later one, but its own failure shows.
    """
    if period and check.period_at and period != check.period_at:
        failed_backfill = status == ResultStatus.FAIL and check.status != ResultStatus.FAIL and at >= check.at
        return period > check.period_at or failed_backfill
    return at >= check.at


def _update_state(check: ExternalCheck, *, result: ExternalResult, at: dt.datetime, period: dt.datetime | None) -> None:
    check.is_stale = result.is_stale
    if check.status == ResultStatus.FAIL and result.status in INCONCLUSIVE and at != NO_RESULT_AT:
        return
    for field, value in asdict(result).items():
        if field in STATE_FIELDS:
            setattr(check, field, value)
    check.status, check.at, check.period_at = str(result.status), at, period


def _own_time(result: ExternalResult, *, at: dt.datetime) -> dt.datetime | None:
    """Return the result's time, or None if it has none or one in the future."""
    return result.at if result.at and result.at <= at + MAX_CLOCK_SKEW else None


def _latest_findings(checks: Iterable[ExternalCheck]) -> dict[int, str]:
    """Return the digest of the newest result by check."""
    rows = ExternalFinding.objects.filter(external_check__in=list(checks))
    rows = rows.order_by("external_check", "-at", "-pk").distinct("external_check")
    return dict(rows.values_list("external_check", "digest"))


def _finding(
    result: ExternalResult, *, check: ExternalCheck, latest: Mapping[int, str], at: dt.datetime
) -> ExternalFinding | None:
    """Return the result as an unsaved finding, or None if it has no time of its own and repeats the last result."""
    content = (str(result.status), result.value, result.message)
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    own_time = _own_time(result, at=at)
    if own_time is None and latest.get(check.pk) == digest:
        return None
    return ExternalFinding(
        external_check=check,
        at=own_time or at,
        status=content[0],
        value=content[1],
        message=content[2],
        digest=digest,
        received_at=at,
    )


def _identity(finding: ExternalFinding) -> tuple[int, dt.datetime, str]:
    return finding.external_check_id, finding.at, finding.digest


def _known(findings: Iterable[ExternalFinding | None]) -> set[tuple[int, dt.datetime, str]]:
    """Return the identities of findings already stored. The caller holds locks on their checks."""
    recorded = [finding for finding in findings if finding is not None]
    stored = ExternalFinding.objects.filter(
        external_check__in={finding.external_check_id for finding in recorded},
        at__in={finding.at for finding in recorded},
    )
    return set(stored.values_list("external_check_id", "at", "digest"))
