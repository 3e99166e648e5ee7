"""Edges between pipelines: what tools report, what admins add and cut, what fades, and what closes a cycle."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common.exceptions import DomainError
from lineage.domain.graph import Link
from lineage.models import EDGE_FADES_AFTER, Edge, Source
from lineage.queries import children, current_graph, parents
from lineage.services.edges import add_edge, cut_edge, record_edges, restore_edge
from tests.factories import bearer, make_pipeline

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(days=1)


@pytest.fixture
def pipes(a, b):
    return [make_pipeline(name, primary=a, secondary=b, position=i) for i, name in enumerate(["Raw", "Core", "Mart"])]


def links(pipes, *pairs):
    return [Link(pipes[i].pk, pipes[j].pk) for i, j in pairs]


def test_a_tools_edges_are_recorded_once_with_their_times(pipes):
    report = record_edges(links(pipes, (0, 1), (1, 2), (1, 1)), source=Source.DBT, at=NOON, project="shop")
    assert (report.new, report.seen, report.removed, report.refused) == (2, 0, 0, ())
    report = record_edges(links(pipes, (0, 1)), source=Source.DBT, at=LATER, project="shop")
    assert (report.new, report.seen, report.removed) == (0, 1, 0)
    rows = Edge.objects.values_list("upstream__slug", "downstream__slug", "first_seen_at", "last_seen_at")
    assert list(rows) == [("raw", "core", NOON, LATER), ("core", "mart", NOON, NOON)]


def test_parents_and_children_of_several_pipelines_take_one_statement(pipes):
    record_edges(links(pipes, (0, 1), (0, 2), (1, 2)), source=Source.OPENLINEAGE, at=NOON)
    raw, core, mart = (pipe.pk for pipe in pipes)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert parents([raw, core, mart], at=NOON) == {raw: set(), core: {raw}, mart: {raw, core}}
        assert children([raw, core, mart], at=NOON) == {raw: {core, mart}, core: {mart}, mart: set()}
        assert current_graph(at=NOON).ancestors(mart) == {raw: 1, core: 1}
    assert len(statements) == 3


def test_a_complete_report_removes_what_it_leaves_out_of_its_own_project(pipes):
    for project in ("shop", "finance"):
        record_edges(links(pipes, (0, 1), (1, 2)), source=Source.DBT, at=NOON, project=project)
    report = record_edges(links(pipes, (0, 1)), source=Source.DBT, at=LATER, project="shop", is_complete=True)
    assert report.removed == 1
    assert parents([pipes[2].pk], at=LATER) == {pipes[2].pk: {pipes[1].pk}}
    record_edges([], source=Source.DBT, at=LATER, project="finance", is_complete=True)
    assert parents([pipes[2].pk], at=LATER) == {pipes[2].pk: set()}
    record_edges(links(pipes, (1, 2)), source=Source.DBT, at=LATER, project="shop")
    assert parents([pipes[2].pk], at=LATER) == {pipes[2].pk: {pipes[1].pk}}


def test_an_edge_fades_when_its_tool_is_silent_and_an_admins_never(pipes):
    record_edges(links(pipes, (0, 1)), source=Source.DBT, at=NOON, project="shop")
    add_edge(upstream=pipes[1], downstream=pipes[2], at=NOON)
    last = NOON + EDGE_FADES_AFTER - dt.timedelta(seconds=1)
    assert current_graph(at=last).ancestors(pipes[2].pk) == {pipes[1].pk: 1, pipes[0].pk: 2}
    assert current_graph(at=NOON + EDGE_FADES_AFTER).ancestors(pipes[2].pk) == {pipes[1].pk: 1}
    assert [edge.state(NOON + EDGE_FADES_AFTER) for edge in Edge.objects.all()] == ["faded", "current"]


def test_an_edge_that_closes_a_cycle_is_refused_and_the_others_are_recorded(pipes):
    record_edges(links(pipes, (0, 1), (1, 2)), source=Source.DBT, at=NOON, project="shop")
    report = record_edges(links(pipes, (0, 2), (2, 0)), source=Source.OPENLINEAGE, at=NOON)
    assert report.new == 1
    assert report.refused == ("Mart cannot be upstream of Raw, because Raw → Mart already exists.",)
    with pytest.raises(DomainError, match=r"^Mart cannot be upstream of Raw, because Raw → Mart already exists.$"):
        add_edge(upstream=pipes[2], downstream=pipes[0], at=NOON)
    with pytest.raises(DomainError, match=r"^Raw cannot be upstream of itself.$"):
        add_edge(upstream=pipes[0], downstream=pipes[0], at=NOON)


def test_a_faded_edge_does_not_come_back_if_it_would_close_a_cycle(pipes):
    record_edges(links(pipes, (0, 1)), source=Source.DBT, at=NOON, project="shop")
    at = NOON + EDGE_FADES_AFTER
    assert record_edges(links(pipes, (1, 0)), source=Source.OPENLINEAGE, at=at).refused == ()
    assert record_edges(links(pipes, (0, 1)), source=Source.DBT, at=at, project="shop").refused != ()
    assert current_graph(at=at).ancestors(pipes[0].pk) == {pipes[1].pk: 1}
    assert current_graph(at=at).ancestors(pipes[1].pk) == {}


def test_a_cut_edge_stays_cut_whichever_tool_reports_it_until_it_is_restored(pipes, admin):
    record_edges(links(pipes, (0, 1)), source=Source.DBT, at=NOON, project="shop")
    assert cut_edge(Edge.objects.get(), by=admin, at=NOON) == 1
    for source in (Source.DBT, Source.OPENLINEAGE):
        record_edges(links(pipes, (0, 1)), source=source, at=LATER, project="shop" if source == Source.DBT else "")
    assert parents([pipes[1].pk], at=LATER) == {pipes[1].pk: set()}
    assert {(edge.state(LATER), edge.cut_by) for edge in Edge.objects.all()} == {("cut", admin)}
    assert restore_edge(Edge.objects.first(), at=LATER) == 2
    assert parents([pipes[1].pk], at=LATER) == {pipes[1].pk: {pipes[0].pk}}


def test_restoring_an_edge_that_would_close_a_cycle_is_refused(pipes, admin):
    record_edges(links(pipes, (0, 1)), source=Source.DBT, at=NOON, project="shop")
    edge = Edge.objects.get()
    cut_edge(edge, by=admin, at=NOON)
    add_edge(upstream=pipes[1], downstream=pipes[0], at=NOON)
    with pytest.raises(DomainError, match="Raw cannot be upstream of Core, because Core → Raw already exists"):
        restore_edge(edge, at=NOON)


def test_the_database_refuses_a_pipeline_upstream_of_itself_and_a_second_row(pipes):
    seen = {"first_seen_at": NOON, "last_seen_at": NOON, "source": Source.ADMIN}
    with pytest.raises(IntegrityError, match="edge_joins_two_pipelines"), transaction.atomic():
        Edge.objects.create(upstream=pipes[0], downstream=pipes[0], **seen)
    Edge.objects.create(upstream=pipes[0], downstream=pipes[1], **seen)
    with pytest.raises(IntegrityError, match="edge_is_unique"), transaction.atomic():
        Edge.objects.create(upstream=pipes[0], downstream=pipes[1], **seen)


def test_the_api_lists_upstream_and_downstream_with_source_and_last_seen(client, pipes, c, monkeypatch):
    monkeypatch.setattr("lineage.api.timezone.now", lambda: LATER)
    record_edges(links(pipes, (0, 1)), source=Source.DBT, at=NOON - EDGE_FADES_AFTER, project="shop")
    add_edge(upstream=pipes[1], downstream=pipes[2], at=NOON)
    answer = client.get("/api/v1/pipelines/core/lineage/", **bearer(c))
    edge = {"first_seen_at": "2026-06-01T12:00:00Z", "last_seen_at": "2026-06-01T12:00:00Z"}
    faded = {"first_seen_at": "2026-05-02T12:00:00Z", "last_seen_at": "2026-05-02T12:00:00Z"}
    assert answer.json() == {
        "pipeline": "core",
        "upstream": [{"pipeline": "raw", "name": "Raw", "source": "dbt", "project": "shop", "state": "faded", **faded}],
        "downstream": [
            {"pipeline": "mart", "name": "Mart", "source": "admin", "project": "", "state": "current", **edge}
        ],
    }
    assert client.get("/api/v1/pipelines/nothing/lineage/", **bearer(c)).status_code == 404


def test_the_lineage_of_a_pipeline_takes_as_many_statements_with_thirty_edges_as_with_one(client, pipes, a, b):
    auth = bearer(a)
    hub, *_ = pipes
    counts = []
    client.get("/api/v1/me/", **auth)
    for number in (1, 30):
        more = [make_pipeline(f"P{number} {i}", primary=a, secondary=b) for i in range(number)]
        record_edges([Link(pipe.pk, hub.pk) for pipe in more], source=Source.OPENLINEAGE, at=NOON)
        with CaptureQueriesContext(connection) as statements:
            assert client.get("/api/v1/pipelines/raw/lineage/", **auth).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_an_admin_adds_cuts_and_restores_edges_in_the_admin(signed_in, pipes, admin):
    client, path = signed_in(admin), "/admin/lineage/edge/"
    form = {"upstream": pipes[0].pk, "downstream": pipes[1].pk}
    assert client.post(f"{path}add/", form).status_code == 302
    edge = Edge.objects.get()
    assert (edge.source, edge.state(edge.first_seen_at)) == ("admin", "current")
    refused = client.post(f"{path}add/", {"upstream": pipes[1].pk, "downstream": pipes[0].pk})
    assert "Core cannot be upstream of Raw, because Raw → Core already exists." in refused.content.decode()
    for action, state in (("cut", "cut"), ("restore", "current")):
        client.post(path, {"action": action, "_selected_action": [edge.pk]})
        edge.refresh_from_db()
        assert edge.state(edge.last_seen_at) == state
    assert client.get(f"{path}{edge.pk}/change/").status_code == 200
