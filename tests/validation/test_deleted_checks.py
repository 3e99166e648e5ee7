"""Deleting a check on its page, in the API and in the admin, and restoring it for 30 days."""

import datetime as dt
import re

import pytest

from common.confirmation import read_confirmation
from tests.factories import bearer
from tests.validation.fixtures import AT, make_check, make_metric, push, run
from validation.models import Check
from validation.queries.checks import deleted_checks
from validation.services.checks import delete_check

DAY = dt.timedelta(days=1)
LISTED = "/api/v1/checks/"


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


@pytest.fixture
def check(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    push(metric, [5])
    run(check)
    return check


def confirmation(page):
    """Return the question behind the only button of a page that asks first."""
    [asked] = re.findall(r'name="ask" value="(.*?)"', page)
    return read_confirmation(asked)


def names(rows):
    return [row.name for row in rows]


def test_deleting_asks_first_and_is_restored_from_the_list(signed_in, check, a):
    browser, page = signed_in(a), f"/checks/{check.pk}/"
    asked = confirmation(browser.get(page).content.decode())
    assert (asked.action, asked.button) == (f"{page}remove/", "Delete check")
    assert asked.detail == "It and its 1 result can be restored for 30 days, under Recently deleted."
    assert "Recently deleted" not in browser.get("/checks/").content.decode()
    assert names(Check.objects.all()) == [check.name]
    assert browser.post(f"{page}remove/", follow=True).redirect_chain == [("/checks/", 302)]
    assert browser.get(page).status_code == 404
    assert 'href="/checks/deleted/"' in browser.get("/checks/").content.decode()
    listed = browser.get("/checks/deleted/").content.decode()
    assert (check.name in listed, f'action="{page}restore/"' in listed) == (True, True)
    assert browser.post(f"{page}restore/").headers["Location"] == page
    assert browser.get(page).status_code == 200
    assert "No deleted checks" in browser.get("/checks/deleted/").content.decode()


def test_a_check_without_results_says_that_it_is_gone_for_good(signed_in, metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    browser, page = signed_in(a), f"/checks/{check.pk}/"
    assert confirmation(browser.get(page).content.decode()).detail == "It has no results, so it is deleted for good."
    browser.post(f"{page}remove/")
    assert not Check.all_objects.exists()


def test_the_api_deletes_lists_and_restores(client, check, a):
    call = f"{LISTED}{check.pk}/"
    answer = client.delete(call, **bearer(a))
    assert (answer.status_code, answer.json()["deleted_by"]) == (200, a.username)
    [row] = client.get(LISTED, {"deleted": "true"}, **bearer(a)).json()["results"]
    assert row == answer.json()
    deleted, until = (dt.datetime.fromisoformat(row[name]) for name in ("deleted_at", "restorable_until"))
    assert until - deleted == 30 * DAY
    assert client.get(LISTED, {"deleted": "false"}, **bearer(a)).json()["count"] == 0
    filters = {"deleted": "true", "pipeline": check.pipeline.slug, "status": "fail"}
    assert client.get(LISTED, filters, **bearer(a)).json()["count"] == 1
    assert client.get(LISTED, {**filters, "status": "pass"}, **bearer(a)).json()["count"] == 0
    assert [client.get(call, **bearer(a)).status_code, client.delete(call, **bearer(a)).status_code] == [404, 404]
    restored = client.post(f"{call}restore/", **bearer(a))
    assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)
    assert client.post(f"{call}restore/", **bearer(a)).status_code == 200
    assert client.post(f"{LISTED}987654/restore/", **bearer(a)).status_code == 404


def test_the_api_deletes_a_check_without_results_for_good(client, metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    assert client.delete(f"{LISTED}{check.pk}/", **bearer(a)).status_code == 204
    assert not Check.all_objects.exists()


def test_a_result_of_a_deleted_check_is_gone_too(client, check, a):
    result = check.results.get()
    delete_check(check, by=a, at=AT)
    for answer in (
        client.get(f"/api/v1/results/{result.pk}/", **bearer(a)),
        client.post(f"/api/v1/results/{result.pk}/acknowledge/", **bearer(a)),
    ):
        assert answer.status_code == 404


def test_an_edit_of_a_check_that_was_deleted_meanwhile_is_refused(signed_in, client, check, a, monkeypatch):
    from validation.views import checks as pages

    fields = {"name": "Mine", "severity": "fail", "interval_minutes": 60, "settle_minutes": 0, "confirm": 1, "confirm_of": 1,
              "cooldown_minutes": 0, "holidays": "ordinary", "metric": check.metric_id, "parameters.fail_below": 3}  # fmt: skip
    monkeypatch.setattr(pages, "_get_check", lambda pk: check)
    delete_check(Check.objects.get(pk=check.pk), by=a, at=AT)
    answer = signed_in(a).post(f"/checks/{check.pk}/edit/", fields)
    assert (answer.status_code, "This check was deleted." in answer.content.decode()) == (400, True)
    assert 'value="Mine"' in answer.content.decode()


def test_an_admin_deletes_and_restores_in_the_admin(signed_in, check, admin):
    browser, listed = signed_in(admin), "/admin/validation/check/"
    selected = {"_selected_action": check.pk}
    browser.post(listed, {**selected, "action": "delete_selected", "post": "yes"})
    assert names(deleted_checks()) == [check.name]
    assert f"{check.pk}/change/" not in browser.get(listed).content.decode()
    assert f"{check.pk}/change/" in browser.get(f"{listed}?deleted=yes").content.decode()
    browser.post(f"{listed}?deleted=yes", {**selected, "action": "restore"})
    assert names(Check.objects.all()) == [check.name]


@pytest.mark.parametrize("page", ["/checks/deleted/", f"{LISTED}?deleted=true"])
def test_the_list_needs_the_same_queries_for_one_and_for_thirty(signed_in, metric, a, page, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def add(count):
        for _ in range(count):
            created = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
            Check.objects.filter(pk=created.pk).update(deleted_at=AT, deleted_by=a, next_due_at=None)

    browser = signed_in(a)
    add(1)
    browser.get(page)
    with CaptureQueriesContext(connection) as captured:
        browser.get(page)
    add(29)
    with django_assert_num_queries(len(captured)):
        browser.get(page)
