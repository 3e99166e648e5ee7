"""The form of a check: the fields of its type, what is needed, and a preview that saves nothing."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from tests.each import each
from tests.validation.fixtures import make_check, make_metric, make_warehouse
from validation.check_types import CHECK_TYPES
from validation.forms import CheckForm
from validation.models import Check, DataSource
from validation.services.data_sources import create_data_source
from validation.services.points import NewPoint, push_points

SLUG = "daily-growth-experiment-focused"
DAY = dt.timedelta(days=1)


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


def form_path(check_type):
    return f"/checks/new/?pipeline={SLUG}&check_type={check_type}"


def posted(shown, **fields):
    values = {
        "name": "In range",
        "metric": shown.pk,
        "severity": "fail",
        "interval_minutes": "60",
        "settle_minutes": "0",
    }
    values |= {"confirm": "1", "confirm_of": "1", "cooldown_minutes": "0", "holidays": "ordinary", "is_active": "on"}
    return {**values, **fields}


def push_yesterday(metric, value):
    yesterday = timezone.now().date() - DAY
    bucket = dt.datetime.combine(yesterday, dt.time(), dt.UTC)
    push_points(metric, points=[NewPoint(bucket, value)], at=timezone.now())
    return yesterday


@each("check_type", sorted(CHECK_TYPES))
def test_the_form_has_only_the_fields_of_its_type(signed_in, metric, admin, check_type):
    one = CHECK_TYPES[check_type]
    page = signed_in(admin).get(form_path(check_type)).content.decode()
    shown = {name for name in re.findall(r'name="([\w.]+)"', page) if not name.startswith("parameters.")}
    data = {"name"} | (set() if one.needs_query else {"metric", "settle_minutes", "weekdays", "country", "holidays"})
    data |= {"other_metric"} if check_type in ("anomaly", "ratio", "reconciliation") else set()
    data |= {"source", "query"} if one.needs_query or one.accepts_query else set()
    rest = {"interval_minutes", "cron", "severity", "confirm", "confirm_of", "cooldown_minutes", "is_active", "preview"}
    assert shown & (data | rest | {"other_metric", "source", "query", "metric"}) == data | rest
    assert f"Passes if {one.summary}." in page.replace("&#x27;", "'").replace("&amp;", "&")


@each("check_type", sorted(CHECK_TYPES))
def test_no_needed_field_is_called_optional(metric, admin, check_type):
    form = CheckForm(check=Check(pipeline=metric.pipeline, check_type=check_type), user=admin)
    one = CHECK_TYPES[check_type]
    needed = {f"parameters.{parameter.name}" for parameter in one.declared_parameters if parameter.required}
    needed |= {"name", "interval_minutes", "severity", "confirm", "confirm_of", "cooldown_minutes"}
    needed |= ({"metric"} if one.needs_metric else set()) | ({"source", "query"} if one.needs_query else set())
    marked = {name for name, field in form.fields.items() if field.required or getattr(field, "is_needed", False)}
    assert needed - marked == set()
    optional = {"cron", "weekdays", "country", "parameters.warn_below", "parameters.by_segment"} & set(form.fields)
    assert optional & marked == set()


def test_optional_is_shown_where_it_is_true(signed_in, metric, a):
    page = signed_in(a).get(form_path("completeness")).content.decode()
    labels = re.findall(r"<label for=[^>]*>(.*?)</label>", page, re.DOTALL)
    words = {
        re.sub(r"<[^>]*>|\s+", " ", label).split("(optional)")[0].strip(): "(optional)" in label for label in labels
    }
    assert (words["Look back"], words["Segments"], words["Cron expression"], words["Run every"]) == (
        False,
        True,
        True,
        False,
    )


def test_weekdays_are_check_boxes_and_are_kept(signed_in, metric, a):
    browser, path = signed_in(a), form_path("run_deadline")
    page = browser.get(path).content.decode()
    assert len(re.findall(r'<input type="checkbox" name="weekdays"', page)) == 7
    assert len(re.findall(r'<input type="checkbox" name="parameters.weekdays"[^>]* checked', page)) == 7
    fields = posted(metric, **{"parameters.by": "06:30", "parameters.weekdays": ["0", "4"], "weekdays": ["1"]})
    assert browser.post(path, fields).status_code == 302
    created = Check.objects.get()
    assert (created.parameters["weekdays"], created.weekdays) == ([0, 4], [1])


def test_each_type_is_explained_in_a_line(signed_in, metric, a, client):
    page = signed_in(a).get(f"/checks/new/?pipeline={SLUG}").content.decode()
    for one in CHECK_TYPES.values():
        assert re.search(rf'value="{one.name}"[^>]*>\s*<span><strong>{one.label}</strong>', page)
    assert f'<option value="{SLUG}" selected' in page
    description = next(iter(re.findall(r"passes if", str(signed_in(a).get("/api/v1/schema/").json()))), "")
    assert description == "passes if"


def test_a_preview_shows_the_value_it_would_evaluate_and_saves_nothing(signed_in, metric, a):
    yesterday = push_yesterday(metric, 1200)
    fields = posted(metric, name="Mine", preview="1", **{"parameters.fail_above": "1000"})
    answer = signed_in(a).post(form_path("range"), fields)
    page = answer.content.decode()
    preview = page[page.index('id="preview"') : page.index("Nothing is saved yet.")]
    for words in ("Failed", "1,200 users", f"{yesterday.day} {yesterday:%b %Y}", "above the limit of 1,000"):
        assert words in preview
    assert (answer.status_code, Check.objects.exists()) == (200, False)
    assert ('value="Mine"' in page, 'value="1000"' in page) == (True, True)


def test_a_preview_of_an_edit_leaves_the_check_as_it_is(signed_in, metric, a):
    push_yesterday(metric, 1200)
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_above": 5000})
    page = (
        signed_in(a)
        .post(f"/checks/{check.pk}/edit/", posted(metric, preview="1", **{"parameters.fail_above": "1000"}))
        .content.decode()
    )
    assert "above the limit of 1,000" in page
    check.refresh_from_db()
    assert (check.parameters["fail_above"], check.results.count()) == (5000, 0)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"parameters.fail_above": "x"}, "Enter a number, such as 1.5 or 12,000."),
        ({"metric": "", "parameters.fail_above": "1"}, "Choose the metric to evaluate."),
        ({"metric": "", "parameters.fail_above": "1", "is_active": ""}, "Choose the metric to evaluate."),
    ],
)
def test_a_preview_of_invalid_fields_shows_the_errors(signed_in, metric, a, fields, error):
    answer = signed_in(a).post(form_path("range"), posted(metric, name="Mine", preview="1", **fields))
    page = answer.content.decode()
    assert (answer.status_code, error in page, 'value="Mine"' in page) == (400, True, True)
    assert 'id="preview"' not in page


def test_a_preview_runs_the_query_of_an_admin_only(signed_in, metric, admin, a, tmp_path):
    url = make_warehouse(tmp_path / "w.db", "CREATE TABLE t (x)", "INSERT INTO t VALUES (7)")
    source = create_data_source(name="w", address=url, by=admin)
    fields = posted(metric, preview="1", source=source.pk, query="SELECT x FROM t", **{"parameters.fail_above": "5"})
    fields |= {"parameters.expect": "number", "metric": ""}
    page = signed_in(admin).post(form_path("custom_sql"), fields).content.decode()
    assert "7" in page[page.index('id="preview"') : page.index("Nothing is saved yet.")]
    refused = signed_in(a).post(form_path("custom_sql"), fields)
    assert (refused.status_code, "Only admins can create or edit checks with SQL." in refused.content.decode()) == (
        400,
        True,
    )
    assert not Check.objects.exists()
    assert DataSource.objects.count() == 1


def test_a_known_event_with_wrong_dates_keeps_what_was_typed(signed_in, metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_above": 5})
    fields = {"starts_on": "2026-11-28", "ends_on": "2026-11-27", "name": "Black Friday", "whole_pipeline": "on"}
    answer = signed_in(a).post(f"/checks/{check.pk}/events/", fields)
    page = answer.content.decode()
    assert (answer.status_code, "End date is before start date." in page) == (400, True)
    assert ('value="Black Friday"' in page, 'value="2026-11-28"' in page) == (True, True)
    assert not check.pipeline.known_events.exists()


def test_an_anomaly_check_may_name_a_companion_of_the_same_grain(signed_in, metric, a):
    weather = make_metric(metric.pipeline, "weather")
    hourly = make_metric(metric.pipeline, "hourly", grain="hour")
    path = form_path("anomaly")
    page = signed_in(a).get(path).content.decode()
    assert "Companion metric" in page
    assert "such as the temperature" in page
    for pk, says in ((hourly.pk, "Choose a metric with a value per day."), (metric.pk, "other than the one")):
        response = signed_in(a).post(path, anomaly_form(metric, other_metric=pk))
        assert (response.status_code, says in response.content.decode()) == (400, True)
    signed_in(a).post(path, anomaly_form(metric, other_metric=weather.pk))
    assert Check.objects.get(check_type="anomaly").other_metric == weather


def anomaly_form(metric, **fields):
    return {
        "name": "Orders fit their history",
        "metric": metric.pk,
        "parameters.alert_budget": "4",
        "parameters.least_percent": "10",
        "interval_minutes": "1 d",
        "settle_minutes": "0 min",
        "holidays": "ordinary",
        "severity": "fail",
        "confirm": "1",
        "confirm_of": "1",
        "cooldown_minutes": "0 min",
        "is_active": "on",
        **fields,
    }
