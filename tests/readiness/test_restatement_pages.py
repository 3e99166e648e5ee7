"""Restatements on pages, in the API, as CSV and in the admin."""

import csv
import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.services.transitions import NewIncident, open_incident
from readiness.models import ReaderNotification, Restatement
from readiness.services.publication import sweep_publications
from tests.each import each
from tests.factories import bearer, make_pipeline
from tests.validation.fixtures import AT, push, run

HOUR = dt.timedelta(hours=1)
PAGE, CSV, API = "/pipelines/orders/restatements/", "/pipelines/orders/restatements.csv", "/api/v1/restatements/"


@pytest.fixture
def restatement(pipeline, metric, check, a):
    push(metric, [20.0, 20.0])
    run(check)
    sweep_publications(at=AT)
    open_incident(pipeline, what=NewIncident(kind="issue", title="Odd numbers"), by=a, at=AT + HOUR)
    push(metric, [25.0], at=AT + HOUR)
    run(check, at=AT + HOUR)
    sweep_publications(at=AT + HOUR)
    return Restatement.objects.get()


def copies(row, *, number):
    for index in range(number):
        row.pk, row.segment = None, f"segment {index}"
        row.save(force_insert=True)


def test_the_page_lists_published_numbers_that_changed(signed_in, a, restatement):
    html = signed_in(a).get(PAGE).content.decode()
    html = " ".join(html.split())
    for text in ("20 users", "25 users", "+25.0 %", "Odd numbers", "Not safe yet", "Notified: Engineer A </span>"):
        assert text in html


def test_a_page_without_restatements_says_since_when_days_are_published(signed_in, a, pipeline, metric, check):
    assert "No day has been published yet." in signed_in(a).get(PAGE).content.decode()
    push(metric, [20.0, 20.0])
    run(check)
    sweep_publications(at=AT)
    assert "1 day published since Tue 24 Nov 2026." in signed_in(a).get(PAGE).content.decode()


def test_an_engineer_comments_on_a_restatement(signed_in, a, restatement):
    client = signed_in(a)
    url = f"/restatements/{restatement.pk}/comment/"
    assert "25 users" in client.get(url).content.decode()
    response = client.post(url, {"comment": "x" * 2001})
    assert (response.status_code, "x" * 2001 in response.content.decode()) == (400, True)
    assert client.post(url, {"comment": " A late invoice. "}).headers["Location"] == PAGE
    restatement.refresh_from_db()
    assert (restatement.comment, restatement.commented_by) == ("A late invoice.", a)
    assert "A late invoice." in client.get(PAGE).content.decode()


def test_the_csv_has_every_fact_in_utc_and_no_formula(signed_in, a, restatement):
    restatement.comment = "=1+1"
    restatement.save()
    response = signed_in(a).get(CSV)
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert response.headers["Content-Disposition"] == 'attachment; filename="restatements-orders.csv"'
    assert rows == [
        {
            "id": str(restatement.pk),
            "pipeline": "orders",
            "metric": "orders",
            "segment": "",
            "day or hour": "2026-11-24",
            "from": "20.0",
            "to": "25.0",
            "farthest": "25.0",
            "change": "5.0",
            "percent": "25",
            "published at": "2026-11-25T09:00:00Z",
            "wrong since": "2026-11-25T09:00:00Z",
            "changed at": "2026-11-25T10:00:00Z",
            "restated at": "2026-11-25T10:00:00Z",
            "settled at": "",
            "cause": "incident",
            "incident": str(restatement.incident_id),
            "notified": "engineer-a",
            "readers notified": "0",
            "comment": "'=1+1",
            "commented by": "",
        }
    ]


