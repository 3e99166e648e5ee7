"""What dbt writes about a real project is imported: lineage, owners, tests, a failure, and what it left stale."""

import datetime as dt
import gzip
import json
import os
import shutil
import subprocess

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from incidents.models import Incident
from incidents.services.transitions import resolve
from incidents.services.triggers import sync_with_all_checks
from lineage.models import DbtExposure, DbtGroup, DbtNode, DbtProject, Edge
from notifications.models import Message
from people.models import User
from people.services.accounts import create_token
from readiness.services import page_memory
from readiness.services.readers import create_link
from tests.factories import bearer
from tests.validation.fixtures import make_check, make_metric
from validation.models import Check, ExternalCheck, ImportedFile, MappingRule
from validation.services.external_results import save_mapping_rule
from validation.tasks import import_dbt_folders

pytestmark = pytest.mark.xdist_group("dbt")

FAILING = "test.shop.accepted_values_orders_amount__False__20_0.53b96d1bf1"


@pytest.fixture
def marts(shop):
    save_mapping_rule(MappingRule(tool="dbt", pattern="models/marts/*", pipeline=shop[2]))
    return shop[2]


def post(client, user, path, *, content_type="application/json", pack=False):
    data = path.read_bytes()
    return client.post(
        "/api/v1/integrations/dbt/", gzip.compress(data) if pack else data, content_type=content_type, **bearer(user)
    )


def test_every_node_of_a_real_manifest_becomes_a_row_as_another_program_reads_it(client, dbt_target, marts, a):
    answer = post(client, a, dbt_target / "manifest.json")
    assert (answer.status_code, answer.json()["new"], answer.json()["unmapped"]) == (200, 10, [])
    other = json.loads((dbt_target / "parsed.json").read_text())
    assert f"/v{DbtProject.objects.get().schema}.json" in other["schema"]
    nodes = {row.key: row for row in DbtNode.objects.prefetch_related("parents")}
    assert nodes.keys() == other["nodes"].keys() - {key for key in other["nodes"] if key.startswith("operation.")}
    assert {key: sorted(row.key for row in node.parents.all()) for key, node in nodes.items()} == {
        key: parents for key, parents in other["parents"].items() if key in nodes
    }
    assert {group.name: group.owner_email for group in DbtGroup.objects.all()} == other["groups"]
    assert {exposure.key: exposure.url for exposure in DbtExposure.objects.all()} == other["exposures"]


def test_a_nodes_pipeline_follows_from_its_meta_its_group_or_its_path(client, dbt_target, marts, a):
    post(client, a, dbt_target / "manifest.json")
    nodes = {row.key: row for row in DbtNode.objects.all()}
    assert {key: (row.pipeline.slug, row.reason) for key, row in nodes.items()} == {
        "source.shop.raw.orders": ("staging", "meta.pipeline staging"),
        "source.shop.raw.customers": ("staging", "meta.pipeline staging"),
        "model.shop.stg_orders": ("staging", "meta.pipeline staging"),
        "model.shop.stg_customers": ("staging", "meta.pipeline staging"),
        "model.shop.orders": ("core", "group core"),
        "model.shop.customers": ("core", "group core"),
        "test.shop.unique_orders_order_id.fed79b3a6e": ("core", "same as model.shop.orders"),
        FAILING: ("core", "same as model.shop.orders"),
        "model.shop.revenue": ("marts", "path models/marts/*"),
        "model.shop.headcount": ("marts", "path models/marts/*"),
    }
    edges = Edge.objects.values_list("upstream__slug", "downstream__slug", "source", "project")
    assert list(edges) == [("staging", "core", "dbt", "shop"), ("core", "marts", "dbt", "shop")]
    [exposure] = marts.exposures.all()
    assert (exposure.name, exposure.owner_email) == ("Board report", "board@example.org")


