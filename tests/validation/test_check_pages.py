"""Checks, metrics and data sources in the browser and in the admin."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from tests.validation.fixtures import bucket, make_check, make_metric, make_warehouse, run, wide_chart
from validation.models import Check, CheckResult, DataSource, KnownEvent, Metric
from validation.services.checks import update_check
from validation.services.data_sources import create_data_source
from validation.services.known_events import Event, add_known_event
from validation.services.points import NewPoint, push_points
from validation.services.run_check import claim_due_checks, run_check

SLUG = "daily-growth-experiment-focused"


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


@pytest.fixture
def check(metric, a):
    return make_check(
        metric.pipeline, a, metric=metric, parameters={"fail_below": 10, "warn_above": 90}, at=timezone.now()
    )


def push_days(metric, values):
    at = timezone.now()
    points = [
        NewPoint(bucket(len(values) - place, at), value) for place, value in enumerate(values) if value is not None
    ]
    push_points(metric, points=points, at=at)


def test_the_next_page_keeps_the_filter(signed_in, metric, a, monkeypatch):
    monkeypatch.setattr("validation.views.checks.CHECKS_PER_PAGE", 1)
    for name in ("One", "Two"):
        make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, name=name, at=timezone.now())
    text = signed_in(a).get(f"/checks/?pipeline={SLUG}").content.decode()
    assert f'href="?pipeline={SLUG}&amp;page=2"' in text


def test_the_empty_page_links_to_a_new_check(signed_in, a):
    text = signed_in(a).get("/checks/").content.decode()
    assert "No checks yet" in text
    assert "/checks/new/" in text


def test_checks_are_listed_with_their_last_result(signed_in, check, metric, a):
    push_days(metric, [50, 5])
    run(check, at=timezone.now())
    text = signed_in(a).get("/checks/").content.decode()
    for words in (check.name, "Failed", "Alerting", "5 is below the limit of 10.", str(metric.pipeline)):
        assert words in text
    assert check.name in signed_in(a).get(f"/checks/?pipeline={SLUG}&status=fail").content.decode()
    assert check.name not in signed_in(a).get("/checks/?status=pass").content.decode()
    assert signed_in(a).get("/checks/?pipeline=%00&status=%00&page=%00").status_code == 200


def test_failing_checks_come_first_and_disabled_ones_last(signed_in, metric, a):
    fields = {"metric": metric, "parameters": {"fail_below": 10}, "is_active": True}
    states = ["", "pass", "skip", "unknown", "warn", "error", "fail"]
    for place, status in enumerate(states):
        created = make_check(metric.pipeline, a, name=f"{place} {status or 'not run'}", **fields)
        Check.objects.filter(pk=created.pk).update(last_status=status, last_value=0.0375)
    alerting, off = (make_check(metric.pipeline, a, name=name, **fields) for name in ("8", "0 off"))
    Check.objects.filter(pk=alerting.pk).update(last_status="fail", alerting_since=timezone.now())
    Check.objects.filter(pk=off.pk).update(last_status="fail", is_active=False)
    text = signed_in(a).get("/checks/").content.decode()
    names = re.findall(r'<a href="/checks/\d+/">([^<]+)</a>', text)
    assert names == ["8", "6 fail", "5 error", "4 warn", "3 unknown", "2 skip", "1 pass", "0 not run", "0 off"]
    assert text.count('data-label="Value">0.0375 users<') == len(states)


def test_a_check_shows_its_chart_and_the_data_as_a_table(signed_in, check, metric, a):
    day = (timezone.now() - dt.timedelta(days=3)).date()
    event = Event(day, day, "Sale <b>")
    add_known_event(metric.pipeline, metric=metric, event=event, by=a, at=timezone.now())
    push_days(metric, [50, 60, None, 55, 5])
    run(check, at=timezone.now())
    text = signed_in(a).get(f"/checks/{check.pk}/").content.decode()
    for words in ("<svg", "chart-line", "chart-mark fail", "chart-event", "Sale &lt;b&gt;", "Show data"):
        assert words in text
    assert wide_chart(text).count("<polyline") == 2  # the gap breaks the line
    assert "style=" not in text


@pytest.mark.parametrize(
    ("mode", "shown"), [("sum", ["100 users", "40 users"]), ("level", ["60 users", "40 users", "50 users"])]
)
def test_the_chart_of_a_target_shows_the_evaluated_value(signed_in, metric, a, mode, shown):
    push_days(metric, [50, 40, None, 60])
    today = timezone.now().date()
    # The first value lies before the target begins.
    targets = {f"{today + dt.timedelta(days=30)}": 1000}
    parameters = {
        "mode": mode,
        "starts_on": f"{today - dt.timedelta(days=3)}",
        "targets": targets,
        "fail_percent": 10,
    }
    check = make_check(metric.pipeline, a, metric=metric, check_type="target", parameters=parameters, at=timezone.now())
    text = signed_in(a).get(f"/checks/{check.pk}/").content.decode()
    assert re.findall(r"</th>\s*<td>(\d+ users)</td>", text) == shown


def test_the_age_of_data_is_a_duration_in_the_list_and_on_the_page(signed_in, metric, a):
    metric.unit = "EUR"
    metric.save()
    created = make_check(
        metric.pipeline, a, metric=metric, check_type="freshness", name="Fresh", parameters={"fail_after_minutes": 3000}
    )
    of_money = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, name="Enough")
    Check.objects.filter(pk=created.pk).update(last_value=787.0, last_status="pass", is_active=True)
    Check.objects.filter(pk=of_money.pk).update(last_value=1200.0, last_status="pass", is_active=True)
    at = timezone.now()
    created.results.create(status="pass", value=787.0, high=3000.0, started_at=at, finished_at=at)
    text = signed_in(a).get("/checks/").content.decode()
    assert 'data-label="Value">13 h 7 min<' in text
    assert 'data-label="Value">1,200 EUR<' in text
    page = signed_in(a).get(f"/checks/{created.pk}/").content.decode()
    assert "<td>13 h 7 min</td>" in page
    assert "<td>2 d 2 h</td>" in page
    assert "EUR" not in page


def test_an_isolated_value_is_drawn_as_a_dot(signed_in, check, metric, a):
    push_days(metric, [50, None, 60, 55])
    page = signed_in(a).get(f"/checks/{check.pk}/").content.decode()
    assert wide_chart(page).count("chart-dot") == 1


def test_the_history_of_a_check_is_in_words(signed_in, check, a):
    update_check(check, fields={"parameters": {"fail_below": 20}, "is_active": False}, by=a, at=timezone.now())
    text = signed_in(a).get(f"/checks/{check.pk}/").content.decode()
    for words in ("Enabled: <del>yes</del> → <ins>no</ins>", "by segment: no, fail below: 20</ins>"):
        assert words in text


def test_an_engineer_creates_and_edits_a_check(signed_in, metric, a):
    browser = signed_in(a)
    path = f"/checks/new/?pipeline={SLUG}&check_type=range"
    assert 'name="parameters.fail_below"' in browser.get(path).content.decode()
    fields = {
        "name": "In range",
        "metric": metric.pk,
        "parameters.fail_below": "10",
        "severity": "fail",
        "interval_minutes": "30",
        "settle_minutes": "0",
        "confirm": "1",
        "confirm_of": "1",
        "cooldown_minutes": "0",
        "holidays": "ordinary",
        "is_active": "on",
    }
    wrong = browser.post(path, {**fields, "parameters.fail_below": "x"})
    assert wrong.status_code == 400
    assert "Enter a number, such as 1.5 or 12,000." in wrong.content.decode()
    assert browser.post(path, fields).status_code == 302
    created = Check.objects.get()
    assert (created.parameters["fail_below"], created.interval_minutes, created.is_active) == (10, 30, True)
    edit = f"/checks/{created.pk}/edit/"
    assert 'value="10' in browser.get(edit).content.decode()
    browser.post(
        edit, {**fields, "cron": "0 7 * * 1-5", "interval_minutes": "", "weekdays": ["0", "1"], "country": "de"}
    )
    created.refresh_from_db()
    assert (created.cron, created.interval_minutes, created.weekdays, created.country) == (
        "0 7 * * 1-5",
        None,
        [0, 1],
        "DE",
    )
    assert browser.post(f"/checks/{created.pk}/remove/").status_code == 302
    assert not Check.objects.exists()


def test_every_type_of_check_has_a_form_and_a_page(signed_in, metric, admin):
    from validation.check_types import CHECK_TYPES

    browser = signed_in(admin)
    for kind in CHECK_TYPES:
        assert browser.get(f"/checks/new/?pipeline={SLUG}&check_type={kind}").status_code == 200
        row = Check(pipeline=metric.pipeline, name=kind, check_type=kind, is_active=False)
        row.save()
        for page in ("", "edit/"):
            assert browser.get(f"/checks/{row.pk}/{page}").status_code == 200


def test_checks_with_sql_are_changed_by_admins_in_the_browser(signed_in, daily_growth, a, admin, tmp_path):
    source = create_data_source(name="W", address=make_warehouse(tmp_path / "w"), by=admin)
    check = make_check(daily_growth, admin, "custom_sql", source=source, query="SELECT 1", at=timezone.now())
    assert "/edit/" not in signed_in(a).get(f"/checks/{check.pk}/").content.decode()
    fields = {"name": "Mine", "severity": "fail", "interval_minutes": 5, "settle_minutes": 0, "confirm": 1, "confirm_of": 1,
              "cooldown_minutes": 0, "holidays": "ordinary", "parameters.expect": "no_rows"}  # fmt: skip
    refused = signed_in(a).post(f"/checks/{check.pk}/edit/", fields)
    assert refused.status_code == 400
    assert "Only admins can create or edit checks with SQL." in refused.content.decode()
    signed_in(a).post(f"/checks/{check.pk}/remove/")
    assert Check.objects.filter(name=check.name).exists()
    done = signed_in(admin).post(f"/checks/{check.pk}/edit/", {**fields, "source": source.pk, "query": "SELECT 2"})
    assert done.status_code == 302
    assert Check.objects.get().query == "SELECT 2"


def test_a_requested_run_shows_its_progress(signed_in, check, metric, a):
    browser, page = signed_in(a), f"/checks/{check.pk}/"
    push_days(metric, [50])
    browser.post(f"{page}run/")
    assert 'hx-trigger="load delay:2s"' in browser.get(page).content.decode()
    assert "Queued" in browser.get(f"{page}progress/").content.decode()
    at = timezone.now()
    [handed] = claim_due_checks(at=at)
    run_check(handed, at=at)
    done = browser.get(f"{page}progress/")
    assert done.headers["HX-Refresh"] == "true"
    assert "hx-get" not in done.content.decode()
    assert CheckResult.objects.get().trigger == "manual"


def test_a_check_is_muted_and_a_result_marked_as_expected(signed_in, check, metric, a):
    browser, page = signed_in(a), f"/checks/{check.pk}/"
    push_days(metric, [5])
    result = run(check, at=timezone.now())
    browser.post(f"{page}mute/", {"hours": "24"})
    check.refresh_from_db()
    assert check.muted_until is not None
    browser.post(f"{page}mute/", {"unmute": "1"})
    browser.post(f"{page}mute/", {"hours": "5000"})
    check.refresh_from_db()
    assert check.muted_until is None
    browser.post(f"{page}results/{result.pk}/acknowledge/")
    check.refresh_from_db()
    assert check.alerting_since is None
    assert "marked as expected by Engineer A" in browser.get(page).content.decode()
    assert browser.post(f"/checks/{check.pk + 1}/results/{result.pk}/acknowledge/").status_code == 404


def test_known_events_are_added_and_removed_on_the_page(signed_in, check, a):
    browser, page = signed_in(a), f"/checks/{check.pk}/"
    fields = {"starts_on": "2026-11-27", "ends_on": "2026-11-28", "name": "Black Friday"}
    browser.post(f"{page}events/", fields)
    event = KnownEvent.objects.get()
    assert event.metric == check.metric
    browser.post(f"{page}events/", {**fields, "ends_on": "2026-11-01"})
    assert KnownEvent.objects.count() == 1
    browser.post(f"{page}events/{event.pk}/remove/")
    assert not KnownEvent.objects.exists()


def test_a_backtest_counts_the_alerts_per_year_of_a_threshold(signed_in, check, metric, a):
    push_days(metric, ([50] * 49 + [5]) * 7 + [50])
    browser, page = signed_in(a), f"/checks/{check.pk}/backtest/"
    assert "7.3 alerts per year" in browser.get(page).content.decode()
    other = browser.get(f"{page}?parameters.fail_below=1").content.decode()
    assert "0.0 alerts per year" in other
    assert browser.get(f"{page}?parameters.fail_below=x").status_code == 400
    check.refresh_from_db()
    assert check.parameters["fail_below"] == 10


def test_an_anomaly_check_has_a_backtest(signed_in, metric, a):
    check = make_check(metric.pipeline, a, "anomaly", metric=metric, at=timezone.now())
    push_days(metric, [100 + 10 * (day % 7) + day % 3 for day in range(480)])
    text = signed_in(a).get(f"/checks/{check.pk}/backtest/").content.decode()
    assert "alerts per year" in text


def test_the_pipeline_page_shows_checks_and_metrics(signed_in, check, metric, a):
    push_days(metric, [50])
    text = signed_in(a).get(f"/pipelines/{SLUG}/").content.decode()
    assert check.name in text
    assert "50 users" in text
    assert f"/api/v1/metrics/{SLUG}/users/points/" in text


def test_an_admin_edits_a_data_source_whose_url_is_never_shown(signed_in, admin, a, tmp_path):
    browser = signed_in(admin)
    address = make_warehouse(tmp_path / "secret-warehouse")
    fields = {"name": "W", "limit_seconds": "20", "row_cap": "1000"}
    assert (
        "Unsupported database URL"
        in browser.post("/admin/validation/datasource/add/", {**fields, "new_address": "nonsense"}).content.decode()
    )
    assert browser.post("/admin/validation/datasource/add/", fields).status_code == 200
    assert browser.post("/admin/validation/datasource/add/", {**fields, "new_address": address}).status_code == 302
    source = DataSource.objects.get()
    sealed = source.address
    page = f"/admin/validation/datasource/{source.pk}/change/"
    assert "secret-warehouse" not in browser.get(page).content.decode()
    assert browser.post(page, {**fields, "limit_seconds": "30"}).status_code == 302
    source.refresh_from_db()
    assert (source.limit_seconds, source.address) == (30, sealed)
    assert signed_in(a).get(page).status_code in (302, 403)


def test_an_admin_edits_a_metric(signed_in, daily_growth, admin):
    browser = signed_in(admin)
    fields = {
        "pipeline": daily_growth.pk,
        "slug": "m",
        "name": "M",
        "kind": "count",
        "grain": "day",
        "time_zone": "UTC",
        "query": "",
    }
    assert browser.post("/admin/validation/metric/add/", {**fields, "query": "DELETE"}).status_code == 200
    assert browser.post("/admin/validation/metric/add/", fields).status_code == 302
    metric = Metric.objects.get()
    push_days(metric, [1])
    page = f"/admin/validation/metric/{metric.pk}/change/"
    assert "once a metric has values" in browser.post(page, {**fields, "grain": "hour"}).content.decode()
    for path in ("check", "knownevent", "reportedrun", "metric", "datasource", "externalcheck"):
        assert browser.get(f"/admin/validation/{path}/").status_code == 200


def anomaly_check(pipeline, by, **fields):
    """Return an anomaly check of a metric with 120 days up to yesterday, one of them far too low."""
    metric = make_metric(pipeline, "orders")
    values = [1000.0 + n % 7 * 20 + n * n % 11 for n in range(120)]
    values[-10] = 300.0
    push_days(metric, values)
    return make_check(pipeline, by, "anomaly", metric=metric, at=timezone.now(), **fields)


def test_the_page_explains_any_past_day(signed_in, daily_growth, a):
    check = anomaly_check(daily_growth, a)
    page = signed_in(a).get(f"/checks/{check.pk}/").content.decode()
    assert "Explain a day" in page
    today = timezone.now().date()

    def explained(days_ago):
        day = today - dt.timedelta(days=days_ago)
        page = signed_in(a).get(f"/checks/{check.pk}/", {"day": day.isoformat()}).content.decode()
        text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        return text.partition("Explain a day")[2].partition("Calculated with the check’s current settings.")[0]

    low = explained(10)
    assert "Value 300" in low
    assert "Forecast 1," in low
    assert "Expected range" in low
    assert "Result Alert: 300 – 7" in low
    usual = explained(20)
    assert "the value is 0%" not in usual
    assert "Result No alert: within the expected range." in usual
    assert "Result Warning: " not in usual
    assert "No forecast: 5 of 28 days of history." in explained(115)
    assert "Result No value." in explained(300)


def test_explaining_a_day_that_is_not_due_or_not_a_date(signed_in, daily_growth, a):
    check = anomaly_check(daily_growth, a)
    later = timezone.now().date() + dt.timedelta(days=3)
    assert "is not due yet" in signed_in(a).get(f"/checks/{check.pk}/", {"day": later.isoformat()}).content.decode()
    for day in ("0001-01-01", "1066-10-14", "1999-12-31", "9999-12-31"):
        assert signed_in(a).get(f"/checks/{check.pk}/", {"day": day}).status_code in (200, 400)
    response = signed_in(a).get(f"/checks/{check.pk}/", {"day": "soon"})
    assert response.status_code == 400
    assert "Enter a valid date" in response.content.decode()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numbers_near_the_limits_of_a_float_break_no_page(signed_in, daily_growth, a):
    metric = make_metric(daily_growth, "orders")
    push_days(metric, [1e308, -1e308] * 60)
    check = make_check(daily_growth, a, "anomaly", metric=metric, at=timezone.now())
    result = run(check, at=timezone.now())
    assert (result.status, result.message) == (
        "error",
        "The values are too large to evaluate.",
    )
    yesterday = (timezone.now().date() - dt.timedelta(days=3)).isoformat()
    for path in (f"/checks/{check.pk}/", f"/checks/{check.pk}/?day={yesterday}", f"/checks/{check.pk}/backtest/"):
        assert signed_in(a).get(path).status_code == 200
    assert signed_in(a).get(f"/api/v1/checks/{check.pk}/results/").status_code == 200


def test_other_types_and_segments_explain_no_days(signed_in, daily_growth, a):
    check = anomaly_check(daily_growth, a, parameters={"by_segment": True})
    plain = make_check(daily_growth, a, metric=check.metric, parameters={"fail_below": 1}, at=timezone.now())
    for one in (check, plain):
        assert "Explain a day" not in signed_in(a).get(f"/checks/{one.pk}/", {"day": "2026-01-01"}).content.decode()
