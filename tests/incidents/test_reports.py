"""Reports per pipeline and month, and the status of a pipeline."""

import csv
import datetime as dt
import io
import re

import pytest

from incidents.domain.status import STATUSES, pipeline_status
from incidents.queries.reports import month_reports, months_between, pipeline_reports
from incidents.services.transitions import acknowledge, reopen, resolve
from pipelines.models import Pipeline
from tests.each import each
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE, make_incident

SLUG = "daily-growth-experiment-focused"


@each(
    ("kinds", "results", "word"),
    [
        ((), (), "unknown"),
        ((), ("error", "skip"), "unknown"),
        ((), ("pass", "unknown"), "ok"),
        ((), ("pass", "warn"), "warn"),
        ((), ("warn", "fail"), "failing"),
        (("issue",), ("fail",), "issue"),
        (("issue", "delay"), (), "delayed"),
        (("issue", "delay", "outage"), ("pass",), "outage"),
    ],
)
def test_the_status_is_the_worst_incident_or_result(kinds, results, word):
    assert pipeline_status(kinds=kinds, results=results) == word
    assert word in STATUSES


def test_the_api_and_the_pages_show_the_status_of_a_pipeline(client, signed_in, pipeline, now, a):
    make_incident(pipeline, at=now, kind="delay")
    make_incident(pipeline, at=now, kind="issue")
    resolve(make_incident(pipeline, at=now, kind="outage"), by=a, at=now)
    rows = {row["slug"]: row for row in client.get("/api/v1/pipelines/", **bearer(a)).json()["results"]}
    assert (rows[SLUG]["status"], rows[SLUG]["open_incidents"]) == ("delayed", 2)
    other = rows["aggregate-profit-investor-reporting"]
    assert (other["status"], other["open_incidents"]) == ("unknown", 0)
    one = client.get(f"/api/v1/pipelines/{SLUG}/", **bearer(a)).json()
    assert one == rows[SLUG]
    assert ">delayed</span>" in signed_in(a).get("/").content.decode()


def test_an_admin_sets_the_escalation_time_of_a_pipeline(client, pipeline, admin, a):
    path = f"/api/v1/pipelines/{SLUG}/"
    answer = client.patch(path, {"escalate_after_minutes": 5}, content_type="application/json", **bearer(admin))
    assert answer.json()["escalate_after_minutes"] == 5
    for wrong in (0, 1441, "x", None):
        answer = client.patch(path, {"escalate_after_minutes": wrong}, content_type="application/json", **bearer(admin))
        assert answer.status_code == 400
    assert client.patch(path, {}, content_type="application/json", **bearer(a)).status_code == 403


@pytest.fixture
def year(pipeline, now, a):
    """Three incidents in November, one in October, one of another pipeline."""
    other = Pipeline.objects.get(slug="aggregate-profit-investor-reporting")
    for minutes, place, at in (
        (2, pipeline, now),
        (4, pipeline, now),
        (60, other, now),
        (8, pipeline, now - dt.timedelta(days=30)),
    ):
        created = make_incident(place, at=at)
        acknowledge(created, by=a, at=at + minutes * MINUTE)
        resolve(created, by=a, at=at + 10 * minutes * MINUTE)
    make_incident(pipeline, at=now)
    return months_between(dt.date(2025, 12, 1), dt.date(2026, 11, 30))


def test_months_between():
    assert months_between(dt.date(2025, 11, 30), dt.date(2026, 2, 1)) == [
        dt.date(2025, 11, 1), dt.date(2025, 12, 1), dt.date(2026, 1, 1), dt.date(2026, 2, 1),
    ]  # fmt: skip


def test_a_report_for_each_pipeline_and_month(year, pipeline):
    rows = [
        (
            row.month.month,
            row.pipeline.slug[:9],
            row.incidents,
            row.acknowledged,
            row.resolved,
            row.to_acknowledge,
            row.to_resolve,
        )
        for row in pipeline_reports(year)
    ]
    assert rows == [
        (11, "aggregate", 1, 1, 1, 60 * MINUTE, 600 * MINUTE),
        (11, "daily-gro", 3, 2, 2, 3 * MINUTE, 30 * MINUTE),
        (10, "daily-gro", 1, 1, 1, 8 * MINUTE, 80 * MINUTE),
    ]
    months = month_reports(year)
    assert [row.incidents for row in months] == [0] * 10 + [1, 4]
    assert [row.incidents for row in month_reports(year, pipeline=pipeline)] == [0] * 10 + [1, 3]


def test_a_reopened_incident_counts_to_its_first_acknowledgement(pipeline, now, a):
    created = make_incident(pipeline, at=now)
    acknowledge(created, by=a, at=now + 5 * MINUTE)
    resolve(created, by=a, at=now + 6 * MINUTE)
    reopen(created, by=a, at=now + 50 * MINUTE)
    acknowledge(created, by=a, at=now + 55 * MINUTE)
    resolve(created, by=a, at=now + 60 * MINUTE)
    [row] = pipeline_reports([dt.date(2026, 11, 1)])
    assert (row.incidents, row.to_acknowledge, row.to_resolve) == (1, 5 * MINUTE, 60 * MINUTE)


