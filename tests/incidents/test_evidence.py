"""Evidence: blocks of a runbook run for an incident, only with approved SQL, and hide rows as the rules say."""

import datetime as dt
import sqlite3
from contextlib import closing

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from incidents import tasks
from incidents.models import Evidence, Incident, QueryApproval
from incidents.queries.evidence import MAX_BLOCKS, evidence_items, runbook_blocks
from incidents.services import evidence as services
from incidents.services.evidence import (
    approve_block,
    approve_query,
    claim_evidence,
    request_evidence,
    rerun_evidence,
    revoke_approval,
    run_evidence,
)
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import reopen, resolve
from runbooks.models import Runbook
from runbooks.services import save_revision
from tests.each import each
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE, make_incident
from tests.validation.fixtures import AT, make_check, make_metric, make_warehouse, push
from tests.validation.fixtures import run as run_validation_check
from validation.services.data_sources import create_data_source

SLUG = "daily-growth-experiment-focused"
QUERY = "SELECT day, events FROM logs ORDER BY day"
STEPS = f"""### Troubleshooting Steps

1. Check upstream log systems for delays.

   ```sql source="Demo warehouse"
   {QUERY}
   ```
2. Review the check.
   check: logs-are-fresh
3. Rerun failed tasks in the pipeline.
"""


@pytest.fixture
def source(admin, tmp_path):
    address = make_warehouse(
        tmp_path / "demo.sqlite",
        "CREATE TABLE logs (day TEXT, events INTEGER)",
        "INSERT INTO logs VALUES ('2026-11-24', 7), ('2026-11-25', NULL)",
    )
    return create_data_source(name="Demo warehouse", address=address, by=admin)


def write_runbook(pipeline, markdown=STEPS, author=None):
    runbook = Runbook.objects.select_related("pipeline").get(pipeline=pipeline)
    save_revision(runbook, markdown=markdown, based_on=runbook.revision, author=author)
    runbook.refresh_from_db()
    return runbook


@pytest.fixture
def runbook(pipeline, a):
    return write_runbook(pipeline, author=a)


def run_due(at):
    """Run the sweep and its tasks."""
    request_evidence(at=at)
    return [run_evidence(claimed, at=at) for claimed in claim_evidence(at=at)]


def sql_block(runbook):
    [state] = [one for one in runbook_blocks(runbook) if one.block.kind == "sql"]
    return state


def test_an_approved_query_runs_when_an_incident_opens(pipeline, runbook, source, admin, now):
    state = sql_block(runbook)
    assert (state.step, state.source, state.state, state.block.query) == (1, source, "waiting", QUERY)
    approve_block(runbook, key=state.block.key, by=admin, at=now)
    assert sql_block(runbook).state == "ready"
    incident = make_incident(pipeline, at=now)
    assert not incident.evidence.exists()
    run_due(now)
    row = incident.evidence.get(kind="sql")
    assert (row.state, row.columns, row.rows) == (
        "done",
        ["day", "events"],
        [["2026-11-24", 7], ["2026-11-25", None]],
    )
    assert (row.step, row.revision, row.round, row.requested_by, row.is_truncated) == (1, 2, 1, None, False)
    assert row.started_at == now <= row.finished_at
    assert run_due(now) == []
    assert incident.evidence.count() == 2


def test_new_or_changed_sql_waits_for_an_admin(pipeline, runbook, source, admin, a, now):
    incident = make_incident(pipeline, at=now)
    run_due(now)
    row = incident.evidence.get(kind="sql")
    assert (row.state, row.rows, row.due_at) == ("waiting", [], None)
    with pytest.raises(NotAllowedError):
        approve_block(runbook, key=row.key, by=a, at=now)
    with pytest.raises(NotAllowedError):
        approve_query(source, query=QUERY, by=a, at=now)
    approve_block(runbook, key=row.key, by=admin, at=now)
    run_due(now)
    row.refresh_from_db()
    assert (row.state, len(row.rows)) == ("done", 2)
    changed = write_runbook(pipeline, STEPS.replace("ORDER BY day", "ORDER BY events"))
    assert sql_block(changed).state == "waiting"
    with pytest.raises(DomainError, match="no longer has this block"):
        approve_block(changed, key=row.key, by=admin, at=now)


