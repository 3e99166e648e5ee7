"""Store the content of dbt manifests, and the pipelines of their nodes."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection, models, transaction

from lineage.domain.dbt import (
    CodeOwner,
    Manifest,
    ManifestExposure,
    ManifestGroup,
    ManifestNode,
    Placement,
    feeding_pipelines,
    pipeline_links,
)
from lineage.loaders import manifest_from_rows
from lineage.models import DbtExposure, DbtGroup, DbtNode, DbtProject, Source
from lineage.services.edges import EdgeReport, lock_lineage, record_edges

BATCH_ROWS = 1000
PAIRS_PER_BATCH = 20_000
DELETE_PAIRS_SQL = """
DELETE FROM {table} pair WHERE pair.{owner} = ANY(%(owners)s::bigint[]) AND NOT EXISTS (
  SELECT FROM unnest(%(firsts)s::bigint[], %(seconds)s::bigint[]) AS given(first, second)
  WHERE given.first = pair.{owner} AND given.second = pair.{other}
)
"""
INSERT_PAIRS_SQL = """
INSERT INTO {table} ({owner}, {other})
SELECT first, second FROM unnest(%(firsts)s::bigint[], %(seconds)s::bigint[]) AS given(first, second)
EXCEPT SELECT {owner}, {other} FROM {table} WHERE {owner} = ANY(%(owners)s::bigint[])
"""
NO_EDGES = EdgeReport(new=0, seen=0, removed=0, refused=())
OWNER_FIELDS = ("owner_name", "owner_email")
GROUP_FIELDS = ("name", "meta_pipeline", *OWNER_FIELDS)
NODE_FIELDS = (
    "kind",
    "name",
    "path",
    "package",
    "group",
    "meta_pipeline",
    "tested",
    "pipeline_id",
    "reason",
    *OWNER_FIELDS,
)
EXPOSURE_FIELDS = ("name", "kind", "url", "description", *OWNER_FIELDS)

Place = Callable[[Manifest], Mapping[str, Placement]]


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """What a manifest changed: numbers of new and known nodes, the keys of those without a pipeline, and edges.

    `outdated` is True if a newer manifest of the project is stored already: then nothing was changed.
    """

    new: int
    known: int
    unmapped: tuple[str, ...]
    edges: EdgeReport = NO_EDGES
    outdated: bool = False


@transaction.atomic
def store_manifest(manifest: Manifest, *, place: Place, at: dt.datetime) -> ManifestReport:
    """Store a manifest's nodes, groups and exposures, and the edges that follow. `place` returns the pipeline of each node.

    What the project no longer has is deleted. Storing a manifest twice changes only when its edges were seen last.
    """
    lock_lineage()
    generated_at = min(manifest.generated_at or at, at)
    project = DbtProject.objects.filter(name=manifest.project).first()
    if project is not None and generated_at < project.generated_at:
        return ManifestReport(new=0, known=len(manifest.nodes), unmapped=(), outdated=True)
    project, _ = DbtProject.objects.update_or_create(
        name=manifest.project,
        defaults={
            "schema": manifest.schema,
            "dbt_version": manifest.dbt_version,
            "generated_at": generated_at,
            "imported_at": at,
        },
    )
    placements = place(manifest)
    _store(DbtGroup, _group_rows(manifest.groups.values(), project=project), project=project, fields=GROUP_FIELDS)
    new = _store(
        DbtNode, _node_rows(manifest.nodes.values(), placements, project=project), project=project, fields=NODE_FIELDS
    )
    _store(
        DbtExposure,
        _exposure_rows(manifest.exposures.values(), project=project),
        project=project,
        fields=EXPOSURE_FIELDS,
    )
    nodes = dict(DbtNode.objects.filter(project=project).values_list("key", "pk"))
    exposures = dict(DbtExposure.objects.filter(project=project).values_list("key", "pk"))
    _store_node_parents(manifest, nodes=nodes)
    _store_exposure_parents(manifest, nodes=nodes, exposures=exposures)
    return _report(manifest, placements, project=project, new=new)


@transaction.atomic
def place_again(*, place: Place) -> None:
    """Apply changed rules to the nodes of every project, and to the edges that follow from them."""
    lock_lineage()
    for project in DbtProject.objects.order_by("pk"):
        manifest = manifest_from_rows(project)
        placements = place(manifest)
        rows = _node_rows(manifest.nodes.values(), placements, project=project)
        _store(DbtNode, rows, project=project, fields=NODE_FIELDS)
        _report(manifest, placements, project=project, new=0)


def _report(
    manifest: Manifest, placements: Mapping[str, Placement], *, project: DbtProject, new: int
) -> ManifestReport:
    """Record the edges between pipelines and who reads them; return what changed."""
    pipelines = {key: place.pipeline for key, place in placements.items() if place.pipeline is not None}
    feeding = feeding_pipelines(manifest.nodes, pipelines=pipelines)
    edges = record_edges(
        pipeline_links(manifest.nodes, pipelines=pipelines, feeding=feeding),
        source=Source.DBT,
        at=project.imported_at,
        project=project.name,
        is_complete=True,
    )
    exposures = dict(DbtExposure.objects.filter(project=project).values_list("key", "pk"))
    readers = (
        (
            exposures[exposure.key],
            {
                pipeline
                for parent in exposure.parents
                if parent in manifest.nodes
                for pipeline in ([pipelines[parent]] if parent in pipelines else feeding[parent])
            },
        )
        for exposure in manifest.exposures.values()
    )
    _replace_pairs(DbtExposure.pipelines.through, "dbtexposure_id", "pipeline_id", readers)
    unmapped = tuple(sorted(key for key in manifest.nodes if key not in pipelines))
    return ManifestReport(new=new, known=len(manifest.nodes) - new, unmapped=unmapped, edges=edges)


def _store(
    model: type[models.Model],
    rows: Iterable[DbtGroup | DbtNode | DbtExposure],
    *,
    project: DbtProject,
    fields: tuple[str, ...],
) -> int:
    """Write the rows that are new or differ, delete the project's other rows, and return the number of new ones."""
    manager: models.Manager[Any] = model._default_manager  # noqa: SLF001  # documented API of Django
    # Hashes, because a large project has tens of thousands of rows.
    stored = {key: hash(tuple(values)) for key, *values in manager.filter(project=project).values_list("key", *fields)}
    keys: set[str] = set()
    for batch in _batches(rows):
        keys |= {row.key for row in batch}
        manager.bulk_create(
            [row for row in batch if stored.get(row.key) != _digest(row, fields)],
            update_conflicts=True,
            unique_fields=["project", "key"],
            update_fields=[field.removesuffix("_id") for field in fields],
        )
    removed = stored.keys() - keys
    if removed:
        manager.filter(project=project, key__in=removed).delete()
    return len(keys - stored.keys())


