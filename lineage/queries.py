"""Queries for lineage. Only current edges count: not cut, still reported, and not faded."""

import datetime as dt
from collections.abc import Collection

from lineage.domain.dbt import CodeOwner, Manifest, ManifestExposure, ManifestGroup, ManifestNode
from lineage.domain.graph import Graph, Link
from lineage.models import (
    DbtExposure,
    DbtGroup,
    DbtNode,
    DbtProject,
    Edge,
    EdgeQuerySet,
    OpenLineageNode,
    OpenLineageUse,
)
from pipelines.models import Pipeline


def current_graph(*, at: dt.datetime) -> Graph:
    """Return the graph of all current edges, in one statement."""
    rows = Edge.objects.current(at).order_by().values_list("upstream_id", "downstream_id").distinct()
    return Graph.from_links(Link(upstream, downstream) for upstream, downstream in rows)


def parents(pipelines: Collection[int], *, at: dt.datetime) -> dict[int, set[int]]:
    """Return the direct upstream pipelines of each pipeline, in one statement. A pipeline without any has an empty set."""
    result: dict[int, set[int]] = {pipeline: set() for pipeline in pipelines}
    rows = Edge.objects.current(at).filter(downstream__in=pipelines).order_by()
    for upstream, downstream in rows.values_list("upstream_id", "downstream_id"):
        result[downstream].add(upstream)
    return result


def children(pipelines: Collection[int], *, at: dt.datetime) -> dict[int, set[int]]:
    """Return the direct downstream pipelines of each pipeline, in one statement. A pipeline without any has an empty set."""
    result: dict[int, set[int]] = {pipeline: set() for pipeline in pipelines}
    rows = Edge.objects.current(at).filter(upstream__in=pipelines).order_by()
    for upstream, downstream in rows.values_list("upstream_id", "downstream_id"):
        result[upstream].add(downstream)
    return result


def upstream_edges(pipeline: Pipeline) -> EdgeQuerySet:
    """Return the edges into a pipeline that are neither cut nor removed, faded ones included, in the order of the table."""
    return Edge.objects.present().filter(downstream=pipeline).select_related("upstream")


def downstream_edges(pipeline: Pipeline) -> EdgeQuerySet:
    """Return the edges out of a pipeline that are neither cut nor removed, faded ones included, in the order of the table."""
    return Edge.objects.present().filter(upstream=pipeline).select_related("downstream")


def node_pipelines(keys: Collection[str]) -> dict[str, int | None]:
    """Return the pipeline of each dbt node of these keys. If several projects have a node, the one that defines it decides."""
    rows = DbtNode.objects.filter(key__in=keys).select_related("project").order_by("project_id")
    by_origin = sorted(rows, key=lambda node: node.package == node.project.name)
    return {node.key: node.pipeline_id for node in by_origin}


def job_outputs(jobs: Collection[str]) -> dict[str, set[str]]:
    """Return the keys of the datasets that OpenLineage jobs write, by the job's key."""
    outputs: dict[str, set[str]] = {}
    rows = OpenLineageUse.objects.filter(read__key__in=jobs, read__kind=OpenLineageNode.Kind.JOB)
    for job, dataset in rows.values_list("read__key", "reader__key"):
        outputs.setdefault(job, set()).add(dataset)
    return outputs


def manifest_from_rows(project: DbtProject) -> Manifest:
    """Return the content of a project's last manifest, as it is stored."""
    node_parents, exposure_parents = _pairs(DbtNode, project=project), _pairs(DbtExposure, project=project)
    return Manifest(
        project=project.name,
        schema=project.schema,
        dbt_version=project.dbt_version,
        generated_at=project.generated_at,
        nodes={
            row.key: ManifestNode(
                key=row.key,
                kind=row.kind,
                name=row.name,
                path=row.path,
                package=row.package,
                group=row.group,
                pipeline=row.meta_pipeline,
                owner=CodeOwner(row.owner_name, row.owner_email),
                parents=tuple(node_parents.get(row.key, ())),
                tested=row.tested,
            )
            for row in DbtNode.objects.filter(project=project).order_by("key")
        },
        groups={
            row.name: ManifestGroup(row.key, row.name, row.meta_pipeline, CodeOwner(row.owner_name, row.owner_email))
            for row in DbtGroup.objects.filter(project=project).order_by("key")
        },
        exposures={
            row.key: ManifestExposure(
                key=row.key,
                name=row.name,
                kind=row.kind,
                url=row.url,
                description=row.description,
                owner=CodeOwner(row.owner_name, row.owner_email),
                parents=tuple(exposure_parents.get(row.key, ())),
            )
            for row in DbtExposure.objects.filter(project=project).order_by("key")
        },
    )


def _pairs(model: type[DbtNode | DbtExposure], *, project: DbtProject) -> dict[str, list[str]]:
    """Return the keys of the parents of each row by its key."""
    pairs: dict[str, list[str]] = {}
    rows = model.objects.filter(project=project, parents__isnull=False).order_by("key", "parents__key")
    for key, parent in rows.values_list("key", "parents__key"):
        pairs.setdefault(key, []).append(parent)
    return pairs