def test_an_approval_while_the_incident_was_resolved_counts_when_it_reopens(pipeline, runbook, source, admin, a, now):
    incident = make_incident(pipeline, at=now)
    run_due(now)
    resolve(incident, by=a, at=now + MINUTE)
    approve_query(source, query=QUERY, by=admin, at=now + MINUTE)
    assert run_due(now + MINUTE) == []
    reopen(incident, by=a, at=now + 2 * MINUTE)
    run_due(now + 2 * MINUTE)
    run_due(now + 3 * MINUTE)
    row = incident.evidence.get(kind="sql")
    assert (row.state, row.round, len(row.rows)) == ("done", 2, 2)


def test_an_approval_between_the_read_and_the_end_of_a_run_counts(pipeline, runbook, source, admin, now, monkeypatch):
    incident = make_incident(pipeline, at=now)
    run_due(now)
    approval = approve_query(source, query=QUERY, by=admin, at=now)
    [claimed] = claim_evidence(at=now)
    revoke_approval(approval, by=admin)
    finish = services._finish

    def approve_first(row, **fields):
        approve_query(source, query=QUERY, by=admin, at=now)
        return finish(row, **fields)

    monkeypatch.setattr(services, "_finish", approve_first)
    assert run_evidence(claimed, at=now).state == "waiting"
    monkeypatch.undo()
    run_due(now)
    assert incident.evidence.get(kind="sql").state == "done"