def test_a_rule_added_later_maps_nodes_checks_and_edges(client, dbt_target, shop, a):
    answer = post(client, a, dbt_target / "manifest.json").json()
    assert answer["unmapped"] == ["model.shop.headcount", "model.shop.revenue"]
    reason = "No meta.pipeline, and no rule for path models/marts/revenue.sql or key model.shop.revenue."
    assert DbtNode.objects.get(key="model.shop.revenue").reason == reason
    post(client, a, dbt_target / "run_results.json")
    assert Edge.objects.count() == 1
    save_mapping_rule(MappingRule(tool="dbt", pattern="model.shop.*", pipeline=shop[2]))
    assert DbtNode.objects.get(key="model.shop.revenue").pipeline == shop[2]
    assert DbtNode.objects.get(key="model.shop.orders").pipeline == shop[1]
    assert ExternalCheck.objects.get(key="model.shop.revenue").pipeline == shop[2]
    assert ExternalCheck.objects.get(key="model.shop.orders").pipeline == shop[1]
    assert Edge.objects.count() == 2


def test_a_broken_build_fails_the_parent_and_leaves_the_child_stale(client, dbt_target, marts, shop, a):
    for name in ("manifest", "run_results", "sources"):
        assert post(client, a, dbt_target / f"{name}.json", pack=True).status_code == 200
    checks = {row.key: row for row in ExternalCheck.objects.select_related("pipeline")}
    assert (checks[FAILING].status, checks[FAILING].pipeline.slug) == ("fail", "core")
    assert (checks["model.shop.revenue"].is_stale, checks["model.shop.headcount"].is_stale) == (True, False)
    assert checks["source.shop.raw.orders"].status == "fail"
    pipelines = client.get("/api/v1/pipelines/", **bearer(a)).json()["results"]
    assert {row["slug"]: row["status"] for row in pipelines} == {
        "staging": "failing",
        "core": "failing",
        "marts": "stale",
    }


def test_a_manifest_sent_twice_changes_nothing_and_an_older_one_is_ignored(client, dbt_target, marts, a, tmp_path):
    post(client, a, dbt_target / "manifest.json")
    before = list(DbtNode.objects.values()), list(Edge.objects.values("pk", "first_seen_at"))
    packed = post(client, a, dbt_target / "manifest.json", content_type="application/gzip", pack=True).json()
    assert (packed["new"], packed["known"], packed["outdated"]) == (0, 10, False)
    assert (list(DbtNode.objects.values()), list(Edge.objects.values("pk", "first_seen_at"))) == before
    older = json.loads((dbt_target / "manifest.json").read_text())
    older["metadata"]["generated_at"] = "2020-01-01T00:00:00Z"
    del older["nodes"]["model.shop.revenue"]
    (tmp_path / "manifest.json").write_text(json.dumps(older))
    assert post(client, a, tmp_path / "manifest.json").json()["outdated"] is True
    assert list(DbtNode.objects.values()) == before[0]


def test_the_command_imports_a_manifest(dbt_target, shop, capsys):
    call_command("import_results", "dbt", str(dbt_target / "manifest.json"))
    assert capsys.readouterr().out.splitlines() == [
        "10 new, 0 already known",
        "unmapped: model.shop.headcount",
        "unmapped: model.shop.revenue",
    ]


def test_the_owner_of_a_failing_test_is_notified_once(client, dbt_target, marts, a, c):
    """The test names a@example.org in its `meta`; the model's owner c@example.org owns no test."""
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    User.objects.filter(pk=c.pk).update(email="c@example.org")
    post(client, a, dbt_target / "manifest.json")
    for _ in range(2):
        post(client, a, dbt_target / "run_results.json")
    message = Message.objects.get(type="owned-test-failed")
    assert (message.recipient, message.subject) == (
        a,
        "Your test accepted_values_orders_amount__False__20_0 failed (Core)",
    )


