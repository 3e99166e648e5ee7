"""A deleted runbook is gone from pages, search and API, and can be restored for 30 days with its revisions and runs."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from common.confirmation import read_confirmation
from common.exceptions import DomainError
from incidents.models import RunbookRun
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import NewIncident, open_incident
from runbooks import queries, services
from runbooks.models import Runbook, RunbookRevision
from runbooks.tasks import purge_runbooks
from tests.factories import bearer, make_runbook

JSON = "application/json"
TEXT = "### Purpose\n\nTo measure growth.\n\n### Troubleshooting Steps\n\n1. Check the logs."
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def runbook(daily_growth, a):
    return make_runbook(daily_growth, TEXT, a)


@pytest.fixture
def path(runbook):
    return reverse("runbook", args=[runbook.pipeline.slug])


def confirmation(page):
    """Return the question behind the only button of a page that asks first."""
    [asked] = re.findall(r'name="ask" value="(.*?)"', page)
    return read_confirmation(asked)


def titles(rows):
    return [row.title for row in rows]


def test_deleting_asks_first_and_is_restored_from_the_list(signed_in, runbook, path, a):
    browser = signed_in(a)
    asked = confirmation(browser.get(path).content.decode())
    assert (asked.action, asked.button) == (f"{path}delete/", "Delete runbook")
    assert asked.detail == "Responders will have no runbook. It can be restored for 30 days, under Recently deleted."
    assert browser.post(f"{path}delete/").status_code == 302
    assert (titles(queries.runbooks()), titles(queries.deleted_runbooks())) == ([], [runbook.title])
    listed = browser.get("/runbooks/").content.decode()
    assert ("Recently deleted" in listed, f'action="{path}restore/"' in listed) == (True, True)
    assert browser.get(f"{path}edit/").status_code == 404
    assert f'action="{path}restore/"' in browser.get(path).content.decode()
    assert queries.search_sections("logs") == []
    assert browser.post(f"{path}restore/").headers["Location"] == path
    assert titles(queries.runbooks()) == [runbook.title]
    assert [hit.within for hit in queries.search_sections("logs")] == [runbook.pipeline.full_name]


def test_the_api_deletes_lists_and_restores(client, runbook, a, b):
    call, listed = f"/api/v1/runbooks/{runbook.pipeline.slug}/", "/api/v1/runbooks/"
    assert client.get(call, **bearer(a)).json()["deleted_at"] is None
    answer = client.delete(call, **bearer(b))
    assert (answer.status_code, answer.json()["deleted_by"]) == (200, b.username)
    [row] = client.get(listed, {"deleted": "true"}, **bearer(a)).json()["results"]
    assert row == answer.json()
    deleted, until = (dt.datetime.fromisoformat(row[name]) for name in ("deleted_at", "restorable_until"))
    assert until - deleted == 30 * DAY
    assert client.get(listed, **bearer(a)).json()["count"] == 0
    assert [client.get(call, **bearer(a)).status_code, client.delete(call, **bearer(a)).status_code] == [404, 404]
    assert client.get(listed, {"deleted": "maybe"}, **bearer(a)).status_code == 400
    restored = client.post(f"{call}restore/", **bearer(a))
    assert (restored.status_code, restored.json()["revision"], restored.json()["deleted_by"]) == (200, 1, None)
    assert client.post(f"{call}restore/", **bearer(a)).status_code == 200
    assert client.post("/api/v1/runbooks/none/restore/", **bearer(a)).status_code == 404


def test_an_admin_restores_in_the_admin(signed_in, runbook, admin):
    browser, listed = signed_in(admin), "/admin/runbooks/runbook/"
    selected = {"_selected_action": runbook.pk}
    browser.post(listed, {**selected, "action": "delete_selected", "post": "yes"})
    assert titles(queries.deleted_runbooks()) == [runbook.title]
    assert f"{runbook.pk}/change/" not in browser.get(listed).content.decode()
    assert f"{runbook.pk}/change/" in browser.get(f"{listed}?deleted=yes").content.decode()
    browser.post(f"{listed}?deleted=yes", {**selected, "action": "restore"})
    assert titles(queries.runbooks()) == [runbook.title]


def test_a_new_runbook_continues_the_revisions_of_the_deleted_one(runbook, a, b):
    services.delete_runbook(runbook, by=a, at=AT)
    created = services.create_runbook(runbook.pipeline, title=runbook.title, markdown="### New", author=b)
    assert (created.pk, created.revision, created.deleted_at) == (runbook.pk, 2, None)
    assert list(RunbookRevision.objects.order_by("number").values_list("number", "author")) == [(1, a.pk), (2, b.pk)]


def test_an_edit_of_a_deleted_runbook_is_refused_and_loses_nothing(signed_in, client, runbook, path, a, monkeypatch):
    """Deleted after the editor has read it: the text that was typed is still in the form."""
    monkeypatch.setattr("runbooks.views._runbook", lambda slug: runbook)
    services.delete_runbook(runbook, by=a, at=AT)
    with pytest.raises(DomainError, match="deleted"):
        services.save_revision(runbook, markdown="### Mine", based_on=1, author=a)
    answer = signed_in(a).post(f"{path}edit/", {"markdown": "### Mine", "based_on": 1})
    assert (answer.status_code, "### Mine" in answer.content.decode()) == (400, True)
    assert "This runbook was deleted." in answer.content.decode()


def test_after_thirty_days_it_is_deleted_for_good_and_checklists_stay(signed_in, runbook, a):
    incident = open_incident(runbook.pipeline, what=NewIncident(kind="issue", title="Late"), by=a, at=AT)
    run = start_run(incident, by=a, at=AT)
    services.delete_runbook(runbook, by=a, at=AT)
    page = f"/incidents/{incident.pk}/"
    assert f"{runbook.title} (deleted), revision 1" in signed_in(a).get(page).content.decode()
    assert services.purge_deleted_runbooks(at=AT + 30 * DAY - dt.timedelta(seconds=1)) == 0
    assert services.purge_deleted_runbooks(at=AT + 30 * DAY) == 1
    assert (Runbook.all_objects.count(), RunbookRevision.objects.count()) == (0, 0)
    assert (RunbookRun.objects.get(pk=run.pk).runbook, run.steps.count()) == (None, 1)
    assert "Runbook (deleted), revision 1" in signed_in(a).get(page).content.decode()
    with pytest.raises(DomainError, match="30 days"):
        services.restore_runbook(runbook)


def test_the_nightly_task_purges(runbook, a):
    services.delete_runbook(runbook, by=a, at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    purge_runbooks()
    assert not Runbook.all_objects.exists()