def test_the_rows_of_an_approval_that_is_revoked_during_the_run_are_not_saved(
    pipeline, runbook, source, admin, now, monkeypatch
):
    approval = approve_query(source, query=QUERY, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    read_table = services.read_table

    def read_and_revoke(*args, **fields):
        table = read_table(*args, **fields)
        revoke_approval(approval, by=admin)
        return table

    monkeypatch.setattr(services, "read_table", read_and_revoke)
    run_due(now)
    row = incident.evidence.get(kind="sql")
    assert (row.state, row.columns, row.rows, row.approval, row.due_at) == ("waiting", [], [], None, None)


def test_evidence_does_not_wait_for_a_data_source_that_was_deleted(pipeline, runbook, source, now):
    incident = make_incident(pipeline, at=now)
    run_due(now)
    source.delete()
    run_due(now)
    run_due(now + MINUTE)
    row = incident.evidence.get(kind="sql")
    assert (row.state, row.error) == ("failed", "The data source was deleted.")


def test_an_approval_is_for_one_data_source(pipeline, source, admin, now, tmp_path):
    approve_query(source, query=QUERY, by=admin, at=now)
    create_data_source(name="Other", address=make_warehouse(tmp_path / "other.sqlite"), by=admin)
    runbook = write_runbook(pipeline, STEPS.replace('"Demo warehouse"', "Other"))
    assert (sql_block(runbook).source.name, sql_block(runbook).state) == ("Other", "waiting")
    assert sql_block(write_runbook(pipeline, STEPS.replace('"Demo warehouse"', "DEMO Warehouse"))).state == "ready"


def test_an_approval_revoked_before_the_run_does_not_count(pipeline, runbook, source, admin, now):
    approval = approve_query(source, query=QUERY, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    request_evidence(at=now)
    revoke_approval(approval, by=admin)
    run_due(now)
    assert incident.evidence.get(kind="sql").state == "waiting"


@pytest.mark.parametrize("query", ["DELETE FROM logs", "SELECT 1; SELECT 2", ""])
def test_only_one_select_is_approved(pipeline, source, admin, now, query):
    with pytest.raises(InvalidInputError):
        approve_query(source, query=query, by=admin, at=now)


def test_a_block_that_cannot_run_says_why(pipeline, source, now):
    markdown = STEPS.replace('"Demo warehouse"', "nowhere")
    assert [one.problem for one in runbook_blocks(write_runbook(pipeline, markdown))] == [
        "There is no data source “nowhere”.",
        "There is no check “logs-are-fresh”.",
    ]
    incident = make_incident(pipeline, at=now)
    run_due(now)
    assert list(incident.evidence.values_list("state", "error")) == [
        ("failed", "There is no data source “nowhere”."),
        ("failed", "There is no check “logs-are-fresh”."),
    ]


@each("character", "\u200b\u00a0\u00ad\u034f\u061c\u115f\u3164\u2800\ufe0f\uffa0\U000e0041")
def test_a_query_with_invisible_characters_cannot_be_approved(pipeline, source, admin, now, character):
    runbook = write_runbook(pipeline, STEPS.replace(QUERY, f"SELECT{character}1 -- x"))
    [state, _] = runbook_blocks(runbook)
    assert state.problem == "The query contains invisible characters. Type it again."
    with pytest.raises(DomainError):
        approve_block(runbook, key=state.block.key, by=admin, at=now)


def test_look_alike_characters_are_named_before_an_approval(signed_in, client, pipeline, source, admin):
    """A Cyrillic o in a table name: the query reads another table than the admin sees."""
    name = "\u043e (U+043E, Cyrillic small letter o)"
    write_runbook(pipeline, STEPS.replace("FROM logs", "FROM l\u043egs"))
    page = signed_in(admin).get(f"/runbooks/{SLUG}/").content.decode()
    assert f"Look-alike characters: {name}." in page
    row, check = client.get(f"/api/v1/runbooks/{SLUG}/evidence/", **bearer(admin)).json()["results"]
    assert (row["look_alikes"], check["look_alikes"]) == ([name], [])
    write_runbook(pipeline)
    assert "Look-alike" not in signed_in(admin).get(f"/runbooks/{SLUG}/").content.decode()


def test_a_query_that_fails_is_repeated_once(pipeline, source, admin, now):
    query = "SELECT events FROM nowhere"
    write_runbook(pipeline, STEPS.replace(QUERY, query))
    approve_query(source, query=query, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    run_due(now)
    row = incident.evidence.get(kind="sql")
    assert (row.state, row.attempts) == ("pending", 1)
    assert run_due(now) == []
    run_due(now + services.RETRY_WAIT)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("failed", 2, "The query failed.")
    assert "nowhere" in row.error_details


def test_a_run_whose_worker_was_killed_is_repeated_once(pipeline, runbook, source, admin, now):
    approve_query(source, query=QUERY, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    request_evidence(at=now)
    at = now
    for _ in range(2):
        [lost] = [one for one in claim_evidence(at=at) if one.evidence == incident.evidence.get(kind="sql").pk]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(services, "_read", killed)
            with pytest.raises(SystemExit):
                run_evidence(lost, at=at)
        assert run_evidence(lost, at=at) is None
        at += services.RUN_LEASE
    run_due(at)
    row = incident.evidence.get(kind="sql")
    assert (row.state, row.error) == ("failed", "The run was interrupted twice.")


def killed(row):
    raise SystemExit


def test_a_run_that_outlives_its_lease_saves_nothing(pipeline, runbook, source, admin, now, monkeypatch):
    approve_query(source, query=QUERY, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    request_evidence(at=now)
    read = services._read

    def slow_read(row):
        monkeypatch.setattr(services, "_read", read)
        run_due(now + services.RUN_LEASE)
        Evidence.objects.filter(pk=row.pk).update(error="Saved by the second run.")
        return read(row)

    monkeypatch.setattr(services, "_read", slow_read)
    results = [run_evidence(one, at=now) for one in claim_evidence(at=now)]
    assert None in results
    assert incident.evidence.get(kind="sql").error == "Saved by the second run."


def test_long_results_are_cut_and_values_outside_json_become_text(pipeline, source, admin, now):
    query = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
        "SELECT i, 9e999 AS big, 'x' || char(0) AS nul, printf('%300d', i) AS wide FROM n"
    )
    write_runbook(pipeline, STEPS.replace(QUERY, query))
    approve_query(source, query=query, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    run_due(now)
    row = incident.evidence.get(kind="sql")
    assert (row.state, len(row.rows), row.is_truncated) == ("done", services.MAX_ROWS, True)
    assert sum(len(str(cell)) for cells in row.rows for cell in cells) <= services.MAX_CHARACTERS
    assert row.rows[0] == [1, "inf", "x�", " " * services.MAX_CELL_LENGTH]


def test_a_check_block_has_the_newest_results_and_the_points_around_the_failure(signed_in, pipeline, runbook, admin, a):
    metric = make_metric(pipeline, "logs")
    push(metric, [10.0, 11.0, None, 1.0])
    check = make_check(pipeline, a, metric=metric, name="Logs are fresh", parameters={"fail_below": 5}, is_active=True)
    run_validation_check(check)
    incident = make_incident(pipeline, at=AT)
    run_due(AT)
    row = incident.evidence.get(kind="check")
    columns = ["What", "Time", "Value", "Status", "Expected", "Message"]
    assert (row.state, row.columns, row.check_id) == ("done", columns, check.pk)
    result, *points = row.rows
    assert result == ["Result", "2026-11-24", 1.0, "fail", "at least 5 users", check.last_message]
    assert [(one[1], one[2], one[5]) for one in points][-4:] == [
        ("2026-11-21", 10.0, ""),
        ("2026-11-22", 11.0, ""),
        ("2026-11-23", None, "Missing"),
        ("2026-11-24", 1.0, ""),
    ]
    assert f'Check <a href="/checks/{check.pk}/">Logs are fresh</a>' in page_html(
        signed_in(a).get(f"/incidents/{incident.pk}/")
    )
    assert row.shows_rows_to(a)


def test_evidence_stays_with_the_run_and_can_run_again(pipeline, runbook, source, admin, a, now):
    approve_query(source, query=QUERY, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    run_due(now)
    run = start_run(incident, by=a, at=now)
    assert run.evidence.count() == 2
    key = sql_block(runbook).block.key
    assert rerun_evidence(incident, by=a, at=now + MINUTE, key=key) == 1
    assert rerun_evidence(incident, by=a, at=now + MINUTE, key=key) == 0
    with closing(sqlite3.connect(source.address.removeprefix("sqlite:///"))) as warehouse, warehouse:
        warehouse.execute("DELETE FROM logs")
    run_due(now + MINUTE)
    [item, _] = evidence_items(incident)
    assert (item.newest.rows, item.newest.requested_by, item.newest.run) == ([], a, run)
    assert [len(row.rows) for row in item.earlier] == [2]
    resolve(incident, by=a, at=now + 2 * MINUTE)
    with pytest.raises(DomainError, match="resolved"):
        rerun_evidence(incident, by=a, at=now + 3 * MINUTE)
    reopen(incident, by=a, at=now + 4 * MINUTE)
    run_due(now + 5 * MINUTE)
    assert {item.newest.round for item in evidence_items(Incident.objects.get(pk=incident.pk))} == {2}
    assert run.evidence.count() == 3


def test_results_and_runbooks_have_a_limit(pipeline, source, admin, now):
    wide = ", ".join(f"printf('%200d', i) AS c{number}" for number in range(20))
    query = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT {wide} FROM n"  # noqa: S608
    checks = "".join(f"   check: c{number}\n" for number in range(60))
    runbook = write_runbook(pipeline, STEPS.replace(QUERY, query).replace("   check: logs-are-fresh\n", checks))
    assert len(runbook_blocks(runbook)) == MAX_BLOCKS
    approve_query(source, query=query, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    run_due(now)
    assert incident.evidence.count() == MAX_BLOCKS
    row = incident.evidence.get(kind="sql")
    assert (len(row.rows), row.is_truncated) == (services.MAX_CHARACTERS // 4000, True)


def test_an_incident_without_a_runbook_or_blocks_has_no_evidence(pipeline, now):
    incident = make_incident(pipeline, at=now)
    assert request_evidence(at=now) == 1
    assert request_evidence(at=now) == 0
    assert not incident.evidence.exists()
    Runbook.objects.get(pipeline=pipeline).delete()
    make_incident(pipeline, at=now)
    assert request_evidence(at=now) == 1


def test_the_database_refuses_two_unfinished_runs_of_a_block(pipeline, runbook, now):
    incident = make_incident(pipeline, at=now)
    request_evidence(at=now)
    row = incident.evidence.first()
    row.pk, row.state, row.due_at, row.finished_at = None, "pending", now, None
    row.save(force_insert=True)
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_slow_data_source_does_not_hold_every_worker(pipeline, runbook, source, admin, now):
    approve_query(source, query=QUERY, by=admin, at=now)
    waiting = [make_incident(pipeline, at=now) for _ in range(3)]
    request_evidence(at=now)
    rows = Evidence.objects.filter(incident__in=waiting, kind="sql").order_by("pk")
    rows.filter(pk__in=[row.pk for row in rows[:2]]).update(
        started_at=now - services.MIN_SLOW_RUN, lease_until=now + MINUTE, claim="00000000-0000-4000-8000-000000000000"
    )
    run_due(now)
    last = rows.last()
    assert (last.state, last.attempts, last.due_at) == ("pending", 0, now + services.RETRY_WAIT)


def test_the_sweep_starts_a_task_for_each(pipeline, runbook, source, admin, monkeypatch):
    approve_query(source, query=QUERY, by=admin, at=timezone.now())
    incident = make_incident(pipeline, at=timezone.now())
    monkeypatch.setattr(tasks.run_evidence, "delay", tasks.run_evidence)
    tasks.sweep_evidence()
    assert incident.evidence.get(kind="sql").state == "done"


def test_the_api_lists_evidence_and_hides_rows_from_engineers(client, pipeline, runbook, source, admin, a, now):
    approval = approve_query(source, query=QUERY, by=admin, at=now)
    incident = make_incident(pipeline, at=now)
    run_due(now)
    path = f"/api/v1/incidents/{incident.pk}/evidence/"
    [row, _] = client.get(path, **bearer(a)).json()["results"]
    assert (row["rows"], row["row_count"], row["rows_hidden"], row["columns"]) == ([], 2, True, ["day", "events"])
    [row, _] = client.get(path, **bearer(admin)).json()["results"]
    assert (row["rows"][0], row["rows_hidden"], row["source"]) == (["2026-11-24", 7], False, "Demo warehouse")
    QueryApproval.objects.filter(pk=approval.pk).update(rows_for_engineers=True)
    [row, _] = client.get(path, **bearer(a)).json()["results"]
    assert (len(row["rows"]), row["rows_hidden"], row["state"], row["step"]) == (2, False, "done", 1)
    answer = client.post(path, {"key": row["key"]}, content_type="application/json", **bearer(a))
    assert (answer.status_code, answer.json()["count"]) == (202, 3)
    assert client.post(path, {"key": "x"}, content_type="application/json", **bearer(a)).status_code == 400
    assert client.post(path, {"key": "0" * 64}, content_type="application/json", **bearer(a)).status_code == 409


def test_admins_approve_and_revoke_through_the_api(client, pipeline, runbook, source, admin, a):
    path = f"/api/v1/runbooks/{SLUG}/evidence/"
    sql, check = client.get(path, **bearer(a)).json()["results"]
    assert (sql["state"], sql["query"], sql["source"], sql["step"]) == ("waiting", QUERY, "Demo warehouse", 1)
    assert (check["state"], check["name"]) == ("problem", "logs-are-fresh")
    approve = f"{path}{sql['key']}/approve/"
    body = {"rows_for_engineers": True}
    assert client.post(approve, body, content_type="application/json", **bearer(a)).status_code == 403
    answer = client.post(approve, body, content_type="application/json", **bearer(admin)).json()
    assert (answer["state"], answer["approved_by"], answer["rows_for_engineers"]) == ("ready", "admin", True)
    answer = client.post(f"{path}{sql['key']}/revoke/", content_type="application/json", **bearer(admin)).json()
    assert (answer["state"], answer["approved_by"]) == ("waiting", None)
    answer = client.post(f"{path}{'0' * 64}/approve/", content_type="application/json", **bearer(admin))
    assert answer.status_code == 409
    assert client.get("/api/v1/runbooks/nowhere/evidence/", **bearer(a)).status_code == 404


def test_the_api_has_step_statistics(client, pipeline, a, now):
    incident = make_incident(pipeline, at=now)
    start_run(incident, by=a, at=now)
    client.post(
        f"/api/v1/incidents/{incident.pk}/steps/", {"position": 2}, content_type="application/json", **bearer(a)
    )
    resolve(incident, by=a, at=timezone.now() + dt.timedelta(hours=1), fixed_by_step=2)
    rows = client.get(f"/api/v1/runbooks/{SLUG}/steps/", **bearer(a)).json()["results"]
    assert [(row["position"], row["runs"], row["done"], row["fixed"]) for row in rows] == [
        (1, 1, 0, 0),
        (2, 1, 1, 1),
        (3, 1, 0, 0),
    ]
    assert rows[1]["seconds_to_resolve"] > 0


def page_html(answer):
    return " ".join(answer.content.decode().split())


def test_the_runbook_shows_the_state_of_each_block_and_admins_approve(signed_in, pipeline, runbook, source, admin, a):
    path, key = f"/runbooks/{SLUG}/", sql_block(runbook).block.key
    page = page_html(signed_in(a).get(path))
    assert "Query on Demo warehouse" in page
    assert "waiting for approval" in page
    assert "There is no check “logs-are-fresh”." in page
    assert "Approve query" not in page
    assert signed_in(a).post(f"{path}evidence/{key}/approve/").status_code == 403
    assert "Approve query" in page_html(signed_in(admin).get(path))
    answer = signed_in(admin).post(f"{path}evidence/{key}/approve/", {"rows_for_engineers": "1"}, follow=True)
    assert "Query approved." in page_html(answer)
    assert "Engineers see the rows." in page_html(answer)
    answer = signed_in(admin).post(f"{path}evidence/{key}/revoke/", follow=True)
    assert "Approval revoked." in page_html(answer)
    assert not QueryApproval.objects.exists()
    answer = signed_in(admin).post(f"{path}evidence/{'0' * 64}/approve/", follow=True)
    assert "no longer has this block" in page_html(answer)


def test_a_block_outside_the_steps_says_that_it_does_not_run(signed_in, pipeline, source, a):
    write_runbook(pipeline, f"### Purpose\n\n```sql source=Demo warehouse\n{QUERY}\n```\n")
    assert "This block does not run." in page_html(signed_in(a).get(f"/runbooks/{SLUG}/"))


def test_the_incidents_page_shows_the_rows_under_the_step(signed_in, pipeline, runbook, source, admin, a):
    at = timezone.now()
    approve_query(source, query=QUERY, by=admin, at=at, rows_for_engineers=True)
    incident = make_incident(pipeline, at=at)
    path = f"/incidents/{incident.pk}/"
    assert "Evidence" not in page_html(signed_in(a).get(path))
    request_evidence(at=at)
    page = page_html(signed_in(a).get(path))
    assert "1. Check upstream log systems for delays." in page
    assert "running" in page
    run_due(at)
    fragment = page_html(signed_in(a).get(f"{path}evidence/{sql_block(runbook).block.key}/"))
    page = page_html(signed_in(a).get(path))
    for text in (page, fragment):
        assert '<td class="short">2026-11-24</td><td class="short">7</td>' in text
        assert '<td class="short">2026-11-25</td><td class="short">–</td>' in text
    assert "hx-get" not in fragment
    start_run(incident, by=a, at=at)
    page = page_html(signed_in(a).get(path))
    checklist = page[page.index('<form class="checklist"') : page.index("</form>", page.index('class="checklist"'))]
    assert '<td class="short">2026-11-24</td><td class="short">7</td>' in checklist
    assert 'id="evidence-all"' not in page
    resolve(incident, by=a, at=at)
    page = page_html(signed_in(a).get(path))
    assert page.count('<td class="short">2026-11-24</td><td class="short">7</td>') == 1
    assert "Run again" not in page
    assert signed_in(a).get(f"{path}evidence/{'0' * 64}/").status_code == 404


def test_values_are_hidden_without_permission(signed_in, pipeline, runbook, source, admin, a):
    approve_query(source, query=QUERY, by=admin, at=timezone.now())
    incident = make_incident(pipeline, at=timezone.now())
    run_due(timezone.now())
    page = page_html(signed_in(a).get(f"/incidents/{incident.pk}/"))
    assert "2 rows. Only admins can see the values." in page
    assert ">7</td>" not in page
    assert ">7</td>" in page_html(signed_in(admin).get(f"/incidents/{incident.pk}/"))


def test_running_again_saves_the_notes_on_the_checklist(signed_in, pipeline, runbook, source, admin, a):
    approve_query(source, query=QUERY, by=admin, at=timezone.now())
    incident = make_incident(pipeline, at=timezone.now())
    run_due(timezone.now())
    start_run(incident, by=a, at=timezone.now())
    fields = {"key": sql_block(runbook).block.key, "note-2": "Typed.", "shown-2": ""}
    answer = signed_in(a).post(f"/incidents/{incident.pk}/evidence/", fields, follow=True)
    assert "Evidence requested." in page_html(answer)
    assert incident.runs.get().steps.get(position=2).note == "Typed."
    assert incident.evidence.filter(kind="sql").count() == 2
    answer = signed_in(a).post(f"/incidents/{incident.pk}/evidence/", {"key": fields["key"]}, follow=True)
    assert "already requested" in page_html(answer)
    assert signed_in(a).post(f"/incidents/{incident.pk}/evidence/", {"key": "x"}).status_code == 409


def test_admins_read_evidence_and_revoke_approvals_in_the_admin(signed_in, pipeline, runbook, source, admin):
    approval = approve_query(source, query=QUERY, by=admin, at=timezone.now())
    incident = make_incident(pipeline, at=timezone.now())
    run_due(timezone.now())
    client, row = signed_in(admin), incident.evidence.get(kind="sql")
    assert QUERY in page_html(client.get(f"/admin/incidents/evidence/{row.pk}/change/"))
    assert client.post(f"/admin/incidents/evidence/{row.pk}/change/", {"query": "SELECT 1"}).status_code == 403
    assert client.get("/admin/incidents/queryapproval/add/").status_code == 403
    fields = {"action": "revoke", "_selected_action": [approval.pk]}
    assert "1 approval revoked." in page_html(client.post("/admin/incidents/queryapproval/", fields, follow=True))
    assert not QueryApproval.objects.exists()


def test_the_number_of_queries_does_not_depend_on_the_number_of_blocks(signed_in, pipeline, source, admin, a):
    counts = []
    for blocks in (1, 30):
        steps = "".join(
            f"{number}. Look.\n   ```sql source=Demo warehouse\n   SELECT {number}\n   ```\n   check: c{number}\n"
            for number in range(1, blocks + 1)
        )
        write_runbook(pipeline, f"### Troubleshooting Steps\n\n{steps}")
        for number in range(1, blocks + 1):
            approve_query(source, query=f"SELECT {number}", by=admin, at=timezone.now())
        incident = make_incident(pipeline, at=timezone.now())
        request_evidence(at=timezone.now())
        start_run(incident, by=a, at=timezone.now())
        client = signed_in(a)
        for path in (f"/incidents/{incident.pk}/", f"/runbooks/{SLUG}/", f"/api/v1/incidents/{incident.pk}/evidence/"):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            counts.append(len(captured))
    assert counts[:3] == counts[3:]
