"""Evidence: the blocks of a runbook with their data sources, checks and approvals, and the evidence of an incident."""

import datetime as dt
import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from common.formatting import format_value
from common.look_alikes import look_alikes
from incidents.models import (
    MAX_EVIDENCE_QUERY_LENGTH,
    MAX_STEP_TEXT_LENGTH,
    Evidence,
    EvidenceQuerySet,
    Incident,
    QueryApproval,
    RunbookRun,
)
from people.domain.names import match_key, slug_for
from pipelines.models import Pipeline
from runbooks.domain.evidence import CHECK, SQL, EvidenceBlock, evidence_blocks, without_blocks
from runbooks.domain.steps import runbook_steps
from runbooks.models import Runbook
from runbooks.queries import revision_html
from validation.domain.results import ResultStatus
from validation.domain.sql import query_problem
from validation.models import Check, CheckResult, DataSource, MetricPoint
from validation.warehouse_subprocess import QueryTable, Row

# Limits of an incident's page: rows of evidence, and earlier results of each block.
# A runbook runs at most this many blocks.
MAX_BLOCKS = 50
MAX_EVIDENCE_SHOWN, MAX_EARLIER_SHOWN = 100, 3
CHECK_COLUMNS = ("What", "Time", "Segment", "Value", "Status", "Expected", "Message")
MAX_RESULTS, MAX_SEGMENTS = 5, 5
BUCKETS_BEFORE, BUCKETS_AFTER = 7, 1
# What an admin reads must be what runs. These characters reorder or hide text (Unicode Technical Standard 55): those with
# Default_Ignorable_Code_Point, format characters, and blanks that SQL does not take for space.
INVISIBLE_CHARACTER = re.compile(
    "[\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800"
    "\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
PROBLEM_STATUSES = (ResultStatus.FAIL, ResultStatus.WARN)


@dataclass(frozen=True, slots=True)
class BlockState:
    """An evidence block under a step of a runbook, with its data source and approval, or its check.

    `problem` says why it cannot run.
    """

    block: EvidenceBlock
    step: int
    step_text: str
    source: DataSource | None = None
    check: Check | None = None
    approval: QueryApproval | None = None
    problem: str = ""

    @property
    def is_waiting(self) -> bool:
        """Return True if an admin has to approve the query before it runs."""
        return self.block.kind == SQL and not self.problem and self.approval is None

    @property
    def look_alikes(self) -> list[str]:
        """The look-alike characters of a query, for the admin who approves it."""
        return look_alikes(self.block.query) if self.block.kind == SQL else []

    @property
    def state(self) -> str:
        """The state as the API names it."""
        return "problem" if self.problem else "waiting" if self.is_waiting else "ready"


def query_digest(query: str) -> str:
    """Return the hash by which an approval identifies its SQL."""
    return hashlib.sha256(query.encode()).hexdigest()


def runbook_blocks(runbook: Runbook) -> list[BlockState]:
    """Return the evidence blocks under the steps of a runbook's current revision, each once, in at most six queries."""
    return block_states(revision_html(runbook, number=runbook.revision), pipeline=runbook.pipeline)


def block_states(rendered: str, *, pipeline: Pipeline) -> list[BlockState]:
    """Return the first evidence blocks under the steps of a rendered runbook as `runbook_blocks` does."""
    steps: dict[EvidenceBlock, tuple[int, str]] = {}
    for number, step in enumerate(runbook_steps(rendered), start=1):
        for block in step.blocks[: MAX_BLOCKS - len(steps)]:
            steps.setdefault(block, (number, step.text[:MAX_STEP_TEXT_LENGTH]))
    sources = _sources(block.name for block in steps if block.kind == SQL)
    approvals = _approvals(sources.values(), [block.query for block in steps if block.kind == SQL])
    checks = _checks([block.name for block in steps if block.kind == CHECK], pipeline=pipeline)
    states = []
    for block, place in steps.items():
        if block.kind == CHECK:
            check = checks.get(block.name)
            problem = "" if check else f"There is no check “{block.name}”."
            states.append(BlockState(block, *place, check=check, problem=problem))
            continue
        source = sources.get(match_key(block.name))
        approval = approvals.get((source.pk, block.query)) if source else None
        states.append(BlockState(block, *place, source, None, approval, _sql_problem(block, source)))
    return states


def _sql_problem(block: EvidenceBlock, source: DataSource | None) -> str:
    if source is None:
        return f"There is no data source “{block.name}”."
    if len(block.query) > MAX_EVIDENCE_QUERY_LENGTH:
        return f"The query is longer than {MAX_EVIDENCE_QUERY_LENGTH:,} characters."
    if INVISIBLE_CHARACTER.search(block.query):
        return "The query contains invisible characters. Type it again."
    return query_problem(block.query)


def _sources(names: Iterable[str]) -> dict[str, DataSource]:
    keys = {match_key(name) for name in names}
    rows = DataSource.objects.defer("address").order_by("pk") if keys else ()
    return {key: row for row in rows if (key := match_key(row.name)) in keys}


def _approvals(sources: Iterable[DataSource], queries: Collection[str]) -> dict[tuple[int, str], QueryApproval]:
    digests = {query_digest(query): query for query in queries}
    if not digests:
        return {}
    rows = QueryApproval.objects.filter(source__in=[row.pk for row in sources], digest__in=digests)
    return {(row.source_id, digests[row.digest]): row for row in rows.select_related("approved_by")}


def _checks(names: Collection[str], *, pipeline: Pipeline) -> dict[str, Check]:
    """Return the checks with these slugs: of the pipeline, or of the pipeline that a slug names before a slash."""
    if not names:
        return {}
    slugs = {name.rpartition("/")[0] or pipeline.slug for name in names}
    rows = Check.objects.filter(pipeline__slug__in=slugs).select_related("pipeline", "metric").order_by("-pk")
    by_slug = {(row.pipeline.slug, check_slug(row)): row for row in rows}
    by_name = {name: by_slug.get((name.rpartition("/")[0] or pipeline.slug, name.rpartition("/")[2])) for name in names}
    return {name: row for name, row in by_name.items() if row is not None}


def check_slug(check: Check) -> str:
    """Return the slug by which a runbook names a check of its pipeline: its slugified name."""
    return slug_for(check.name, ())


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """The newest evidence of a block of an incident, and earlier results of the same block, newest first."""

    newest: Evidence
    earlier: list[Evidence] = field(default_factory=list)


def all_evidence(incident: Incident) -> QuerySet[Evidence]:
    """Return the evidence of an incident, oldest first."""
    return with_check_names(incident.evidence.select_related("source", "approval", "requested_by")).order_by("pk")


def with_check_names(rows: QuerySet[Evidence]) -> QuerySet[Evidence]:
    """Return evidence with the current name of its check as `check_name`, None without one."""
    name = Check.objects.filter(pk=OuterRef("check_id")).values("name")
    return rows.annotate(check_name=Subquery(name))


def evidence_items(incident: Incident) -> list[EvidenceItem]:
    """Return the evidence of an incident's current round grouped by block, in the order of the steps, in one query."""
    rows = all_evidence(incident).filter(round=incident.round).order_by("-pk")[:MAX_EVIDENCE_SHOWN]
    return group_evidence(list(rows))


def group_evidence(newest_first: Iterable[Evidence]) -> list[EvidenceItem]:
    """Return evidence grouped by block, in the order of the steps."""
    items: dict[str, EvidenceItem] = {}
    for row in newest_first:
        item = items.setdefault(row.key, EvidenceItem(row))
        is_earlier = item.newest is not row and row.state == Evidence.State.DONE
        if is_earlier and len(item.earlier) < MAX_EARLIER_SHOWN:
            item.earlier.append(row)
    return sorted(items.values(), key=lambda item: (item.newest.step, item.newest.pk))


def attach_evidence(run: RunbookRun, items: Sequence[EvidenceItem]) -> list[EvidenceItem]:
    """Set `evidence` on each prefetched step of a run to the items of its blocks; return the items without a step.

    `text_html` is the step without the blocks that the items show.
    """
    by_key = {item.newest.key: item for item in items}
    shown: set[str] = set()
    for step in run.steps.all():
        keys = [block.key for block in evidence_blocks(step.html) if block.key not in shown]
        shown.update(keys)
        step.evidence = [by_key[key] for key in keys if key in by_key]  # type: ignore[attr-defined]  # for the template
        step.text_html = without_blocks(step.html, keys=by_key)  # type: ignore[attr-defined]  # for the template
    return [item for item in items if item.newest.key not in shown]


def run_evidence_items(run: RunbookRun) -> list[EvidenceItem]:
    """Return the evidence of a run of `runbook_runs`."""
    return group_evidence(run.evidence.all())


def check_table(check: Check) -> QueryTable:
    """Return a table of `CHECK_COLUMNS` without those that are empty: the newest results of a check, and the data points around its newest failure.

    A missing data point has no value. Everyone may see them: they are also on the check's page.
    """
    results = list(check.results.order_by("-started_at", "-pk")[:MAX_RESULTS])
    for row in results:
        row.parent_check = check
    failure = next((row for row in results if row.status in PROBLEM_STATUSES), None)
    segments = [one for one in failure.segments if one["status"] in PROBLEM_STATUSES][:MAX_SEGMENTS] if failure else []
    rows: list[Row] = []
    for row in results:
        rows.append(["Result", _time(row), "", row.value, row.status, _expected(row, check), row.message])
        if row is failure:
            rows += [
                ["Result", _time(row), one["segment"], one["value"], one["status"], "", one["message"]]
                for one in segments
            ]
    anchor = failure or next(iter(results), None)
    if check.metric is not None and anchor is not None and anchor.bucket is not None:
        names = ["", *(one["segment"] for one in segments if one["segment"])]
        rows += _point_rows(check, around=anchor.bucket, segments=names)
    filled = [place for place in range(len(CHECK_COLUMNS)) if any(row[place] not in ("", None) for row in rows)]
    return QueryTable([CHECK_COLUMNS[place] for place in filled], [[row[place] for place in filled] for row in rows])


def _point_rows(check: Check, *, around: dt.datetime, segments: list[str]) -> list[Row]:
    metric = check.metric
    if metric is None:
        return []
    first, last = around - BUCKETS_BEFORE * metric.step, around + BUCKETS_AFTER * metric.step
    points = MetricPoint.objects.filter(metric=metric, bucket__gte=first, bucket__lte=last, segment__in=segments)
    values: dict[str, dict[dt.datetime, float]] = defaultdict(dict)
    for segment, bucket, number in points.values_list("segment", "bucket", "value"):
        values[segment][bucket] = number
    rows: list[Row] = []
    for segment in segments:
        newest = max(values[segment], default=around)
        count = int((max(newest, around) - first) / metric.step) + 1
        for bucket in (first + place * metric.step for place in range(count)):
            value = values[segment].get(bucket)
            day = metric.bucket_time(bucket).isoformat()
            rows.append(["Data point", day, segment, value, "", "", "Missing" if value is None else ""])
    return rows


def _time(result: CheckResult) -> str:
    return (result.bucket_time or result.started_at).isoformat()


def _expected(result: CheckResult, check: Check) -> str:
    if result.low is None and result.high is None:
        return ""
    low, high = (
        "" if bound is None else format_value(bound, unit=check.value_unit) for bound in (result.low, result.high)
    )
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"


def approved_evidence() -> EvidenceQuerySet:
    """Return the waiting evidence of unresolved incidents whose query is now approved or whose data source was deleted."""
    approvals = QueryApproval.objects.filter(source=OuterRef("source"), query=OuterRef("query"))
    waiting = Evidence.objects.filter(state=Evidence.State.WAITING, incident__in=Incident.objects.unresolved())
    return waiting.filter(Q(source=None) | Exists(approvals))


def incidents_without_evidence() -> QuerySet[Incident]:
    """Return the unresolved incidents whose evidence of the current round has not been requested, oldest first."""
    return Incident.objects.unresolved().filter(evidence_round__lt=F("round")).order_by("pk")
