"""Results of other tools: import, API, pages and mapping rules."""

import datetime as dt
import json
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.exceptions import InvalidInputError
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant
from notifications.registry import load
from people.models import ApiToken
from tests.each import each
from tests.factories import bearer, make_pipeline
from tests.validation.samples import path_of, sample
from validation.models import ExternalCheck, ExternalFinding, MappingRule, ReportedRun
from validation.notifications import notify_external_errors
from validation.queries.external import failing_external_checks
from validation.services import imports
from validation.services.external_results import delete_mapping_rule, record_file, save_mapping_rule
from validation.views import external

AT = dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC)
FILES = [
    ("dbt", "dbt_run_results", 7),
    ("dbt", "dbt_sources", 3),
    ("great-expectations", "great_expectations", 5),
    ("soda", "soda", 5),
    ("airflow", "airflow", 1),
]
KINDS = pytest.mark.parametrize(("kind", "name", "count"), FILES)


@pytest.fixture
def profit(a, b):
    return make_pipeline("Unit-level profit (experiment-focused)", primary=a, secondary=b)


def post(client, kind, document, headers):
    body = document if isinstance(document, bytes) else json.dumps(document)
    return client.post(f"/api/v1/integrations/{kind}/", body, content_type="application/json", **headers)


def add_rule(pipeline, pattern="*", tool=""):
    rule = MappingRule(tool=tool, pattern=pattern, pipeline=pipeline)
    save_mapping_rule(rule)
    return rule


def everything():
    return list(ExternalCheck.objects.order_by("pk").values()), list(ExternalFinding.objects.order_by("pk").values())


@KINDS
def test_posting_a_file_twice_changes_nothing(client, a, kind, name, count):
    headers = bearer(a)
    first = post(client, kind, sample(name), headers)
    assert (first.status_code, first.json()["new"], first.json()["known"]) == (200, count, 0)
    assert len(first.json()["unmapped"]) == count
    before = everything()
    assert len(before[1]) == count
    second = post(client, kind, sample(name), headers)
    assert (second.json()["new"], second.json()["known"]) == (0, count)
    assert everything() == before


@KINDS
def test_the_command_imports_a_file(db, capsys, kind, name, count):
    call_command("import_results", kind, str(path_of(name)))
    assert f"{count} new, 0 already known" in capsys.readouterr().out
    call_command("import_results", kind, str(path_of(name)))
    output = capsys.readouterr().out
    assert f"0 new, {count} already known" in output
    assert output.count("unmapped: ") == count


@KINDS
def test_imported_checks_are_listed_in_the_api_and_the_admin(client, signed_in, admin, profit, kind, name, count):
    record_file(kind, document=sample(name), at=AT)
    answer = client.get("/api/v1/external-checks/?unmapped=1", **bearer(admin)).json()
    assert answer["count"] == count
    add_rule(profit)
    assert client.get("/api/v1/external-checks/?unmapped=1", **bearer(admin)).json()["count"] == 0
    rows = client.get(f"/api/v1/external-checks/?pipeline={profit.slug}", **bearer(admin)).json()["results"]
    assert {row["pipeline"] for row in rows} == {profit.slug}
    page = signed_in(admin).get("/admin/validation/externalcheck/?mapped=yes").content.decode()
    assert all(row["key"].replace('"', "&quot;") in page for row in rows)
    one = ExternalCheck.objects.get(pk=rows[0]["id"])
    assert signed_in(admin).get(f"/admin/validation/externalcheck/{one.pk}/change/").status_code == 200


