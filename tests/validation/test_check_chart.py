"""The chart of a check: its expected range for every type that has one, ranges of time, hover values and axis."""

import datetime as dt
import re
from itertools import pairwise

import pytest
from django.utils import timezone

from incidents.models import Incident
from incidents.services.triggers import sync_with_checks
from tests.each import each
from tests.validation.fixtures import make_check, make_metric, push, run, wide_chart
from validation.models import Check
from validation.plots import build_sparkline
from validation.presenters import check_settings
from validation.queries.sparklines import RecentValues
from validation.services.points import NewPoint, push_points

DAY = dt.timedelta(days=1)


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


@pytest.fixture
def page(signed_in, a):
    browser = signed_in(a)
    return lambda check, days="": browser.get(f"/checks/{check.pk}/{days and f'?days={days}'}").content.decode()


def labels(page, kind):
    """Return the texts on the axis of values ("end") or of dates."""
    pattern = {"values": r'text-anchor="end">([^<]*)</text>', "dates": r'text-anchor="\w+">(\d+ \w{3})</text>'}[kind]
    return re.findall(pattern, page)


TODAY = f"{timezone.now().date()}"
IN_A_MONTH, LAST_WEEK = f"{timezone.now().date() + 30 * DAY}", f"{timezone.now().date() - 7 * DAY}"


@each(
    ("check_type", "parameters", "other"),
    [
        ("range", {"fail_below": 10, "fail_above": 90}, False),
        ("volume", {"fail_below_percent": 50, "weeks": 2}, False),
        ("change_over_time", {"fail_percent": 20}, False),
        ("target", {"targets": {IN_A_MONTH: 1000}, "starts_on": LAST_WEEK, "fail_percent": 10}, False),
        ("ratio", {"fail_below": 0.5}, True),
        ("reconciliation", {"fail_percent": 1}, True),
        ("validity", {"fail_above": 0.5}, False),
    ],
)
def test_every_type_with_a_threshold_shows_its_band_before_the_first_run(
    page, metric, a, check_type, parameters, other
):
    values = (
        [0.2 + index / 100 for index in range(40)] if check_type == "validity" else [50 + index for index in range(40)]
    )
    push(metric, values, at=timezone.now())
    fields = {"metric": metric, "check_type": check_type, "parameters": parameters, "at": timezone.now()}
    if other:
        fields["other_metric"] = make_metric(metric.pipeline, "other")
        push(fields["other_metric"], values, at=timezone.now())
    shown = page(make_check(metric.pipeline, a, **fields))
    assert ("chart-line" in shown, "chart-band" in shown) == (True, True)


def test_the_range_of_time_is_chosen_by_buttons(page, metric, a):
    push(metric, [float(index) for index in range(400)], at=timezone.now())
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1}, at=timezone.now())
    counts = {days: int(re.search(r": (\d+) values", page(check, days))[1]) for days in ("", "30", "365", "all", "x")}
    assert counts == {"": 90, "30": 30, "365": 365, "all": 400, "x": 90}
    assert 'href="?days=30#plot" aria-current="true"' in page(check, "30")
    assert "The newest 120 of 365 values." in page(check, "365")


def test_a_value_is_shown_when_the_pointer_is_on_it(page, metric, a):
    push(metric, [50.0, 60.0], at=timezone.now())
    check = make_check(
        metric.pipeline, a, metric=metric, parameters={"fail_below": 10, "fail_above": 90}, at=timezone.now()
    )
    yesterday = timezone.now().date() - DAY
    hovers = re.findall(r'class="chart-hover".*?<title>(.*?)</title>', wide_chart(page(check)))
    assert hovers[-1] == f"{yesterday.day} {yesterday:%b %Y}: 60 users. Expected: 10 users to 90 users."
    assert len(hovers) == 2


