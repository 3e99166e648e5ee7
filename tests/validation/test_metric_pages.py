"""Metrics in the browser: permissions and errors."""

import pytest

from tests.each import each
from tests.validation.fixtures import AT, make_metric, push
from validation.models import Metric
from validation.services.data_sources import create_data_source

NEW = "/checks/metrics/new/"
FIELDS = {"name": "Daily orders", "unit": "orders", "kind": "count", "grain": "day", "time_zone": "Europe/Berlin"}


@pytest.fixture
def source(admin):
    return create_data_source(name="warehouse", address="sqlite:////nowhere.sqlite", by=admin)


@pytest.fixture
def pushed(daily_growth):
    return make_metric(daily_growth, "users")


@pytest.fixture
def pulled(daily_growth, source):
    return make_metric(daily_growth, "orders", source=source, query="SELECT day, n FROM orders")


def text(response):
    return response.content.decode()


def field_error(response, field):
    """Return the error that the page shows at a field."""
    error = text(response).partition(f'id="id_{field}_error">')[2].partition("</ul>")[0]
    return error.replace("<li>", "").replace("</li>", "").strip()


def test_checks_and_the_pipeline_link_to_the_form(signed_in, daily_growth, pushed, a):
    browser = signed_in(a)
    assert f'href="{NEW}"' in text(browser.get("/checks/"))
    page = text(browser.get(f"/pipelines/{daily_growth.slug}/"))
    assert f'href="{NEW}?pipeline={daily_growth.slug}"' in page
    assert f'href="/checks/metrics/{pushed.pk}/"' in page
    assert f'value="{daily_growth.slug}" selected' in text(browser.get(f"{NEW}?pipeline={daily_growth.slug}"))
    assert browser.get(f"{NEW}?pipeline=%00").status_code == 200


def test_an_engineer_creates_a_pushed_metric(signed_in, client, daily_growth, a):
    browser = signed_in(a)
    assert "SELECT" not in text(browser.get(NEW))
    response = browser.post(NEW, {**FIELDS, "pipeline": daily_growth.slug})
    assert response.headers["Location"] == f"/pipelines/{daily_growth.slug}/"
    metric = Metric.objects.get()
    assert (metric.slug, metric.name, metric.unit, metric.time_zone) == (
        "daily-orders",
        "Daily orders",
        "orders",
        "Europe/Berlin",
    )
    assert "you can now push values" in text(browser.get(f"/pipelines/{daily_growth.slug}/")).lower()
    again = browser.post(NEW, {**FIELDS, "pipeline": daily_growth.slug})
    assert again.status_code == 302
    assert Metric.objects.count() == 2


def test_sql_from_an_engineer_is_ignored(signed_in, daily_growth, source, a):
    fields = {**FIELDS, "pipeline": daily_growth.slug, "source": source.pk, "query": "SELECT 1, 2"}
    assert signed_in(a).post(NEW, fields).status_code == 302
    assert (Metric.objects.get().query, Metric.objects.get().source) == ("", None)


def test_an_admin_creates_a_pulled_metric_with_source_and_query(signed_in, daily_growth, source, admin):
    browser, fields = signed_in(admin), {**FIELDS, "pipeline": daily_growth.slug, "slug": "orders"}
    for given, field in (
        ({"source": source.pk}, "query"),
        ({"query": "SELECT 1, 2"}, "source"),
        ({"source": source.pk, "query": "DELETE FROM orders"}, "query"),
        ({"source": 999, "query": "SELECT 1, 2"}, "source"),
    ):
        response = browser.post(NEW, {**fields, **given})
        assert response.status_code == 400
        assert field_error(response, field)
        assert 'value="Daily orders"' in text(response)
    assert not Metric.objects.exists()
    assert browser.post(NEW, {**fields, "source": source.pk, "query": "SELECT day, n FROM orders"}).status_code == 302
    assert (Metric.objects.get().slug, Metric.objects.get().source) == ("orders", source)


@each(
    ("field", "value", "words"),
    [
        ("name", "", "This field is required."),
        ("pipeline", "nothing", "Select a valid choice"),
        ("slug", "Not a slug", "slug"),
        ("slug", "UPPER", "lower-case"),
        ("slug", "users", "Another metric of this pipeline uses this slug."),
        ("time_zone", "Mars/Olympus", "Unknown time zone"),
        ("grain", "week", "Select a valid choice"),
        ("kind", "mood", "Select a valid choice"),
        ("unit", "x" * 31, "at most 30"),
        ("name", "a\0b", "Null characters"),
    ],
)
def test_an_error_is_shown_at_its_field_and_the_input_is_kept(signed_in, daily_growth, pushed, a, field, value, words):
    response = signed_in(a).post(NEW, {**FIELDS, "pipeline": daily_growth.slug, field: value})
    assert response.status_code == 400
    assert words in field_error(response, field)
    assert field == "unit" or 'value="orders"' in text(response)
    assert Metric.objects.get() == pushed


def test_editing_keeps_the_pipeline_and_slug(signed_in, daily_growth, pushed, a):
    browser, path = signed_in(a), f"/checks/metrics/{pushed.pk}/"
    page = text(browser.get(path))
    assert f"POST /api/v1/metrics/{daily_growth.slug}/users/points/" in page
    assert 'name="slug"' not in page
    assert 'name="pipeline"' not in page
    assert browser.post(path, {**FIELDS, "slug": "other", "pipeline": "other"}).status_code == 302
    pushed.refresh_from_db()
    assert (pushed.name, pushed.time_zone, pushed.slug, pushed.pipeline) == (
        "Daily orders",
        "Europe/Berlin",
        "users",
        daily_growth,
    )
    assert browser.get("/checks/metrics/999/").status_code == 404


def test_granularity_and_time_zone_cannot_change_once_there_are_values(signed_in, pushed, a):
    push(pushed, [1.0], at=AT)
    response = signed_in(a).post(f"/checks/metrics/{pushed.pk}/", {**FIELDS, "grain": "hour"})
    assert response.status_code == 400
    assert "Create another metric" in field_error(response, "grain")
    assert "Create another metric" in field_error(response, "time_zone")
    assert "<h1>Users" in text(response)
    pushed.refresh_from_db()
    assert (pushed.grain, pushed.name) == ("day", "Users")


def test_only_admins_edit_a_metric_with_sql(signed_in, daily_growth, source, pulled, a, admin):
    path = f"/checks/metrics/{pulled.pk}/"
    browser = signed_in(a)
    assert browser.get(path).status_code == browser.post(path, FIELDS).status_code == 403
    assert path not in text(browser.get(f"/pipelines/{daily_growth.slug}/"))
    admins = signed_in(admin)
    assert path in text(admins.get(f"/pipelines/{daily_growth.slug}/"))
    assert "SELECT day, n FROM orders" in text(admins.get(path))
    fields = {**FIELDS, "source": source.pk, "query": "SELECT day, m FROM orders"}
    assert admins.post(path, fields).status_code == 302
    pulled.refresh_from_db()
    assert pulled.query == "SELECT day, m FROM orders"
    assert admins.post(path, FIELDS).status_code == 302
    pulled.refresh_from_db()
    assert (pulled.query, pulled.source) == ("", None)


def test_the_newest_value_is_written_as_everywhere(signed_in, daily_growth, pushed, a):
    push(pushed, [99_558.46])
    page = text(signed_in(a).get(f"/pipelines/{daily_growth.slug}/"))
    assert "99,558.5 users" in " ".join(page.split())