def test_the_reports_page_and_its_csv(signed_in, year, a):
    browser = signed_in(a)
    page = browser.get("/incidents/reports/?since=2026-10-01&until=2026-11-30").content.decode()
    assert page.count("<svg width=") == 3
    assert ">30\N{NO-BREAK SPACE}min</td>" in page
    assert "style=" not in page
    text = browser.get(f"/incidents/reports/csv/?pipeline={SLUG}&since=2026-10-01&until=2026-11-30").content.decode()
    assert list(csv.reader(io.StringIO(text))) == [
        [
            "month",
            "pipeline",
            "incidents",
            "acknowledged",
            "resolved",
            "median seconds to acknowledge",
            "median seconds to resolve",
        ],
        ["2026-11", SLUG, "3", "2", "2", "180", "1800"],
        ["2026-10", SLUG, "1", "1", "1", "480", "4800"],
    ]
    assert "No incidents in these months" in browser.get("/incidents/reports/?until=2020-01-01").content.decode()


def test_the_page_folds_all_months_but_the_newest(signed_in, year, a):
    browser = signed_in(a)
    page = " ".join(browser.get("/incidents/reports/?since=2026-10-01&until=2026-11-30").content.decode().split())
    newest, older = page.split('<details class="card kept"')[1:]
    assert newest.startswith(" open> <summary> <h2>November 2026</h2>")
    assert "4 incidents · MTTA 4 min · MTTR 40 min" in newest
    assert older.startswith("> <summary> <h2>October 2026</h2>")
    assert "1 incident · MTTA 8 min" in older
    page = browser.get(f"/incidents/reports/?pipeline={SLUG}&since=2026-10-01&until=2026-11-30").content.decode()
    assert '<details class="card' not in page
    assert page.index('<th scope="row">November 2026') < page.index('<th scope="row">October 2026')


def test_months_are_chosen_from_selects(signed_in, year, a):
    """Newest first, grouped by year, from the month of the first incident; chosen months outside this range are added."""
    page = signed_in(a).get("/incidents/reports/?since=2024-02-15&until=2026-10-31").content.decode()
    for name, chosen in (("since", "2024-02-01"), ("until", "2026-10-01")):
        select = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)[0]
        months = re.findall(r'<option value="([\d-]+)"', select)
        assert months == sorted(months, reverse=True)
        assert {"2024-02-01", "2026-11-01"} <= set(months)
        assert re.findall(r'<option value="([\d-]+)" selected', select) == [chosen]
        assert re.findall(r'<optgroup label="(\d+)"', select)[-3:] == ["2026", "2025", "2024"]


@each(
    "query",
    [
        "since=x",
        "since=0001-01-01",
        "until=9999-12-31",
        "since=2030-01-01&until=2029-01-01",
        "since=2001-01-01",
        "pipeline=%00",
        "pipeline=x",
    ],
)
def test_invalid_months_cause_no_server_error(signed_in, pipeline, a, query):
    browser = signed_in(a)
    assert browser.get(f"/incidents/reports/?{query}").status_code in (200, 400)
    assert browser.get(f"/incidents/reports/csv/?{query}").status_code in (200, 400)


def test_the_api_and_the_csv_have_the_same_figures(client, signed_in, year, a):
    path = "/api/v1/reports/incidents/"
    answer = client.get(f"{path}?since=2026-10-01&until=2026-11-30", **bearer(a)).json()
    assert answer["count"] == 3
    assert answer["results"][0] == {
        "month": "2026-11",
        "pipeline": "aggregate-profit-investor-reporting",
        "incidents": 1,
        "acknowledged": 1,
        "resolved": 1,
        "seconds_to_acknowledge": 3600,
        "seconds_to_resolve": 36000,
    }
    text = signed_in(a).get("/incidents/reports/csv/?since=2026-10-01&until=2026-11-30").content.decode()
    rows = list(csv.reader(io.StringIO(text)))[1:]
    assert rows == [[str(value) for value in row.values()] for row in answer["results"]]
    one = client.get(f"{path}?pipeline={SLUG}&since=2026-10-01&until=2026-11-30", **bearer(a)).json()
    assert one["results"] == answer["results"][1:]
    assert client.get(f"{path}?until=2020-01-01", **bearer(a)).json()["results"] == []


def test_a_csv_of_invalid_months_shows_the_errors(signed_in, pipeline, a):
    answer = signed_in(a).get("/incidents/reports/csv/?since=x&pipeline=x")
    assert (answer.status_code, "attachment" in str(answer.headers)) == (400, False)
    assert "since: Enter a valid date." in answer.content.decode()
    assert "pipeline: Unknown pipeline." in answer.content.decode()


def test_an_unacknowledged_incident_has_no_times(client, pipeline, now, a):
    make_incident(pipeline, at=now)
    [row] = client.get("/api/v1/reports/incidents/?until=2026-11-30", **bearer(a)).json()["results"]
    assert (row["acknowledged"], row["seconds_to_acknowledge"], row["seconds_to_resolve"]) == (0, None, None)


@each(
    ("query", "field"),
    [
        ("since=x", "since"),
        ("until=9999-12-31", "until"),
        ("since=2030-01-01&until=2029-01-01", "since"),
        ("since=2001-01-01&until=2020-01-01", "since"),
        ("pipeline=%00", "pipeline"),
        ("pipeline=x", "pipeline"),
    ],
)
def test_a_report_of_invalid_months_names_the_field(client, pipeline, a, query, field):
    answer = client.get(f"/api/v1/reports/incidents/?{query}", **bearer(a))
    assert (answer.status_code, list(answer.json())) == (400, [field])
