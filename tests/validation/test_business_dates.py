"""A daily value has the same business date for every viewer, wherever they are."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from handoffs.models import Handoff
from handoffs.services.meetings import sync_handoffs
from incidents.models import Incident
from incidents.services.triggers import sync_with_checks
from notifications.models import Message
from scheduling.services.rotations import create_rotation, join_rotation
from tests.factories import each_undone
from tests.incidents.test_incidents import make_incident
from tests.thorough import THOROUGH
from tests.validation.fixtures import make_check, make_metric, run, wide_chart
from validation.services.known_events import Event, add_known_event
from validation.services.points import NewPoint, push_points

# The zones farthest from UTC, by a time in UTC at which it is another day there. In the suite, each reads at its time.
FARTHEST = {"00:30": "Pacific/Pago_Pago", "23:30": "Pacific/Kiritimati"}
ZONES = tuple(FARTHEST.values())
if THOROUGH:
    ZONES += (
        "America/Los_Angeles",
        "America/Sao_Paulo",
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Asia/Tokyo",
    )
DATES = re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4}\b(?!,)")


@pytest.fixture(params=FARTHEST)
def check(request, daily_growth, a):
    """Return a failing check whose newest bucket is yesterday, at half an hour on either side of midnight in UTC."""
    hour, minute = map(int, request.param.split(":"))
    at = timezone.now().replace(hour=hour, minute=minute, second=0, microsecond=0) - dt.timedelta(days=1)
    metric = make_metric(daily_growth)
    check = make_check(daily_growth, a, metric=metric, parameters={"fail_below": 10}, at=at)
    bucket = dt.datetime.combine(at.date() - dt.timedelta(days=1), dt.time(), dt.UTC)
    push_points(metric, points=[NewPoint(bucket, 5)], at=at)
    assert run(check, at=at).bucket == bucket
    check.business_date = bucket.date()
    check.zones = ZONES if THOROUGH else (FARTHEST[request.param],)
    return check


def shown(day):
    return f"{day.day} {day:%b %Y}"


def readers(person, zones=ZONES):
    """Yield once for each time zone, set as the person's; roll back the writes after each."""
    for zone in each_undone(zones):
        person.time_zone = zone
        person.save()
        yield zone


def test_pages_show_the_business_date(signed_in, check, a):
    browser, day = signed_in(a), check.business_date
    add_known_event(check.pipeline, metric=check.metric, event=Event(day, day, "Sale"), by=a, at=timezone.now())
    for zone in readers(a, check.zones):
        for path in (f"/checks/{check.pk}/", f"/pipelines/{check.pipeline.slug}/"):
            page = browser.get(path).content.decode()
            assert shown(day) in page, zone
            assert shown(day - dt.timedelta(days=1)) not in DATES.findall(page), zone


def test_charts_show_the_business_date(signed_in, check, a):
    """On the axis, when the pointer is on the value, and in the table."""
    browser, day = signed_in(a), check.business_date
    for zone in readers(a, check.zones):
        page = wide_chart(browser.get(f"/checks/{check.pk}/").content.decode())
        assert re.findall(r'text-anchor="\w+">(\d+ \w{3})</text>', page) == [f"{day.day} {day:%b}"], zone
        assert re.findall(r'class="chart-hover".*?<title>(.*?):', page) == [shown(day)], zone
        assert re.findall(r'class="chart-mark fail".*?<title>(.*?):', page, re.DOTALL) == [shown(day)], zone


def test_incidents_show_the_business_date(signed_in, check, admin):
    """The title shows it in lists, on Now, on pages, in mails and in the API."""
    admin.email = "admin@example.test"
    browser, day = signed_in(admin), check.business_date
    title = f"Value out of range: {check.name} (5 users, {day.day} {day:%b})"
    for zone in readers(admin, check.zones):
        sync_with_checks(at=timezone.now())
        incident = Incident.objects.get()
        for path in (
            "/",
            "/incidents/",
            f"/incidents/{incident.pk}/",
            f"/pipelines/{check.pipeline.slug}/",
            f"/checks/{check.pk}/",
        ):
            assert title in browser.get(path).content.decode(), (zone, path)
        assert browser.get(f"/api/v1/incidents/{incident.pk}/").json()["title"] == title, zone
        assert title in Message.objects.get(type="incident-escalated").subject, zone


def test_the_hand_off_sheet_shows_the_business_date(signed_in, check, a, b, admin):
    browser, day = signed_in(a), check.business_date
    sync_with_checks(at=timezone.now())
    title = f"Value out of range: {check.name} (5 users, {day.day} {day:%b})"
    rotation = create_rotation(name="Weekly", engineers=[a, b], by=admin, at=timezone.now())
    join_rotation(rotation, pipelines=[check.pipeline])
    sync_handoffs(at=timezone.now())
    pk = Handoff.objects.filter(at__gt=timezone.now()).order_by("at").first().pk
    for zone in readers(a, check.zones):
        assert title in browser.get(f"/handoffs/{pk}/").content.decode(), zone
        topics = browser.get(f"/api/v1/handoffs/{pk}/").json()["topics"]
        items = [item for topic in topics for item in topic["items"] if item["path"].startswith("/incidents/")]
        assert [item["link"] for item in items] == [title]


@pytest.mark.parametrize(
    ("opened_at", "month"), [("2026-11-30T23:30:00+00:00", "2026-11"), ("2026-12-01T00:30:00+00:00", "2026-12")]
)
def test_the_csv_export_has_the_month_of_utc(signed_in, daily_growth, a, opened_at, month):
    make_incident(daily_growth, at=dt.datetime.fromisoformat(opened_at))
    browser = signed_in(a)
    for zone in readers(a):
        answer = browser.get("/incidents/reports/csv/?since=2026-10-01&until=2027-01-31")
        rows = [row.split(",")[:3] for row in answer.content.decode().splitlines()]
        assert [row for row in rows if row[2] == "1"] == [[month, daily_growth.slug, "1"]], zone


def test_a_backtest_shows_the_business_date(signed_in, check, a):
    browser = signed_in(a)
    for zone in readers(a, check.zones):
        assert shown(check.business_date) in browser.get(f"/checks/{check.pk}/backtest/").content.decode(), zone


def test_the_api_returns_the_business_date(signed_in, check, a):
    browser, expected = signed_in(a), check.business_date.isoformat()
    for zone in readers(a, check.zones):
        [result] = browser.get(f"/api/v1/checks/{check.pk}/results/").json()["results"]
        assert result["bucket"] == expected, zone
        acknowledged = browser.post(f"/api/v1/results/{result['id']}/acknowledge/").json()
        assert acknowledged["bucket"] == expected, zone


def test_an_hour_is_an_instant(signed_in, daily_growth, a):
    browser, at = signed_in(a), timezone.now().replace(minute=30, second=0, microsecond=0)
    bucket = at.replace(minute=0) - dt.timedelta(hours=1)
    for zone in readers(a):
        metric = make_metric(daily_growth, "hours", grain="hour", time_zone=zone)
        check = make_check(daily_growth, a, metric=metric, parameters={"fail_below": 10}, at=at)
        push_points(metric, points=[NewPoint(bucket, 5)], at=at)
        run(check, at=at)
        [result] = browser.get(f"/api/v1/checks/{check.pk}/results/").json()["results"]
        assert result["bucket"] == f"{bucket:%Y-%m-%dT%H:%M:%SZ}", zone
        local = bucket.astimezone(ZoneInfo(zone))
        page = browser.get(f"/checks/{check.pk}/").content.decode()
        assert f"{local.day} {local:%b %Y}, {local:%H:%M}" in page, zone