@each(
    ("kind", "document", "why"),
    [
        (
            "dbt",
            {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v9.json"}},
            "schema v9 is not one of",
        ),
        ("soda", [], "not an object"),
        ("great-expectations", {}, "results is not a list"),
        ("airflow", {"version": 7}, "version 7 is not 1"),
        ("dbt", b"{", "not JSON"),
        ("dbt", b"\xff", "not UTF-8"),
        ("dbt", b"[" * 100_000, "nested too deeply"),
        ("dbt", b"", "the file is empty"),
    ],
)
def test_an_invalid_file_is_a_400_with_the_reason_and_imports_nothing(client, a, kind, document, why):
    answer = post(client, kind, document, bearer(a))
    assert answer.status_code == 400
    assert why in answer.json()["file"][0]
    assert everything() == ([], [])


def test_the_command_prints_the_reason(db, tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_results", "dbt", str(path))
    path.write_text("{")
    with pytest.raises(CommandError, match="not JSON"):
        call_command("import_results", "dbt", str(path))
    path.write_text("{}")
    with pytest.raises(CommandError, match="is not the schema"):
        call_command("import_results", "dbt", str(path))


def test_an_unknown_integration_is_a_404_and_a_read_only_token_a_403(client, a):
    assert post(client, "nagios", {}, bearer(a)).status_code == 404
    assert post(client, "dbt", sample("dbt_sources"), bearer(a, scope=ApiToken.Scope.READ)).status_code == 403
    assert post(client, "dbt", sample("dbt_sources"), {}).status_code == 401
    with pytest.raises(InvalidInputError, match="nagios"):
        record_file("nagios", document={}, at=AT)


def test_odd_text_in_a_file_is_stored(client, a):
    document = sample("airflow") | {"dag_id": "a\x00b\ud800", "exception": "\x00" * 5, "duration": 10**400}
    assert post(client, "airflow", document, bearer(a)).json()["new"] == 1
    for query in ("tool=%00", "pipeline=%00", "status=%00"):
        assert client.get(f"/api/v1/external-checks/?{query}", **bearer(a)).status_code == 400


def test_a_check_shows_the_newest_result_not_the_last_import(db):
    document = sample("airflow")
    record_file(
        "airflow", document=document | {"state": "success", "exception": "", "end_date": "2026-03-02T05:00:00Z"}, at=AT
    )
    record_file("airflow", document=document, at=AT)
    check = ExternalCheck.objects.get()
    assert (check.status, check.at) == ("pass", dt.datetime(2026, 3, 2, 5, tzinfo=dt.UTC))
    assert [row.status for row in check.findings.all()] == ["pass", "fail"]


def test_a_result_without_a_time_is_recorded_once_until_it_changes(db):
    document = sample("airflow")
    for field in ("end_date", "start_date", "logical_date"):
        del document[field]
    for hour, (state, new) in enumerate([("failed", 1), ("failed", 0), ("success", 1), ("failed", 1)]):
        at = AT + dt.timedelta(hours=hour)
        exception = "Timeout" if state == "failed" else ""
        entry = document | {"state": state, "exception": exception}
        assert record_file("airflow", document=entry, at=at).new == new
    check = ExternalCheck.objects.get()
    assert (check.status, check.at) == ("fail", AT + dt.timedelta(hours=3))


def test_a_result_from_the_future_does_not_hide_later_results(db):
    ahead = sample("airflow") | {"end_date": "9999-01-01T00:00:00Z"}
    record_file("airflow", document=ahead, at=AT)
    record_file(
        "airflow",
        document=ahead | {"state": "success", "exception": "", "end_date": "2026-03-02T07:30:00Z"},
        at=AT + dt.timedelta(hours=1),
    )
    assert ExternalCheck.objects.get().status == "pass"


def test_a_source_missing_from_dbt_s_file_becomes_unknown_once(db):
    document = sample("dbt_sources")
    record_file("dbt", document=document, at=AT)
    later = {
        **document,
        "metadata": document["metadata"] | {"generated_at": "2026-03-02T06:30:00Z"},
        "results": document["results"][:1],
    }
    assert record_file("dbt", document=later, at=AT).new == 2
    assert record_file("dbt", document=later, at=AT).new == 0
    statuses = dict(ExternalCheck.objects.values_list("key", "status"))
    assert statuses == {
        "source.shop.raw.orders": "fail",
        "source.shop.raw.visits": "unknown",
        "source.shop.raw.refunds": "unknown",
    }


# Rules


def test_a_rule_applies_to_existing_checks_and_a_changed_rule_moves_them(profit, daily_growth):
    record_file("soda", document=sample("soda"), at=AT)
    rule = add_rule(profit, "shop/orders/*", tool="soda")
    mapped = ExternalCheck.objects.filter(pipeline=profit)
    assert mapped.count() == 3
    rule.pipeline = daily_growth
    assert save_mapping_rule(rule) == 3
    assert mapped.count() == 0
    assert delete_mapping_rule(rule) == 3
    assert ExternalCheck.objects.unmapped().count() == 5


def test_failing_external_checks_of_a_pipeline(profit):
    record_file("soda", document=sample("soda"), at=AT)
    assert not failing_external_checks().exists()
    add_rule(profit)
    assert [check.name for check in failing_external_checks()] == ["orders: columns"]


def test_a_dag_run_is_reported_as_a_pipeline_run_and_a_task_is_not(profit):
    add_rule(profit)
    dag = sample("airflow") | {"task_id": None}
    document = {
        "version": 1,
        "runs": [dag, sample("airflow"), dag | {"run_id": "manual", "state": "success", "exception": ""}],
    }
    for _ in range(2):
        record_file("airflow", document=document, at=AT)
    runs = set(ReportedRun.objects.values_list("pipeline", "key", "state", "finished_at"))
    ended = dt.datetime(2026, 3, 2, 4, 0, 5, tzinfo=dt.UTC)
    key = "scheduled__2026-03-02T03:00:00+00:00"
    assert runs == {(profit.pk, key, "failed", ended), (profit.pk, "manual", "succeeded", ended)}


def test_the_pages_list_unmapped_and_mapped_checks(signed_in, admin, a, profit):
    browser = signed_in(admin)
    assert "No external results yet" in browser.get("/checks/external/").content.decode()
    record_file("soda", document=sample("soda"), at=AT)
    page = browser.get("/checks/external/").content.decode()
    assert "5 checks are unmapped." in " ".join(page.split())
    check = ExternalCheck.objects.get(status="fail")
    one = browser.get(f"/checks/external/{check.pk}/").content.decode()
    assert "Column tax is missing" in one
    assert "Map to pipeline" in one
    assert "Map to pipeline" not in signed_in(a).get(f"/checks/external/{check.pk}/").content.decode()
    add_rule(profit)
    assert "Unmapped" not in browser.get("/checks/external/").content.decode()
    assert "orders: columns" in browser.get(f"/pipelines/{profit.slug}/").content.decode()
    assert browser.get("/checks/external/?page=%00&unmapped=x").status_code == 200
    assert browser.get("/checks/external/999999/").status_code == 404


def test_both_lists_have_their_own_pages(signed_in, a, profit, monkeypatch):
    monkeypatch.setattr(external, "CHECKS_PER_PAGE", 1)
    add_rule(profit, "*", tool="soda")
    record_file("soda", document=sample("soda"), at=AT)
    record_file("dbt", document=sample("dbt_run_results"), at=AT)
    page = signed_in(a).get("/checks/external/?unmapped=2&page=3").content.decode()
    assert re.findall(r'<a class="button" href="([^"]+)">(?:Previous|Next)', page) == [
        "?unmapped=1&amp;page=3",
        "?unmapped=3&amp;page=3",
        "?unmapped=2&amp;page=2",
        "?unmapped=2&amp;page=4",
    ]
    assert "5 mapped checks" in page


def test_admins_are_notified_once_per_error_of_a_check(admin, a):
    document = sample("dbt_run_results")
    for _ in range(2):
        record_file("dbt", document=document, at=AT)
    (message,) = Message.objects.all()
    assert (message.recipient, message.subject) == (admin, "1 dbt check cannot run")
    assert "test accepted_tags: Compilation Error" in message.text
    for hour, status in ((7, "pass"), (8, "error"), (9, "error")):
        document["results"][5]["status"] = status
        document["metadata"]["generated_at"] = f"2026-03-02T0{hour}:00:00Z"
        record_file("dbt", document=document, at=AT + dt.timedelta(hours=hour - 6))
    assert Message.objects.count() == 2


def test_a_message_about_several_checks_stays_relevant_until_all_are_fixed(admin):
    record_file("soda", document=sample("soda"), at=AT)
    ExternalCheck.objects.update(status="error", message="Broken.")
    checks = list(ExternalCheck.objects.order_by("name"))
    notify_external_errors(checks, at=AT)
    message = Message.objects.get(recipient=admin, type="external-check-error", context__checks__2__isnull=False)
    names = [check.name for check in checks]
    for number, name in enumerate(names):
        assert is_still_relevant(message, at=AT)
        text = load(message.type, message.context).body(admin)
        assert [f"{each}: " in text for each in names] == [place >= number for place in range(len(names))]
        ExternalCheck.objects.filter(name=name).update(status="pass")
    assert not is_still_relevant(message, at=AT)


def test_existing_rules_apply_to_new_results(profit):
    add_rule(profit, "shop/*")
    recorded = record_file("soda", document=sample("soda"), at=AT)
    assert recorded.unmapped == ()
    assert ExternalCheck.objects.filter(pipeline=profit).count() == 5


def test_an_admin_adds_changes_and_deletes_rules(signed_in, admin, profit, daily_growth):
    record_file("soda", document=sample("soda"), at=AT)
    browser = signed_in(admin)
    created = browser.post(
        "/admin/validation/mappingrule/add/", {"tool": "soda", "pattern": "shop/*", "pipeline": profit.pk}
    )
    assert created.status_code == 302
    assert ExternalCheck.objects.filter(pipeline=profit).count() == 5
    rule = MappingRule.objects.get()
    fields = {"tool": "soda", "pattern": "shop/*", "pipeline": daily_growth.pk}
    browser.post(f"/admin/validation/mappingrule/{rule.pk}/change/", fields)
    assert ExternalCheck.objects.filter(pipeline=daily_growth).count() == 5
    again = browser.post("/admin/validation/mappingrule/add/", fields).content.decode()
    assert "This tool and pattern already have a rule" in again
    chosen = {"action": "delete_selected", "_selected_action": rule.pk, "post": "yes"}
    browser.post("/admin/validation/mappingrule/", chosen)
    assert ExternalCheck.objects.unmapped().count() == 5


def test_an_engineer_cannot_edit_rules(signed_in, a):
    assert signed_in(a).get("/admin/validation/mappingrule/").status_code == 302


def test_the_number_of_queries_does_not_grow_with_the_file(db):
    def statements(count, hour):
        document = sample("dbt_run_results")
        entry = document["results"][0]
        document["results"] = [entry | {"unique_id": f"model.m{hour}.t{number}"} for number in range(count)]
        with CaptureQueriesContext(connection) as captured:
            record_file("dbt", document=document, at=AT)
        return len(captured)

    assert statements(30, 1) == statements(1, 2)


def test_a_process_reads_one_large_file_at_a_time(client, a, monkeypatch):
    """Reading a hostile manifest takes a hundred megabytes: several at once would use up the memory of the process."""
    monkeypatch.setattr(imports, "MAX_WAIT_SECONDS", 0.01)
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"}
    small = json.dumps({"metadata": metadata, "nodes": {"model.shop.orders": {"name": "orders"}}}).encode()
    large = small + b" " * imports.LARGE_FILE_BYTES
    with imports._large_file_lock:
        refused = post(client, "dbt", large, bearer(a))
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
        assert refused.json()["detail"].startswith("Another large file is being imported.")
        assert post(client, "dbt", small, bearer(a)).status_code == 200
    # The lock is released, although the first file is refused.
    damaged = b"{" + b" " * imports.LARGE_FILE_BYTES
    assert [post(client, "dbt", data, bearer(a)).status_code for data in (damaged, large)] == [400, 200]
