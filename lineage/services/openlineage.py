"""Store the jobs and datasets of OpenLineage events, and the edges between pipelines that follow from them."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from lineage.domain.dbt import ManifestNode, feeding_pipelines, pipeline_links
from lineage.models import EDGE_FADES_AFTER, OpenLineageNode, OpenLineageUse, Source
from lineage.services.edges import EdgeReport, lock_lineage, record_edges

# An edge passes through at most this many jobs and datasets without a pipeline.
MAX_LEVELS = 50
# Rows purged per transaction. Imports wait for it.
BATCH_SIZE = 1_000

# Without models: a batch has up to 20,000 rows, whose models would take the web process a second.
RECORD_NODES_SQL = """
INSERT INTO lineage_openlineagenode (key, kind, pipeline_id, last_seen_at)
SELECT key, kind, pipeline, %(at)s FROM unnest(%(keys)s::text[], %(kinds)s::text[], %(pipelines)s::bigint[]) AS given(key, kind, pipeline)
ON CONFLICT (key) DO UPDATE SET pipeline_id = EXCLUDED.pipeline_id, last_seen_at = EXCLUDED.last_seen_at
"""
RECORD_USES_SQL = """
INSERT INTO lineage_openlineageuse (reader_id, read_id, last_seen_at)
SELECT reader.id, read.id, %(at)s
FROM unnest(%(readers)s::text[], %(read)s::text[]) AS given(reader, read)
JOIN lineage_openlineagenode reader ON reader.key = given.reader
JOIN lineage_openlineagenode read ON read.key = given.read
ON CONFLICT (reader_id, read_id) DO UPDATE SET last_seen_at = EXCLUDED.last_seen_at
"""


class Use(NamedTuple):
    """A job reads a dataset, or a dataset comes from a job: the keys of the reader and of what it reads."""

    reader: str
    read: str


@transaction.atomic
def record_uses(uses: Collection[Use], *, pipelines: Mapping[str, int | None], at: dt.datetime) -> EdgeReport:
    """Store jobs and datasets, given with their pipelines, and what reads what; record the edges into those that read.

    An edge may lead through jobs and datasets without a pipeline, as earlier events of the last 30 days described them.
    """
    lock_lineage()
    keys = sorted(pipelines)
    reads = sorted(set(uses))
    values: dict[str, Any] = {
        "keys": keys,
        "kinds": [key.split("/", maxsplit=1)[0] for key in keys],
        "pipelines": [pipelines[key] for key in keys],
        "readers": [use.reader for use in reads],
        "read": [use.read for use in reads],
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECORD_NODES_SQL, values)
        cursor.execute(RECORD_USES_SQL, values)
    graph, placed = _graph({use.reader for use in uses}, at=at)
    feeding = feeding_pipelines(graph, pipelines=placed)
    readers = {use.reader: graph[use.reader] for use in uses}
    links = pipeline_links(readers, pipelines=placed, feeding=feeding)
    return record_edges(links, source=Source.OPENLINEAGE, at=at)


@transaction.atomic
def move_nodes(pipelines: Mapping[str, int | None]) -> None:
    """Set the pipelines of jobs and datasets. Edges follow with their next events."""
    moved = []
    for node in OpenLineageNode.objects.filter(key__in=pipelines).select_for_update().order_by("pk"):
        if node.pipeline_id != pipelines[node.key]:
            node.pipeline_id = pipelines[node.key]
            moved.append(node)
    OpenLineageNode.objects.bulk_update(moved, ["pipeline"], batch_size=500)


@transaction.atomic
def purge_unseen(*, at: dt.datetime) -> int:
    """Delete a batch of rows that no event has named for REPORT_RETENTION_DAYS; return their number.

    Deletes inputs and outputs first, then jobs and datasets. Edges stay: they are the history of the pipelines.
    """
    lock_lineage()
    until = at - dt.timedelta(days=settings.REPORT_RETENTION_DAYS)
    for model in (OpenLineageUse, OpenLineageNode):
        old = list(
            model.objects.filter(last_seen_at__lt=until).order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]
        )
        if old:
            model.objects.filter(pk__in=old).delete()
            return len(old)
    return 0


def _graph(readers: Collection[str], *, at: dt.datetime) -> tuple[dict[str, ManifestNode], dict[str, int]]:
    """Return these jobs and datasets with what recently feeds them, up to those with a pipeline, and the pipelines.

    Datasets that nothing here reads are left out, so that the cost of an event does not depend on what others have
    sent.
    """
    parents: dict[str, list[str]] = {}
    placed: dict[str, int | None] = {}
    recent = OpenLineageUse.objects.filter(last_seen_at__gt=at - EDGE_FADES_AFTER).order_by("pk")
    level, known = set(readers), set(readers)
    for _ in range(MAX_LEVELS):
        above: set[str] = set()
        for reader, reader_pipeline, read, read_pipeline in recent.filter(reader__key__in=level).values_list(
            "reader__key", "reader__pipeline", "read__key", "read__pipeline"
        ):
            parents.setdefault(reader, []).append(read)
            parents.setdefault(read, [])
            placed |= {reader: reader_pipeline, read: read_pipeline}
            if read_pipeline is None:
                above.add(read)
        level = above - known
        known |= level
        if not level:
            break
    nodes = {
        key: ManifestNode(
            key=key, kind=key.split("/", maxsplit=1)[0], name="", path="", package="", parents=tuple(above)
        )
        for key, above in parents.items()
    }
    return nodes, {key: pipeline for key, pipeline in placed.items() if pipeline is not None}
