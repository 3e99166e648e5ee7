"""Metrics, points, checks, results, runs and known events over HTTP."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.each import each
from tests.factories import bearer
from tests.thorough import THOROUGH
from tests.validation.fixtures import make_check, make_metric, make_warehouse, run
from validation.models import Check, MetricPoint
from validation.services.data_sources import create_data_source
from validation.services.points import push_points, read_points

SLUG = "daily-growth-experiment-focused"


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


@pytest.fixture
def check(metric, a):
    return make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})


def yesterday():
    return (timezone.now() - dt.timedelta(days=1)).date()


def test_pushing_points_twice_changes_nothing(client, metric, a):
    path, headers = f"/api/v1/metrics/{SLUG}/users/points/", bearer(a)
    rows = [{"at": "2026-11-23", "value": 3}, {"at": "2026-11-23", "value": 1.5, "segment": "eu"}]
    assert client.post(path, rows, content_type="application/json", **headers).json() == {
        "created": 2,
        "changed": 0,
        "unchanged": 0,
    }
    assert client.post(path, rows, content_type="application/json", **headers).json()["unchanged"] == 2
    answer = client.get(path, **headers).json()
    assert answer["count"] == 2
    assert {key: answer["results"][0][key] for key in ("at", "value", "segment")} == {
        "at": "2026-11-23",
        "value": 3,
        "segment": "",
    }
    assert client.get(f"{path}?from=2026-11-24T00:00:00Z", **headers).json()["count"] == 0


@each(
    "body",
    [
        "{}",
        "null",
        "3",
        '"x"',
        '[{"at": "2026-11-23"}]',
        '[{"at": "x", "value": 1}]',
        "[[]]",
        '[{"at": "2026-11-23", "value": 1e999}]',
    ],
)
def test_invalid_points_are_a_400(client, metric, a, body):
    path = f"/api/v1/metrics/{SLUG}/users/points/"
    assert client.post(path, body, content_type="application/json", **bearer(a)).status_code == 400
    assert not MetricPoint.objects.exists()


def test_more_than_ten_thousand_points_are_a_400(client, metric, a):
    rows = [{"at": "2026-11-23", "value": 1}] * 10_001
    answer = client.post(f"/api/v1/metrics/{SLUG}/users/points/", rows, content_type="application/json", **bearer(a))
    assert answer.status_code == 400
    assert "10,000" in answer.json()["points"][0]


def test_an_unknown_metric_is_a_404(client, metric, a):
    for path in (
        f"/api/v1/metrics/{SLUG}/none/points/",
        "/api/v1/metrics/none/users/",
        f"/api/v1/metrics/{SLUG}/none/",
    ):
        assert client.get(path, **bearer(a)).status_code == 404


def test_a_metric_is_created_and_updated(client, daily_growth, a, admin, tmp_path):
    body = {"pipeline": SLUG, "slug": "signups", "name": "Signups"}
    created = client.post("/api/v1/metrics/", body, content_type="application/json", **bearer(a))
    assert created.status_code == 201
    path = f"/api/v1/metrics/{SLUG}/signups/"
    assert (
        client.patch(path, {"unit": "people"}, content_type="application/json", **bearer(a)).json()["unit"] == "people"
    )
    again = client.post("/api/v1/metrics/", body, content_type="application/json", **bearer(a))
    assert again.status_code == 400
    create_data_source(name="W", address=make_warehouse(tmp_path / "w"), by=admin)
    pulled = {"source": "W", "query": "SELECT 1, 2"}
    assert client.patch(path, pulled, content_type="application/json", **bearer(a)).status_code == 403
    assert client.patch(path, pulled, content_type="application/json", **bearer(admin)).status_code == 200
    assert client.patch(path, {"unit": "x"}, content_type="application/json", **bearer(a)).status_code == 403
    assert "sqlite" not in client.get(path, **bearer(a)).content.decode()


def test_an_engineer_creates_updates_and_deletes_a_check(client, metric, a):
    headers = bearer(a)
    body = {
        "pipeline": SLUG,
        "name": "In range",
        "type": "range",
        "metric": f"{SLUG}/users",
        "parameters": {"fail_below": 1},
    }
    created = client.post("/api/v1/checks/", body, content_type="application/json", **headers)
    assert created.status_code == 201
    path = f"/api/v1/checks/{created.json()['id']}/"
    changed = client.patch(
        path, {"parameters": {"fail_below": 5}, "active": False}, content_type="application/json", **headers
    )
    assert changed.json()["parameters"]["fail_below"] == 5
    assert changed.json()["active"] is False
    wrong = client.patch(path, {"parameters": {"fail_below": "x"}}, content_type="application/json", **headers)
    assert wrong.status_code == 400
    assert "parameters.fail_below" in wrong.json()
    assert client.post(f"{path}run/", **headers).status_code == 409
    assert client.delete(path, **headers).status_code == 204


def test_an_anomaly_check_names_a_companion(client, metric, a, admin):
    weather = make_metric(metric.pipeline, "weather")
    hourly = make_metric(metric.pipeline, "hourly", grain="hour")
    body = {
        "pipeline": SLUG,
        "name": "Fits its history",
        "type": "anomaly",
        "metric": f"{SLUG}/users",
        "other_metric": f"{SLUG}/weather",
    }
    created = client.post("/api/v1/checks/", body, content_type="application/json", **bearer(a))
    assert (created.status_code, created.json()["other_metric"]) == (201, f"{SLUG}/weather")
    path = f"/api/v1/checks/{created.json()['id']}/"
    for wrong, says in ((metric, "other than the one that is evaluated"), (hourly, "a metric with a value per day")):
        body = {"other_metric": f"{SLUG}/{wrong.slug}"}
        refused = client.patch(path, body, content_type="application/json", **bearer(a))
        assert refused.status_code == 400
        assert says in refused.json()["other_metric"][0]
    none = client.patch(path, {"other_metric": None}, content_type="application/json", **bearer(a))
    assert none.json()["other_metric"] is None
    client.patch(path, {"other_metric": f"{SLUG}/weather"}, content_type="application/json", **bearer(a))
    client.force_login(admin)
    page = client.get(f"/admin/validation/check/{created.json()['id']}/change/").content.decode()
    assert str(weather) in page


def test_only_admins_change_checks_with_sql(client, daily_growth, a, admin, tmp_path):
    create_data_source(name="W", address=make_warehouse(tmp_path / "w"), by=admin)
    body = {"pipeline": SLUG, "name": "SQL", "type": "custom_sql", "source": "W", "query": "SELECT 1"}
    assert client.post("/api/v1/checks/", body, content_type="application/json", **bearer(a)).status_code == 403
    created = client.post("/api/v1/checks/", body, content_type="application/json", **bearer(admin))
    assert created.status_code == 201
    path = f"/api/v1/checks/{created.json()['id']}/"
    assert client.patch(path, {"name": "x"}, content_type="application/json", **bearer(a)).status_code == 403
    assert client.delete(path, **bearer(a)).status_code == 403
    assert client.get(path, **bearer(a)).json()["query"] == "SELECT 1"


def test_nobody_pushes_into_a_metric_with_sql(client, daily_growth, a, admin, tmp_path):
    source = create_data_source(name="W", address=make_warehouse(tmp_path / "w"), by=admin)
    make_metric(daily_growth, "pulled", source=source, query="SELECT 1, 2")
    path = f"/api/v1/metrics/{SLUG}/pulled/points/"
    for person in (a, admin):
        answer = client.post(
            path, [{"at": str(yesterday()), "value": 1}], content_type="application/json", **bearer(person)
        )
        assert answer.status_code == 409
        assert "pulled with SQL" in answer.json()["detail"]
    assert client.get(path, **bearer(a)).json()["count"] == 0


def test_a_check_is_run_muted_and_its_result_acknowledged(client, check, metric, a):
    headers, path = bearer(a), f"/api/v1/checks/{check.pk}/"
    assert client.post(f"{path}run/", **headers).status_code == 202
    at = timezone.now()
    push_points(metric, points=read_points(metric, rows=[{"at": str(yesterday()), "value": 1}], at=at), at=at)
    run(check, at=at)
    [result] = client.get(f"{path}results/", **headers).json()["results"]
    assert (result["status"], result["value"]) == ("fail", 1)
    assert client.get(path, **headers).json()["alerting_since"] is not None
    done = client.post(f"/api/v1/results/{result['id']}/acknowledge/", **headers)
    assert done.json()["acknowledged_by"] == "engineer-a"
    assert client.get(path, **headers).json()["alerting_since"] is None
    assert client.post(f"/api/v1/results/{result['id']}/acknowledge/", **headers).status_code == 409
    until = (at + dt.timedelta(hours=2)).isoformat()
    muted = client.post(f"{path}mute/", {"until": until}, content_type="application/json", **headers)
    assert muted.json()["muted_until"].endswith("Z")
    assert client.delete(f"{path}mute/", **headers).json()["muted_until"] is None
    for wrong in ({}, {"until": "x"}, {"until": "2020-01-01T00:00:00Z"}, {"until": "9999-12-31T23:59:59-12:00"}):
        assert client.post(f"{path}mute/", wrong, content_type="application/json", **headers).status_code == 400


def test_a_run_is_reported_once(client, daily_growth, a):
    body = {"pipeline": SLUG, "key": "2026-11-25", "state": "succeeded"}
    assert client.post("/api/v1/runs/", body, content_type="application/json", **bearer(a)).status_code == 201
    assert client.post("/api/v1/runs/", body, content_type="application/json", **bearer(a)).status_code == 200
    assert client.get("/api/v1/runs/", **bearer(a)).json()["count"] == 1
    for wrong in (
        {},
        {**body, "state": "x"},
        {**body, "key": "\0"},
        {**body, "pipeline": "x"},
        {**body, "finished_at": "2099-01-01T00:00:00Z"},
    ):
        assert client.post("/api/v1/runs/", wrong, content_type="application/json", **bearer(a)).status_code == 400


def test_a_known_event_is_created_and_deleted(client, metric, a):
    body = {
        "pipeline": SLUG,
        "metric": f"{SLUG}/users",
        "starts_on": "2026-11-27",
        "ends_on": "2026-11-27",
        "name": "Black Friday",
    }
    created = client.post("/api/v1/known-events/", body, content_type="application/json", **bearer(a))
    assert created.status_code == 201
    assert client.delete(f"/api/v1/known-events/{created.json()['id']}/", **bearer(a)).status_code == 204
    for wrong in (
        {**body, "ends_on": "2026-11-01"},
        {**body, "name": " "},
        {**body, "metric": "x"},
        {**body, "metric": ["\0"]},
    ):
        answer = client.post("/api/v1/known-events/", wrong, content_type="application/json", **bearer(a))
        assert answer.status_code == 400


STRANGE = [None, True, -1, 10**30, 1.5, "", "\0", "\ud800", "x" * 5000, [], {}, [[]], {"a": {"b": []}}]


@each(
    "field",
    ["name", "type", "metric", "other_metric", "source", "query", "parameters", "severity", "interval_minutes", "cron",
     "settle_minutes", "confirm", "confirm_of", "cooldown_minutes", "weekdays", "country", "holidays", "active"],
)  # fmt: skip
def test_an_odd_field_value_is_never_a_500(client, check, admin, field):
    import json

    headers = bearer(admin)
    for number, value in enumerate(STRANGE, start=len(field)):
        shapes = (value, [value], {"fail_below": value})
        # One shape of every second value; all in `make faults`.
        for inner in shapes if THOROUGH else shapes[number % 3 :: 3] * (number % 2):
            body = json.dumps({field: inner})
            answer = client.patch(f"/api/v1/checks/{check.pk}/", body, content_type="application/json", **headers)
            assert answer.status_code in (200, 400), (field, inner, answer.content)


@each("path", ["checks", "external-checks"])
@each("query", ["pipeline=%00", "status=%00", "pipeline=x", "status=maybe"])
def test_a_filter_with_an_unknown_value_is_a_400_that_names_it(client, check, a, path, query):
    answer = client.get(f"/api/v1/{path}/?{query}", **bearer(a))
    assert (answer.status_code, list(answer.json())) == (400, [query.partition("=")[0]])


@pytest.mark.parametrize("query", ["tool=cron", "unmapped=perhaps"])
def test_a_filter_of_external_checks_with_an_unknown_value_is_a_400(client, a, query):
    answer = client.get(f"/api/v1/external-checks/?{query}", **bearer(a))
    assert (answer.status_code, list(answer.json())) == (400, [query.partition("=")[0]])


def test_an_unknown_page_is_a_404(client, check, a):
    assert client.get("/api/v1/checks/?page=%00", **bearer(a)).status_code == 404


@pytest.mark.parametrize("pk", ["0", "9" * 15, "9" * 30])
def test_an_unknown_check_is_a_404(client, check, a, pk):
    for path in (f"checks/{pk}/", f"checks/{pk}/results/", f"results/{pk}/", f"known-events/{pk}/"):
        assert client.get(f"/api/v1/{path}", **bearer(a)).status_code == 404


def test_checks_are_listed_by_pipeline_and_status(client, check, a):
    assert client.get(f"/api/v1/checks/?pipeline={SLUG}", **bearer(a)).json()["count"] == 1
    Check.objects.update(last_status="fail")
    assert client.get("/api/v1/checks/?status=pass", **bearer(a)).json()["count"] == 0
