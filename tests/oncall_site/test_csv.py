"""Lists as CSV files: the schedule, fairness and checks; night pages; the order of the Fairness table."""

import csv
import datetime as dt
import io
import re

import pytest
from django.utils import timezone

from common.csv import csv_response
from incidents.models import EscalationStep
from incidents.queries.night_pages import night_pages
from incidents.services.transitions import NewIncident, open_incident
from oncall_site.views import fairness
from pipelines.models import Pipeline
from scheduling.domain.workload import Workload
from scheduling.models import Rotation
from scheduling.queries.workloads import WorkloadRow
from scheduling.services.covers import CoverData, create_cover
from tests.each import each
from tests.factories import import_example
from tests.snapshots import this_minute
from tests.validation.fixtures import make_check, make_metric

SLUG = "daily-growth-experiment-focused"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def rotation(db):
    import_example(at=this_minute())
    return Rotation.objects.get()


def table(response):
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_the_schedule_lists_shifts_and_covers(signed_in, rotation, a, b, c, d, admin):
    now = timezone.now()
    week = rotation.weeks.filter(starts_at__gt=now).select_related("engineer").order_by("starts_on").first()
    other = next(person for person in (a, b, c, d) if person != week.engineer)
    create_cover(rotation, data=CoverData(other, week.starts_at + HOUR, week.starts_at + 3 * HOUR), by=admin, at=now)
    rows = table(signed_in(a).get("/schedule/csv/?weeks=4&rotation=weekly-rotation"))
    cover = next(row for row in rows if row["kind"] == "cover")
    assert cover == {
        "rotation": "weekly-rotation",
        "starts_at": f"{week.starts_at + HOUR:%Y-%m-%dT%H:%M:%SZ}",
        "ends_at": f"{week.starts_at + 3 * HOUR:%Y-%m-%dT%H:%M:%SZ}",
        "engineer": other.username,
        "planned_engineer": week.engineer.username,
        "kind": "cover",
    }
    assert len(table(signed_in(a).get("/schedule/csv/?weeks=26"))) > len(rows)
    assert signed_in(a).get("/schedule/csv/?rotation=none").status_code == 404


@each(
    ("sort", "order"),
    [
        ("", "abcd"),
        ("?sort=engineer", "abcd"),
        ("?sort=-engineer", "dcba"),
        ("?sort=past_weeks", "cbad"),
        ("?sort=-past_weeks", "adbc"),
        ("?sort=nonsense", "abcd"),
    ],
)
def test_the_fairness_table_is_sorted_by_a_link(signed_in, rotation, a, b, c, d, monkeypatch, sort, order):
    counts = {a: 1, b: 2, c: 3, d: 1}
    rows = [WorkloadRow(person.person, Workload(weeks=count), Workload()) for person, count in counts.items()]
    monkeypatch.setattr(fairness, "rotation_workloads", lambda rotations, at: [(row, rows) for row in rotations])
    page = signed_in(a).get(f"/fairness/{sort}").content.decode()
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    people = {"a": a, "b": b, "c": c, "d": d}
    assert sorted("abcd", key=lambda key: body.index(str(people[key]))) == list(order)
    current = re.findall(r'aria-sort="(\w+)"', page)
    assert len(current) == (0 if sort in ("", "?sort=nonsense") else 1)


def test_fairness_counts_and_averages(signed_in, rotation, a):
    rows = table(signed_in(a).get("/fairness/csv/"))
    assert [row["engineer"] for row in rows] == ["engineer-a", "engineer-b", "engineer-c", "engineer-d"]
    assert sum(int(row["next_weeks"]) for row in rows) >= 26
    text = signed_in(a).get("/fairness/").content.decode()
    average = sum(int(row["next_weeks"]) for row in rows) / 4
    assert f"<td>{average:.1f}</td>" in text


def test_a_page_by_night_counts_in_the_engineer_s_time_zone(rotation, a, b):
    type(a).objects.filter(pk=a.pk).update(time_zone="Asia/Tokyo")
    what = NewIncident(kind="outage", title="Nothing arrives")
    incident = open_incident(Pipeline.objects.get(slug=SLUG), what=what, by=None, at=timezone.now())
    EscalationStep.objects.all().delete()
    # 15:30 UTC is 00:30 in Tokyo.
    for engineer, hour in ((a, 15), (b, 15), (b, 3)):
        at = dt.datetime(2026, 11, 3, hour, 30, tzinfo=dt.UTC)
        EscalationStep.objects.create(incident=incident, round=hour, engineer=engineer, role="on_call", at=at)
    since = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    assert night_pages([rotation], since=since) == {(rotation.pk, a.pk): 1, (rotation.pk, b.pk): 1}
    assert night_pages([rotation], since=since + dt.timedelta(days=30)) == {}


def test_checks_are_listed_as_they_are_filtered(signed_in, rotation, a):
    pipeline = Pipeline.objects.get(slug=SLUG)
    make_check(pipeline, a, metric=make_metric(pipeline), parameters={"fail_below": 1}, name="=1+1", at=timezone.now())
    rows = table(signed_in(a).get(f"/checks/csv/?pipeline={SLUG}"))
    assert "'=1+1" in [row["name"] for row in rows]
    assert {row["pipeline"] for row in rows} == {SLUG}
    assert table(signed_in(a).get("/checks/csv/?status=fail")) == []


def test_a_spreadsheet_evaluates_nothing():
    rows = [("@SUM(A1)", -1), ("plain", None), ("\uff1d1+1", "\uff201")]
    response = csv_response("x.csv", columns=("a", "b"), rows=rows)
    assert response.content.decode().splitlines() == ["a,b", "'@SUM(A1),-1", "plain,", "'\uff1d1+1,'\uff201"]
