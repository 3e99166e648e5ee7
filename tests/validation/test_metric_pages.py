"""Metrics in the browser: who makes and changes which, and what is said of what is wrong."""

import pytest

from tests.validation.fixtures import AT, make_metric, push
from validation.models import Metric
from validation.services.data_sources import create_data_source

NEW = "/checks/metrics/new/"
TYPED = {"name": "Daily orders", "unit": "orders", "kind": "count", "grain": "day", "time_zone": "Europe/Berlin"}


@pytest.fixture
def source(admin):
    return create_data_source(name="warehouse", address="sqlite:////nowhere.sqlite", by=admin)


@pytest.fixture
def pushed(daily_growth):
    return make_metric(daily_growth, "users")


@pytest.fixture
def pulled(daily_growth, source):
    return make_metric(daily_growth, "orders", source=source, query="SELECT day, n FROM orders")


def text_of(answer):
    return answer.content.decode()


def error_of(answer, field):
    """Return what the page says at a field."""
    found = text_of(answer).partition(f'id="id_{field}_error">')[2].partition("</ul>")[0]
    return found.replace("<li>", "").replace("</li>", "").strip()


def test_the_form_is_reached_from_checks_and_from_the_pipeline_s_page(signed_in, daily_growth, pushed, a):
    browser = signed_in(a)
    assert f'href="{NEW}"' in text_of(browser.get("/checks/"))
    page = text_of(browser.get(f"/pipelines/{daily_growth.slug}/"))
    assert f'href="{NEW}?pipeline={daily_growth.slug}"' in page
    assert f'href="/checks/metrics/{pushed.pk}/"' in page
    assert f'value="{daily_growth.slug}" selected' in text_of(browser.get(f"{NEW}?pipeline={daily_growth.slug}"))
    assert browser.get(f"{NEW}?pipeline=%00").status_code == 200


def test_an_engineer_makes_a_metric_that_points_are_pushed_to(signed_in, client, daily_growth, a):
    browser = signed_in(a)
    assert "SELECT" not in text_of(browser.get(NEW))
    answer = browser.post(NEW, {**TYPED, "pipeline": daily_growth.slug})
    assert answer.headers["Location"] == f"/pipelines/{daily_growth.slug}/"
    made = Metric.objects.get()
    assert (made.slug, made.name, made.unit, made.time_zone) == (
        "daily-orders",
        "Daily orders",
        "orders",
        "Europe/Berlin",
    )
    assert "points can come" in text_of(browser.get(f"/pipelines/{daily_growth.slug}/")).lower()
    again = browser.post(NEW, {**TYPED, "pipeline": daily_growth.slug})
    assert again.status_code == 302
    assert Metric.objects.count() == 2


def test_what_an_engineer_types_of_sql_makes_none(signed_in, daily_growth, source, a):
    typed = {**TYPED, "pipeline": daily_growth.slug, "source": source.pk, "query": "SELECT 1, 2"}
    assert signed_in(a).post(NEW, typed).status_code == 302
    assert (Metric.objects.get().query, Metric.objects.get().source) == ("", None)


def test_an_admin_makes_one_that_is_pulled_and_is_told_what_it_lacks(signed_in, daily_growth, source, admin):
    browser, typed = signed_in(admin), {**TYPED, "pipeline": daily_growth.slug, "slug": "orders"}
    for given, field in (
        ({"source": source.pk}, "query"),
        ({"query": "SELECT 1, 2"}, "source"),
        ({"source": source.pk, "query": "DELETE FROM orders"}, "query"),
        ({"source": 999, "query": "SELECT 1, 2"}, "source"),
    ):
        answer = browser.post(NEW, {**typed, **given})
        assert answer.status_code == 400
        assert error_of(answer, field)
        assert 'value="Daily orders"' in text_of(answer)
    assert not Metric.objects.exists()
    assert browser.post(NEW, {**typed, "source": source.pk, "query": "SELECT day, n FROM orders"}).status_code == 302
    assert (Metric.objects.get().slug, Metric.objects.get().source) == ("orders", source)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "This field is required."),
        ("pipeline", "nothing", "Select a valid choice"),
        ("slug", "Not a slug", "slug"),
        ("slug", "UPPER", "lower-case"),
        ("slug", "users", "Another metric of this pipeline has it."),
        ("time_zone", "Mars/Olympus", "not a time zone"),
        ("grain", "week", "Select a valid choice"),
        ("kind", "mood", "Select a valid choice"),
        ("unit", "x" * 31, "at most 30"),
        ("name", "a\0b", "Null characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    signed_in, daily_growth, pushed, a, field, value, words
):
    answer = signed_in(a).post(NEW, {**TYPED, "pipeline": daily_growth.slug, field: value})
    assert answer.status_code == 400
    assert words in error_of(answer, field)
    assert field == "unit" or 'value="orders"' in text_of(answer)
    assert Metric.objects.get() == pushed


def test_a_metric_is_changed_and_stays_where_its_points_are_sent(signed_in, daily_growth, pushed, a):
    browser, path = signed_in(a), f"/checks/metrics/{pushed.pk}/"
    page = text_of(browser.get(path))
    assert f"POST /api/v1/metrics/{daily_growth.slug}/users/points/" in page
    assert 'name="slug"' not in page
    assert 'name="pipeline"' not in page
    assert browser.post(path, {**TYPED, "slug": "other", "pipeline": "other"}).status_code == 302
    pushed.refresh_from_db()
    assert (pushed.name, pushed.time_zone, pushed.slug, pushed.pipeline) == (
        "Daily orders",
        "Europe/Berlin",
        "users",
        daily_growth,
    )
    assert browser.get("/checks/metrics/999/").status_code == 404


def test_the_grain_and_zone_of_points_stay(signed_in, pushed, a):
    push(pushed, [1.0], at=AT)
    answer = signed_in(a).post(f"/checks/metrics/{pushed.pk}/", {**TYPED, "grain": "hour"})
    assert answer.status_code == 400
    assert "make another metric" in error_of(answer, "grain")
    assert "make another metric" in error_of(answer, "time_zone")
    assert "<h1>Users" in text_of(answer)
    pushed.refresh_from_db()
    assert (pushed.grain, pushed.name) == ("day", "Users")


def test_a_metric_with_sql_is_an_admin_s(signed_in, daily_growth, source, pulled, a, admin):
    path = f"/checks/metrics/{pulled.pk}/"
    browser = signed_in(a)
    assert browser.get(path).status_code == browser.post(path, TYPED).status_code == 403
    assert path not in text_of(browser.get(f"/pipelines/{daily_growth.slug}/"))
    admins = signed_in(admin)
    assert path in text_of(admins.get(f"/pipelines/{daily_growth.slug}/"))
    assert "SELECT day, n FROM orders" in text_of(admins.get(path))
    typed = {**TYPED, "source": source.pk, "query": "SELECT day, m FROM orders"}
    assert admins.post(path, typed).status_code == 302
    pulled.refresh_from_db()
    assert pulled.query == "SELECT day, m FROM orders"
    assert admins.post(path, TYPED).status_code == 302
    pulled.refresh_from_db()
    assert (pulled.query, pulled.source) == ("", None)
