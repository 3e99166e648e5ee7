"""Queries for lineage. Only current edges count: not cut, still reported, and not faded."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from lineage.domain.dbt import TESTS, CodeOwner
from lineage.domain.graph import Graph, Link
from lineage.models import (
    DbtExposure,
    DbtGroup,
    DbtNode,
    Edge,
    EdgeQuerySet,
    OpenLineageNode,
    OpenLineageUse,
    OwnerDecision,
)
from people.domain.names import match_key
from people.models import User
from people.queries import all_users, people_by_handbook_name
from pipelines.models import Pipeline
from pipelines.queries import ownership


def current_graph(*, at: dt.datetime) -> Graph:
    """Return the graph of all current edges, in one statement."""
    rows = Edge.objects.current(at).order_by().values_list("upstream_id", "downstream_id").distinct()
    return Graph.from_links(Link(upstream, downstream) for upstream, downstream in rows)


def parents(pipelines: Collection[int], *, at: dt.datetime) -> dict[int, set[int]]:
    """Return the direct upstream pipelines of each pipeline, in one statement. A pipeline without any has an empty set."""
    result: dict[int, set[int]] = {pipeline: set() for pipeline in pipelines}
    if not result:
        return result
    rows = Edge.objects.current(at).filter(downstream__in=result).order_by()
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


@dataclass(frozen=True, slots=True)
class PresentLinks:
    """The links that are neither cut nor removed: all of them without a cycle, and those that are current."""

    all: tuple[Link, ...]
    current: frozenset[Link]


def present_links(*, at: dt.datetime) -> PresentLinks:
    """Return the links between pipelines, faded ones included, in one statement. A faded link that closes a cycle is left out."""
    rows = Edge.objects.present().order_by("upstream_id", "downstream_id", "pk")
    newest = {Link(edge.upstream_id, edge.downstream_id): False for edge in rows}
    for edge in rows:
        newest[Link(edge.upstream_id, edge.downstream_id)] |= not edge.is_faded(at)
    current = frozenset(link for link, is_current in newest.items() if is_current)
    graph, links = Graph.from_links(current), list(current)
    for link in newest:
        if link not in current and not graph.cycle(link):
            graph.add(link)
            links.append(link)
    return PresentLinks(tuple(sorted(links)), current)


def pipeline_exposures(pipeline: Pipeline) -> QuerySet[DbtExposure]:
    """Return the dashboards and reports that read a pipeline."""
    return DbtExposure.objects.filter(pipelines=pipeline).select_related("project")


def unmapped_nodes() -> QuerySet[DbtNode]:
    """Return the dbt nodes without a pipeline, with the reason."""
    return DbtNode.objects.filter(pipeline=None).select_related("project").order_by("project", "key")


@dataclass(frozen=True, slots=True)
class Drift:
    """A pipeline whose owner in the code is not its primary owner. `person` is None if no user matches."""

    pipeline: Pipeline
    owner: CodeOwner
    person: User | None
    nodes: int


def owner_drift() -> list[Drift]:
    """Return the pipelines whose owner in the code is not their primary owner, in the order of the ownership table.

    The owner in the code is the one of most nodes: their own `meta.owner`, else that of their group. A pipeline whose owners
    here were confirmed against this owner is left out.
    """
    owners = _code_owners()
    people = code_owner_people({owner for owner, _ in owners.values()})
    confirmed = {
        row.pipeline_id: CodeOwner(row.owner_name, row.owner_email)
        for row in OwnerDecision.objects.filter(pipeline__in=owners)
    }
    rows = []
    for pipeline in ownership().filter(pk__in=owners):
        owner, nodes = owners[pipeline.pk]
        person = people.get(owner)
        if person != pipeline.primary_owner and confirmed.get(pipeline.pk) != owner:
            rows.append(Drift(pipeline, owner, person, nodes))
    return rows


def code_owner_people(owners: Collection[CodeOwner]) -> dict[CodeOwner, User]:
    """Return the active person who matches each owner in the code: by e-mail, then by name or user name. Others are left out."""
    by_email = {user.email.casefold(): user for user in all_users().active() if user.email}
    by_name = {
        key: user for key, user in people_by_handbook_name([owner.name for owner in owners]).items() if user.is_active
    }
    people = {
        owner: (by_email.get(owner.email.casefold()) if owner.email else None)
        or (by_name.get(match_key(owner.name)) if owner.name else None)
        for owner in owners
    }
    return {owner: person for owner, person in people.items() if person}


def dbt_test_owners(keys: Collection[str]) -> dict[str, User]:
    """Return the person whom the code names as owner of a dbt test, by the test's key. Tests without one are left out."""
    rows = DbtNode.objects.filter(key__in=keys, kind__in=TESTS).exclude(owner_name="", owner_email="").order_by("key")
    owners = {row.key: CodeOwner(row.owner_name, row.owner_email) for row in rows}
    people = code_owner_people(set(owners.values())) if owners else {}
    return {key: people[owner] for key, owner in owners.items() if owner in people}


def _code_owners() -> dict[int, tuple[CodeOwner, int]]:
    """Return the owner in the code of each pipeline, with the number of nodes that have it."""
    groups = {(row.project_id, row.name): CodeOwner(row.owner_name, row.owner_email) for row in DbtGroup.objects.all()}
    rows = DbtNode.objects.filter(pipeline__isnull=False).exclude(kind__in=TESTS).order_by()
    counts: dict[int, dict[CodeOwner, int]] = {}
    for pipeline, project, group, name, email, count in rows.values_list(
        "pipeline", "project", "group", "owner_name", "owner_email"
    ).annotate(Count("pk")):
        owner = CodeOwner(name, email) if name or email else groups.get((project, group), CodeOwner())
        if pipeline is not None and owner != CodeOwner():
            by_owner = counts.setdefault(pipeline, {})
            by_owner[owner] = by_owner.get(owner, 0) + count
    return {
        pipeline: max(by_owner.items(), key=lambda item: (item[1], item[0].email, item[0].name))
        for pipeline, by_owner in counts.items()
    }