def test_a_folder_is_read_again_only_when_a_file_changes(dbt_target, marts, tmp_path, settings, capsys):
    settings.DBT_FOLDERS = [tmp_path, tmp_path / "missing"]
    for name in ("manifest.json", "run_results.json", "sources.json"):
        shutil.copy(dbt_target / name, tmp_path)
        os.utime(tmp_path / name, (1_700_000_000, 1_700_000_000))
    import_dbt_folders()
    assert ExternalCheck.objects.get(key=FAILING).pipeline.slug == "core"
    assert set(ImportedFile.objects.values_list("error", flat=True)) == {""}
    times = list(ImportedFile.objects.values_list("imported_at", flat=True))
    import_dbt_folders()
    assert list(ImportedFile.objects.values_list("imported_at", flat=True)) == times
    (tmp_path / "sources.json").write_text("{")
    os.utime(tmp_path / "sources.json", (1_700_000_000, 1_700_000_000))
    with pytest.raises(CommandError, match="not every file could be imported"):
        call_command("import_results", "dbt", str(tmp_path))
    assert "sources.json: the file is not JSON" in capsys.readouterr().out
    call_command("import_results", "dbt", str(tmp_path))
    assert capsys.readouterr().out == f"{tmp_path}: nothing new\n"


def repaired(target):
    """Return the results of a build an hour later in which nothing failed and nothing was skipped."""
    results = json.loads((target / "run_results.json").read_text())
    later = (timezone.now() + dt.timedelta(minutes=1)).isoformat()
    results["metadata"]["generated_at"] = later
    for row in results["results"]:
        row |= {"status": "pass" if row["unique_id"].startswith("test.") else "success", "failures": 0, "message": None}
        row["timing"] = [{"name": "execute", "started_at": later, "completed_at": later}]
    return results


def gate(live_server, user, pipeline):
    """Return the exit code of the documented gate of a job."""
    token = create_token(user, name="gate", scope="read").secret
    url = f"{live_server.url}/api/v1/pipelines/{pipeline}/readiness/"
    command = ["curl", "--silent", "--fail", "--output", os.devnull, "--header", f"Authorization: Bearer {token}", url]
    return subprocess.run(command, check=False, timeout=60).returncode


def paged():
    return list(Message.objects.filter(type="incident-escalated").values_list("recipient", flat=True))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_broken_upstream_from_the_build_to_the_gate(client, live_server, dbt_target, marts, shop, a, b):
    """The parent has one incident and one page; the child is stale, its readers see “Not yet”, and its job stops."""
    link = create_link(name="Board numbers", pipelines=[marts], by=a)
    for name in ("manifest", "run_results"):
        assert post(client, a, dbt_target / f"{name}.json").status_code == 200
    sync_with_all_checks(at=timezone.now())
    [incident] = Incident.objects.all()
    assert (incident.pipeline.slug, paged()) == ("core", [a.pk])
    assert client.get("/api/v1/pipelines/marts/", **bearer(a)).json()["status"] == "stale"
    page = Client().get(f"/readers/{link.secret}/").content.decode()
    assert ("Not yet" in page, "The last update did not run because something upstream failed." in page) == (True, True)
    assert [gate(live_server, a, slug) for slug in ("core", "marts")] == [22, 22]
    # A check of the child fails too, because its data is old: its incident is below the parent's, and pages nobody.
    metric = make_metric(marts)
    own = make_check(marts, a, metric=metric, name="Revenue is plausible", parameters={"fail_below": 10.0})
    Check.objects.filter(pk=own.pk).update(last_status="fail", alerting_since=timezone.now())
    sync_with_all_checks(at=timezone.now())
    child = Incident.objects.get(pipeline=marts)
    assert (child.parent, child.hold, paged()) == (incident, "upstream", [a.pk])
    metric.delete()
    response = client.post(
        "/api/v1/integrations/dbt/", repaired(dbt_target), content_type="application/json", **bearer(a)
    )
    assert (response.status_code, response.json()["known"]) == (200, 0)
    sync_with_all_checks(at=timezone.now())
    assert not Incident.objects.filter(recovered_at=None).exists()
    for row in Incident.objects.all():
        resolve(row, by=a, at=timezone.now())
    page_memory.pages._pages.clear()
    assert [gate(live_server, a, slug) for slug in ("core", "marts")] == [0, 0]
    assert "Safe" in Client().get(f"/readers/{link.secret}/").content.decode()