@pytest.mark.parametrize(
    ("values", "axis"), [([0, 1, 0], ["0", "1"]), ([0, 0, 0], ["0", "1"]), ([3, 4, 5], ["3", "4", "5"])]
)
def test_the_axis_of_whole_numbers_has_whole_numbers(page, metric, a, values, axis):
    push(metric, [float(value) for value in values], at=timezone.now())
    check = make_check(metric.pipeline, a, metric=metric, check_type="anomaly", at=timezone.now())
    assert labels(page(check), "values")[: len(axis)] == axis


def test_the_last_date_is_inside_the_chart(page, metric, a):
    push(metric, [1.0, 2.0, 3.0], at=timezone.now())
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1}, at=timezone.now())
    yesterday = timezone.now().date() - DAY
    assert f'text-anchor="end">{yesterday.day} {yesterday:%b}</text>' in page(check)


def test_hours_are_labelled_in_utc(page, daily_growth, a):
    metric = make_metric(daily_growth, "hours", grain="hour")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=2)
    push_points(metric, points=[NewPoint(hour, 5)], at=timezone.now())
    check = make_check(daily_growth, a, metric=metric, parameters={"fail_below": 1}, at=timezone.now())
    assert f"{hour.day} {hour:%b %Y, %H:%M} UTC: 5 users." in page(check)


def test_the_page_links_to_the_open_incident(page, metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1})
    assert "Open incident" not in page(check)
    Check.objects.filter(pk=check.pk).update(alerting_since=timezone.now(), last_status="fail", last_message="0.")
    sync_with_checks(at=timezone.now())
    [incident] = Incident.objects.all()
    assert f'href="/incidents/{incident.pk}/">Open incident: {incident.title}</a>' in page(check)


def test_the_settings_are_in_words(page, metric, a):
    fields = {"confirm": 2, "confirm_of": 3, "cooldown_minutes": 90, "interval_minutes": 1560, "weekdays": [0, 4]}
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1200}, **fields)
    assert [(setting.label, setting.text) for setting in check_settings(check)] == [
        ("Passes if", "the value is within bounds."),
        ("Fail below", "1,200"),
        ("Runs", "every 1 d 2 h"),
        ("Expects data on", "Mon, Fri"),
        ("Alerts after", "2 failures in the last 3 results"),
        ("Severity", "High"),
        ("Cooldown", "1 h 30 min"),
    ]
    assert "<dt>Fail below</dt><dd>1,200</dd>" in page(check)


def test_lists_have_a_small_chart_of_the_metric(signed_in, metric, a):
    push(metric, [float(index) for index in range(40)], at=timezone.now())
    make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1}, at=timezone.now())
    make_check(metric.pipeline, a, "run_deadline", name="No metric", at=timezone.now())
    for path in ("/checks/", f"/pipelines/{metric.pipeline.slug}/"):
        text = signed_in(a).get(path).content.decode()
        assert re.findall(r'<svg class="spark.*?<title>(.*?)</title>', text, re.DOTALL) == [
            "Last 30 values: 10 users to 39 users."
        ]


@pytest.mark.parametrize(
    ("recent", "shows_range", "band"),
    [
        (RecentValues((10.0, 20.0), 5.0, 15.0), True, (9.0, 12.0)),
        (RecentValues((10.0, 20.0), 5.0, 15.0), False, (None, 0.0)),
        (RecentValues((10.0, 20.0), -1e9, 15.0), True, (12.0, 12.0)),
        (RecentValues((7.0, 7.0), None, None), True, (None, 0.0)),
    ],
)
def test_the_small_chart_shows_the_expected_range_of_its_values(recent, shows_range, band):
    spark = build_sparkline(recent, unit="", shows_range=shows_range)
    assert (spark.band_y, spark.band_height) == band


def test_a_single_value_makes_no_small_chart():
    assert build_sparkline(RecentValues((1.0,), None, None), unit="", shows_range=True) is None