def _digest(row: models.Model, fields: Iterable[str]) -> int:
    return hash(tuple(getattr(row, field) for field in fields))


def _batches(
    rows: Iterable[DbtGroup | DbtNode | DbtExposure],
) -> Iterator[list[DbtGroup | DbtNode | DbtExposure]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch


def _group_rows(groups: Iterable[ManifestGroup], *, project: DbtProject) -> Iterable[DbtGroup]:
    return (
        DbtGroup(project=project, key=group.key, name=group.name, meta_pipeline=group.pipeline, **_owner(group.owner))
        for group in groups
    )


def _node_rows(
    nodes: Iterable[ManifestNode], placements: Mapping[str, Placement], *, project: DbtProject
) -> Iterable[DbtNode]:
    return (
        DbtNode(
            project=project,
            key=node.key,
            kind=node.kind,
            name=node.name,
            path=node.path,
            package=node.package,
            group=node.group,
            meta_pipeline=node.pipeline,
            tested=node.tested,
            pipeline_id=placements[node.key].pipeline,
            reason=placements[node.key].reason,
            **_owner(node.owner),
        )
        for node in nodes
    )


def _exposure_rows(exposures: Iterable[ManifestExposure], *, project: DbtProject) -> Iterable[DbtExposure]:
    return (
        DbtExposure(
            project=project,
            key=exposure.key,
            name=exposure.name,
            kind=exposure.kind,
            url=exposure.url,
            description=exposure.description,
            **_owner(exposure.owner),
        )
        for exposure in exposures
    )


def _owner(owner: CodeOwner) -> dict[str, str]:
    return {"owner_name": owner.name, "owner_email": owner.email}


def _store_node_parents(manifest: Manifest, *, nodes: Mapping[str, int]) -> None:
    pairs = (
        (nodes[node.key], {nodes[key] for key in node.parents if key in nodes}) for node in manifest.nodes.values()
    )
    _replace_pairs(DbtNode.parents.through, "from_dbtnode_id", "to_dbtnode_id", pairs)


def _store_exposure_parents(manifest: Manifest, *, nodes: Mapping[str, int], exposures: Mapping[str, int]) -> None:
    pairs = (
        (exposures[exposure.key], {nodes[key] for key in exposure.parents if key in nodes})
        for exposure in manifest.exposures.values()
    )
    _replace_pairs(DbtExposure.parents.through, "dbtexposure_id", "dbtnode_id", pairs)


def _replace_pairs(
    through: type[models.Model], owner: str, other: str, pairs: Iterable[tuple[int, Collection[int]]]
) -> None:
    """Replace the rows of a many-to-many table for each owner; write only the difference.

    Works in batches and without models: those of the 500,000 pairs that a manifest may have would take 300 MB.
    """
    table = connection.ops.quote_name(through._meta.db_table)  # noqa: SLF001  # documented API of Django
    names = {"table": table, "owner": connection.ops.quote_name(owner), "other": connection.ops.quote_name(other)}
    for owners, firsts, seconds in _pair_batches(pairs):
        values = {"owners": owners, "firsts": firsts, "seconds": seconds}
        with connection.cursor() as cursor:
            cursor.execute(DELETE_PAIRS_SQL.format(**names), values)
            cursor.execute(INSERT_PAIRS_SQL.format(**names), values)


def _pair_batches(
    pairs: Iterable[tuple[int, Collection[int]]],
) -> Iterator[tuple[list[int], list[int], list[int]]]:
    """Yield batches: the owners, and the two columns of their pairs. All pairs of an owner are in one batch."""
    owners: list[int] = []
    firsts: list[int] = []
    seconds: list[int] = []
    for owner, others in pairs:
        owners.append(owner)
        firsts += [owner] * len(others)
        seconds += others
        if len(owners) + len(seconds) >= PAIRS_PER_BATCH:
            yield owners, firsts, seconds
            owners, firsts, seconds = [], [], []
    if owners:
        yield owners, firsts, seconds
