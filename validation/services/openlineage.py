"""Record OpenLineage events: edges between pipelines, pipeline runs, and the results of jobs and assertions."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.db import transaction

from lineage.services.openlineage import Use, record_uses
from validation.importers.openlineage import END_EVENTS, START_EVENTS, LineageEvent, results
from validation.importers.results import ResultStatus
from validation.models import ReportedRun
from validation.services.external_results import ImportSummary, record_external_results
from validation.services.mapping import openlineage_pipelines
from validation.services.pipeline_runs import Run, report_runs

MAX_RUN_KEY_LENGTH = 200


@transaction.atomic
def record_events(events: Sequence[LineageEvent], *, at: dt.datetime) -> ImportSummary:
    """Record events in their order. Recording the same events twice changes only when their edges were seen last.

    Jobs and datasets that no rule maps to a pipeline are listed as unmapped: datasets too, unless their job is mapped.
    """
    outputs: dict[str, set[str]] = {}
    for event in events:
        outputs.setdefault(event.job, set()).update(event.outputs)
    datasets = {key for event in events for key in (*event.inputs, *event.outputs)}
    parents = {event.parent for event in events} - {""}
    pipelines = openlineage_pipelines({*outputs, *datasets, *parents}, outputs=outputs)
    uses = [Use(event.job, key) for event in events for key in event.inputs]
    uses += [Use(key, event.job) for event in events for key in event.outputs]
    nodes = {key: pipelines[key] for key in (*outputs, *datasets)}
    edges = record_uses(uses, pipelines=nodes, at=at)
    recorded = record_external_results(results(events), at=at)
    report_runs(_reports(events, pipelines=pipelines, at=at), at=at)
    covered = {key for job, written in outputs.items() if pipelines[job] is not None for key in written}
    unmapped = {key for key, pipeline in nodes.items() if pipeline is None} - covered
    return replace(recorded, unmapped=tuple(sorted(unmapped)), refused=edges.refused)


def _reports(
    events: Iterable[LineageEvent], *, pipelines: Mapping[str, int | None], at: dt.datetime
) -> list[tuple[int, Run]]:
    """Return the runs of pipelines that events start or end."""
    reports = []
    for event in events:
        pipeline = pipelines[event.job]
        # A step of a job of the same pipeline is not a run of the pipeline.
        if pipeline is None or (event.parent and pipelines[event.parent] == pipeline):
            continue
        key, reported_at = event.run[:MAX_RUN_KEY_LENGTH], min(event.at or at, at)
        if event.state in START_EVENTS:
            reports.append((pipeline, Run(key=key, state=ReportedRun.State.RUNNING, started_at=reported_at)))
        elif event.state in END_EVENTS:
            failed = END_EVENTS[event.state] is ResultStatus.FAIL
            state = ReportedRun.State.FAILED if failed else ReportedRun.State.SUCCEEDED
            reports.append((pipeline, Run(key=key, state=state, finished_at=reported_at)))
    return reports