def test_completeness_shows_what_arrived(page, metric, a):
    push(metric, [1.0] * 5, at=timezone.now())
    push(metric, [1.0] * 3, at=timezone.now(), newest=3, segment="mobile")
    parameters = {"look_back": 5, "segments": ["mobile", "web"]}
    check = make_check(metric.pipeline, a, "completeness", metric=metric, parameters=parameters, at=timezone.now())
    text = page(check)
    assert re.findall(r"<title>(mobile|web): (.*?)</title>", text) == [("mobile", "2 missing"), ("web", "5 missing")]
    assert len(re.findall(r'<rect class="missing"', text)) == 7
    assert len(re.findall(r'<rect class="ok"', text)) == 3


def test_a_backtest_shows_values_range_and_alerts(signed_in, metric, a):
    push(metric, [50.0] * 10 + [95.0] + [50.0] * 5, at=timezone.now())
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_above": 90}, at=timezone.now())
    text = signed_in(a).get(f"/checks/{check.pk}/backtest/").content.decode()
    marks = wide_chart(text).count('class="chart-mark fail"')
    assert ("chart-line" in text, "chart-band" in text, marks) == (True, True, 1)
    text = signed_in(a).get(f"/checks/{check.pk}/backtest/?parameters.fail_above=10").content.decode()
    assert "The check would have alerted 1 time." in text


def test_an_incident_shows_the_value_against_its_range(signed_in, metric, a):
    push(metric, [50.0] * 10 + [5.0], at=timezone.now())
    check = make_check(
        metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, at=timezone.now(), is_active=True
    )
    run(check, at=timezone.now())
    sync_with_checks(at=timezone.now())
    text = signed_in(a).get(f"/incidents/{Incident.objects.get().pk}/").content.decode()
    assert ('class="chart small"' in text, "chart-band" in text, 'class="chart-mark fail"' in text) == (
        True,
        True,
        True,
    )
    assert "Show data" not in text


def test_the_incident_of_a_freshness_check_shows_its_metric(signed_in, metric, a):
    push(metric, [50.0] * 10, at=timezone.now(), newest=5)
    check = make_check(
        metric.pipeline,
        a,
        "freshness",
        metric=metric,
        parameters={"fail_after_minutes": 60},
        at=timezone.now(),
        is_active=True,
    )
    run(check, at=timezone.now())
    sync_with_checks(at=timezone.now())
    text = signed_in(a).get(f"/incidents/{Incident.objects.get().pk}/").content.decode()
    assert re.findall(r'<title id="plot-title">(.*?)</title>', text) == [f"{check.name}: 10 values"]


def test_the_heading_has_the_unit_of_what_is_drawn(page, metric, a):
    """A completeness check counts missing values, but its chart shows those of its metric."""
    push(metric, [50.0] * 10, at=timezone.now())
    check = make_check(
        metric.pipeline, a, "completeness", metric=metric, parameters={"look_back": 5}, at=timezone.now()
    )
    run(check, at=timezone.now())
    assert re.findall(r'<h2 id="plot">(.*?)</h2>', page(check)) == ["Values <small>users</small>"]


def test_the_chart_of_a_phone_shows_all_values_between_its_axes(page, metric, a):
    """It is as wide as the screen, so that nothing scrolls; its dates do not overlap, and each value can be tapped."""
    push(metric, [1000.0 + index for index in range(90)], at=timezone.now())
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1}, at=timezone.now())
    text = page(check)
    narrow = text.partition('<svg class="narrow-only"')[2].partition("</svg>")[0]
    assert 'viewBox="0 0 320 220"' in narrow
    assert labels(narrow, "values")[:2] == labels(wide_chart(text), "values")[:2]
    places = [float(x) for x in re.findall(r'x="([\d.]+)"\s+y="212"', narrow)]
    assert len(places) >= 3
    assert all(right - left >= 50 for left, right in pairwise(places))
    assert narrow.count('class="chart-hover"') == 90