def test_the_api_lists_filters_and_comments(client, a, restatement):
    headers = bearer(a)
    [row] = client.get(API, **headers).json()["results"]
    assert row == {
        "id": restatement.pk,
        "pipeline": "orders",
        "day": "2026-11-24",
        "metric": "orders",
        "segment": "",
        "at": "2026-11-24",
        "from_value": 20.0,
        "to_value": 25.0,
        "farthest_value": 25.0,
        "change": 5.0,
        "percent": 25.0,
        "published_at": "2026-11-25T09:00:00Z",
        "wrong_since": "2026-11-25T09:00:00Z",
        "changed_at": "2026-11-25T10:00:00Z",
        "restated_at": "2026-11-25T10:00:00Z",
        "settled_at": None,
        "cause": "incident",
        "incident": restatement.incident_id,
        "notified": ["engineer-a"],
        "notified_readers": 0,
        "comment": "",
        "commented_by": None,
    }
    for query, number in (
        ("pipeline=orders", 1),
        ("from_day=2026-11-25", 0),
        ("to_day=2026-11-24", 1),
        ("settled=true", 0),
    ):
        assert client.get(f"{API}?{query}", **headers).json()["count"] == number
    for query in ("pipeline=unknown", "from_day=soon", "settled=maybe"):
        assert client.get(f"{API}?{query}", **headers).status_code == 400
    url = f"{API}{restatement.pk}/"
    response = client.patch(url, {"comment": "Late invoice."}, content_type="application/json", **headers)
    assert (response.status_code, response.json()["comment"], response.json()["commented_by"]) == (
        200,
        "Late invoice.",
        "engineer-a",
    )
    assert client.patch(url, {"to_value": 1}, content_type="application/json", **headers).status_code == 400


def test_readers_who_were_notified_are_counted_without_their_addresses(client, signed_in, a, b, restatement, pipeline):
    """From the incident behind it until the day is safe again, each subscriber once."""
    hours = {-1: (1,), 0: (1, 2), 5: (1, 3), 9: (4,)}
    restatement.changed_at = restatement.changed_at + HOUR  # the incident was opened before the change
    restatement.settled_at = AT + 7 * HOUR
    restatement.save()
    for pipe in (pipeline, make_pipeline("Other", primary=a, secondary=b)):
        ReaderNotification.objects.bulk_create(
            ReaderNotification(pipeline=pipe, subscriber=subscriber, at=AT + HOUR + hour * HOUR)
            for hour, subscribers in hours.items()
            for subscriber in subscribers
        )
    [row] = client.get(API, **bearer(a)).json()["results"]
    [line] = csv.DictReader(signed_in(a).get(CSV).content.decode().splitlines())
    page = " ".join(signed_in(a).get(PAGE).content.decode().split())
    assert (row["notified_readers"], line["readers notified"]) == (3, "3")
    assert "Notified: Engineer A, 3 readers" in page


@pytest.mark.parametrize(("before", "after"), [(1e-300, 1e300), (-1.5e308, 1.5e308)])
def test_changes_too_large_for_a_number_are_answered(client, signed_in, a, restatement, before, after):
    Restatement.objects.update(from_value=before, to_value=after, farthest_value=after)
    answer = client.get("/api/v1/restatements/", **bearer(a))
    assert answer.status_code == 200
    assert "Infinity" not in answer.content.decode()
    for path in (PAGE, CSV):
        page = signed_in(a).get(path)
        assert (page.status_code, "inf" in page.content.decode().replace("info", "")) == (200, False)


def test_the_admin_reads_only(signed_in, admin, restatement):
    client = signed_in(admin)
    for model, key in (("restatement", restatement.pk), ("publication", restatement.publication_id)):
        assert client.get(f"/admin/readiness/{model}/").status_code == 200
        assert client.get(f"/admin/readiness/{model}/{key}/change/").status_code == 200
        assert client.get(f"/admin/readiness/{model}/add/").status_code == 403
        assert client.post(f"/admin/readiness/{model}/{key}/delete/", {"post": "yes"}).status_code == 403


@each("path", [PAGE, CSV, API, "/admin/readiness/restatement/"])
def test_the_number_of_queries_does_not_grow_with_the_rows(signed_in, admin, restatement, path):
    client = signed_in(admin)

    def count():
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        return len(captured)

    count()
    before = count()
    copies(restatement, number=29)
    assert count() == before
