"""OpenLineage events: the shapes of the specification, and its published client and dbt-ol as real senders."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lineage.models import Edge, OpenLineageNode
from lineage.services import openlineage
from people.services.accounts import create_token
from tests.each import each
from tests.factories import bearer, make_pipeline
from tests.thorough import THOROUGH
from validation.importers.openlineage import read, read_events
from validation.importers.results import UnreadableFileError
from validation.models import ExternalCheck, MappingRule, ReportedRun
from validation.services.external_results import save_mapping_rule

pytestmark = pytest.mark.xdist_group("dbt")

PATH = "/api/v1/integrations/openlineage/"
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
RUN = "3b452093-782c-4ef2-9c0c-aafe2aa6f34d"


def dataset(name, **facets):
    return {"namespace": "postgres://db.example.org:5432", "name": name, **facets}


def event(state, *, job="orders.load", run=RUN, minute=0, inputs=(), outputs=(), facets=None, **more):
    return {
        "eventType": state,
        "eventTime": f"2026-11-28T10:{minute:02}:00.001+02:00",
        "producer": "https://github.com/example/producer",
        "schemaURL": f"{SCHEMA}/RunEvent",
        "job": {"namespace": "my-scheduler", "name": job, "facets": {}},
        "run": {"runId": run, "facets": facets or {}},
        "inputs": list(inputs),
        "outputs": list(outputs),
        **more,
    }


@pytest.fixture
def mapped(shop):
    """Map datasets of the schemas raw, core and mart to the three pipelines."""
    for schema, pipeline in zip(("raw", "core", "mart"), shop, strict=True):
        save_mapping_rule(MappingRule(tool="openlineage", pattern=f"dataset/*/{schema}.*", pipeline=pipeline))
    return shop


def post(client, user, document):
    return client.post(PATH, json.dumps(document), content_type="application/json", **bearer(user))


def edges():
    return list(Edge.objects.values_list("upstream__slug", "downstream__slug", "source"))


def test_a_run_of_a_job_is_a_run_of_the_pipeline_that_it_writes_and_an_edge_from_what_it_reads(client, mapped, a):
    io = {"inputs": [dataset("raw.orders"), dataset("core.rates")], "outputs": [dataset("core.orders")]}
    assert post(client, a, event("START", **io)).json()["unmapped"] == []
    run = ReportedRun.objects.get()
    assert (run.pipeline.slug, run.key, run.state) == ("core", RUN, "running")
    assert run.started_at == dt.datetime(2026, 11, 28, 8, 0, 0, 1000, dt.UTC)
    post(client, a, event("COMPLETE", minute=7))
    run.refresh_from_db()
    assert (run.state, run.finished_at) == ("succeeded", dt.datetime(2026, 11, 28, 8, 7, 0, 1000, dt.UTC))
    post(client, a, event("START", **io))
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert edges() == [("staging", "core", "openlineage")]
    check = ExternalCheck.objects.get()
    assert (check.key, check.status, check.pipeline.slug) == ("job/my-scheduler/orders.load", "pass", "core")


@pytest.mark.parametrize("state", ["FAIL", "ABORT"])
def test_a_failed_or_aborted_run_is_a_failure_with_its_message(client, mapped, a, state):
    facets = {"errorMessage": {"message": "relation does not exist", "programmingLanguage": "SQL"}}
    post(client, a, event(state, outputs=[dataset("core.orders")], facets=facets))
    assert ReportedRun.objects.get().state == "failed"
    check = ExternalCheck.objects.get()
    assert (check.status, "relation does not exist" in check.message) == ("fail", True)
    row = client.get("/api/v1/pipelines/core/", **bearer(a)).json()
    assert row["status"] == "failing"


def test_a_step_of_a_job_of_the_same_pipeline_is_no_run_of_its_own(client, mapped, a):
    save_mapping_rule(MappingRule(tool="openlineage", pattern="job/my-scheduler/orders", pipeline=mapped[1]))
    parent = {"parent": {"run": {"runId": "1"}, "job": {"namespace": "my-scheduler", "name": "orders"}}}
    post(client, a, event("COMPLETE", outputs=[dataset("core.orders")], facets=parent))
    assert ReportedRun.objects.count() == 0
    assert ExternalCheck.objects.get().pipeline == mapped[1]


def test_a_batch_leads_edges_through_a_job_and_a_dataset_without_a_pipeline(client, mapped, a):
    batch = [
        event("COMPLETE", job="one", inputs=[dataset("raw.a")], outputs=[dataset("tmp.b")]),
        event("COMPLETE", job="two", run="2", inputs=[dataset("tmp.b")], outputs=[dataset("mart.c")]),
    ]
    answer = post(client, a, batch).json()
    assert (answer["new"], answer["known"]) == (2, 0)
    assert [key.rsplit("/", 1)[1] for key in answer["unmapped"]] == ["tmp.b", "one"]
    assert edges() == [("staging", "marts", "openlineage")]
    assert post(client, a, batch).json()["known"] == 2


def test_a_job_event_without_a_run_gives_edges_and_a_dataset_event_gives_nothing(client, mapped, a):
    job = event("", inputs=[dataset("raw.a")], outputs=[dataset("core.b")])
    del job["run"], job["eventType"]
    assert post(client, a, {**job, "schemaURL": f"{SCHEMA}/JobEvent"}).json()["new"] == 0
    only = {"eventTime": "2026-11-28T10:00:00Z", "dataset": dataset("raw.a"), "schemaURL": f"{SCHEMA}/DatasetEvent"}
    assert post(client, a, only).json()["new"] == 0
    assert (edges(), ReportedRun.objects.count()) == ([("staging", "core", "openlineage")], 0)


def assertions(*entries, job="orders.test", minute=0):
    facet = {"dataQualityAssertions": {"_producer": "x", "assertions": list(entries)}}
    return event("COMPLETE", job=job, minute=minute, inputs=[dataset("core.orders", inputFacets=facet)])


def test_assertions_are_results_and_one_that_passes_never_hides_another(client, mapped, a):
    broken = {"assertion": "not_null", "success": False, "column": "user_name"}
    post(client, a, assertions(broken, {"assertion": "is_string", "success": True, "column": "user_name"}))
    for number, sibling in enumerate(
        (
            assertions({**broken, "success": True, "column": "id"}),
            assertions({**broken, "success": True, "assertion": "unique"}),
            assertions({**broken, "success": True}, job="another"),
            assertions(),
        )
    ):
        post(client, a, {**sibling, "eventTime": f"2026-11-28T11:{number:02}:00Z"})
    failing = ExternalCheck.objects.get(status="fail")
    assert (failing.name, failing.column) == ("core.orders: not_null of user_name", "user_name")
    assert failing.pipeline.slug == "core"
    post(client, a, {**assertions({**broken, "success": True}), "eventTime": "2026-11-28T12:00:00Z"})
    assert not ExternalCheck.objects.filter(status="fail").exists()


def test_a_mild_assertion_warns_and_one_without_an_outcome_is_unknown():
    actual = read(
        assertions(
            {"assertion": "a", "success": False, "severity": "warn"},
            {"assertion": "b"},
            {"assertion": "c", "success": 1},
        )
    )
    assert [result.status.value for result in actual[1:]] == ["warn", "unknown", "unknown"]


def test_a_backfill_of_an_older_date_never_ends_a_newer_failure(client, mapped, a):
    def nominal(day):
        return {"nominalTime": {"nominalStartTime": f"2026-11-{day}T00:00:00Z"}}

    post(client, a, event("FAIL", outputs=[dataset("core.x")], facets=nominal(27)))
    post(client, a, event("COMPLETE", run="2", minute=9, facets=nominal(20)))
    assert ExternalCheck.objects.get().status == "fail"


@each(
    ("document", "why"),
    [
        ([1], r"openlineage: the file\[0\] is not an object"),
        ({}, "openlineage: job is not an object"),
        ({**event("START"), "job": {"name": "x"}}, "job.namespace is missing"),
        ({**event("START"), "run": {}}, "run.runId is missing"),
        ({**event("START"), "eventTime": "now"}, "eventTime is missing or not an instant"),
        # It is not in the calendar of a reader in New York: the page of results could not show it.
        ({**event("START"), "eventTime": "0001-01-01T00:00:00Z"}, "eventTime is missing or not an instant"),
        (event("DONE"), "eventType “DONE” is not one of ABORT"),
        (event(None), "eventType is missing"),
        (event("START", inputs=[{"name": "a"}]), r"inputs\[0\].namespace is missing"),
    ],
)
def test_a_malformed_event_is_refused_with_the_place(document, why):
    with pytest.raises(UnreadableFileError, match=why):
        read_events(document)


def test_a_cycle_between_datasets_is_reported_and_nothing_else_is_lost(client, mapped, a):
    post(client, a, event("COMPLETE", job="one", inputs=[dataset("raw.a")], outputs=[dataset("core.b")]))
    back = event("COMPLETE", job="two", run="2", inputs=[dataset("core.b")], outputs=[dataset("raw.a")])
    answer = post(client, a, back).json()
    assert answer["refused"] == ["Core cannot be upstream of Staging, because Staging → Core already exists."]
    assert (answer["new"], len(edges())) == (1, 1)


# Real senders


@pytest.fixture
def token(live_server, a):
    return create_token(a, name="sender", scope="write").secret


def test_a_call_has_a_limit_of_events_and_of_datasets(client, a):
    answer = post(client, a, [event("COMPLETE", run=str(number)) for number in range(1_001)])
    assert (answer.status_code, answer.json()) == (
        400,
        {"file": ["openlineage: more than 1,000 events; send them in several calls"]},
    )
    many = [dataset(f"raw.t{number}") for number in range(10_001)]
    answer = post(client, a, event("COMPLETE", inputs=many, outputs=many))
    assert answer.json() == {"file": ["openlineage: more than 20,000 inputs and outputs; send them in several calls"]}
    assert not OpenLineageNode.objects.exists()


def test_the_response_lists_a_limited_number_of_keys_and_their_total(client, a):
    answer = post(client, a, event("COMPLETE", inputs=[dataset(f"raw.{number}") for number in range(1_100)])).json()
    assert (len(answer["unmapped"]), answer["unmapped_total"]) == (1_000, 1_101)


def test_an_event_reads_only_the_inputs_of_its_job(client, mapped, a):
    post(client, a, event("COMPLETE", job="one", inputs=[dataset("raw.a")], outputs=[dataset("tmp.b")]))
    for number in range(5):
        others = {"inputs": [dataset(f"tmp.in{number}"), dataset("tmp.b")], "outputs": [dataset(f"tmp.out{number}")]}
        post(client, a, event("COMPLETE", job=f"other {number}", run=f"other {number}", **others))
    job = "job/my-scheduler/two"
    post(client, a, event("COMPLETE", job="two", inputs=[dataset("tmp.b")], outputs=[dataset("mart.c")]))
    graph, _ = openlineage._graph({job}, at=timezone.now())
    assert {key.rsplit("/", 1)[1] for key in graph} == {"two", "tmp.b", "one", "raw.a"}
    assert edges() == [("staging", "marts", "openlineage")]


def test_a_batch_of_runs_takes_as_many_statements_for_thirty_events_as_for_one(client, mapped, a):
    def statements(count, name):
        batch = [
            event(state, job=f"{name}.{number}", run=f"{name}-{number}", outputs=[dataset(f"core.{name}.{number}")])
            for number in range(count)
            for state in ("START", "COMPLETE")
        ]
        with CaptureQueriesContext(connection) as captured:
            assert post(client, a, batch).status_code == 200
        return len(captured)

    statements(1, "first")
    assert statements(30, "many") == statements(1, "one")
    assert set(ReportedRun.objects.values_list("state", "pipeline__slug")) == {("succeeded", "core")}
    assert ReportedRun.objects.filter(started_at__lte=F("finished_at")).count() == 32


def test_runs_in_one_batch_have_the_state_of_their_last_end(client, mapped, a):
    ends = [
        event(state, run=run, minute=minute, outputs=[dataset("core.orders")])
        for minute, (run, state) in enumerate([("1", "FAIL"), ("2", "COMPLETE"), ("1", "COMPLETE"), ("1", "START")])
    ]
    post(client, a, ends)
    assert dict(ReportedRun.objects.values_list("key", "state")) == {"1": "succeeded", "2": "succeeded"}
    assert {run.finished_at.minute for run in ReportedRun.objects.all()} == {1, 2}


def test_the_published_client_sends_runs_and_assertions(live_server, token, mapped):
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
    from openlineage.client.facet_v2 import data_quality_assertions_dataset
    from openlineage.client.transport.http import ApiKeyTokenProvider, HttpCompression, HttpConfig, HttpTransport

    config = HttpConfig(
        url=live_server.url,
        endpoint=PATH.lstrip("/"),
        auth=ApiKeyTokenProvider({"apiKey": token}),
        compression=HttpCompression.GZIP,
    )
    client = OpenLineageClient(transport=HttpTransport(config))
    failed = data_quality_assertions_dataset.Assertion(assertion="not_null", success=False, column="id")
    facet = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=[failed])
    for state in (RunState.START, RunState.COMPLETE):
        client.emit(
            RunEvent(
                eventType=state,
                eventTime=timezone.now().isoformat(),
                run=Run(runId=RUN),
                job=Job(namespace="airflow", name="orders"),
                inputs=[InputDataset("postgres://db", "raw.orders", inputFacets={"dataQualityAssertions": facet})],
                outputs=[OutputDataset("postgres://db", "core.orders")],
                producer="https://example.org",
            )
        )
    client.close()
    assert edges() == [("staging", "core", "openlineage")]
    assert ReportedRun.objects.get().state == "succeeded"
    assert set(ExternalCheck.objects.values_list("status", "pipeline__slug")) == {("pass", "core"), ("fail", "staging")}


def test_dbt_ol_sends_the_lineage_of_a_real_build(live_server, token, dbt_target, tmp_path, a, b):
    """In `make faults`, dbt-ol runs dbt itself. The suite lets it read what dbt wrote for all tests."""
    staging, core = (make_pipeline(name, primary=a, secondary=b) for name in ("Staging", "Core"))
    save_mapping_rule(MappingRule(tool="openlineage", pattern="dataset/*/shop.main.stg_*", pipeline=staging))
    save_mapping_rule(MappingRule(tool="openlineage", pattern="dataset/*/shop.main.*", pipeline=core))
    project = shutil.copytree(Path(__file__).parent.parent / "dbt" / "shop", tmp_path / "shop")
    tools = Path(sys.prefix) / "dbt" / "bin"
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SHOP_DATABASE": str((tmp_path if THOROUGH else dbt_target) / "shop.duckdb"),
        "OPENLINEAGE_URL": live_server.url,
        "OPENLINEAGE_ENDPOINT": PATH.lstrip("/"),
        "OPENLINEAGE_API_KEY": token,
        "OPENLINEAGE_NAMESPACE": "dbt",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
    }
    command = ["build"] if THOROUGH else ["send-events", "--target-path", dbt_target]
    run = subprocess.run(
        [tools / "python", tools / "dbt-ol", *command, "--project-dir", project, "--profiles-dir", project],
        env=environment, cwd=project, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert "emitted" in run.stdout.lower() + run.stderr.lower(), run.stdout + run.stderr
    assert edges() == [("staging", "core", "openlineage")]
    jobs = OpenLineageNode.objects.filter(kind="job", pipeline=core).values_list("key", flat=True)
    assert any("orders" in key for key in jobs)
    failing = ExternalCheck.objects.filter(tool="openlineage", status="fail").values_list("name", flat=True)
    assert any("accepted_values" in name for name in failing), list(ExternalCheck.objects.values("key", "status"))
