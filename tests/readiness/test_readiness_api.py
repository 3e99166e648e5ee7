"""The readiness call: 200 or 409, entity tags, and the badge."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from readiness.domain.verdict import Readiness, Verdict
from readiness.presenters import badge_svg
from tests.factories import bearer
from tests.validation.fixtures import push, run

URL = "/api/v1/pipelines/orders/readiness/"


@pytest.fixture
def safe(pipeline, metric, check):
    now = timezone.now()
    metric.settle_minutes = 0
    metric.save()
    push(metric, [20.0, 20.0], at=now)
    run(check, at=now)
    return now


def test_a_safe_day_is_a_200_with_verdict_reasons_and_until(client, a, safe):
    response = client.get(URL, **bearer(a, scope="read"))
    day = safe.date() - dt.timedelta(days=1)
    assert response.status_code == 200
    body = response.json()
    until = body.pop("until")
    assert body == {
        "pipeline": "orders",
        "day": day.isoformat(),
        "verdict": "safe",
        "why": [f"1 check passed for {day.day} {day:%b %Y}."],
    }
    assert safe < dt.datetime.fromisoformat(until) <= safe + dt.timedelta(hours=1)


def test_anything_else_is_a_409_so_that_curl_fails(client, a, pipeline, metric, check):
    response = client.get(URL, **bearer(a))
    assert (response.status_code, response.json()["verdict"]) == (409, "not_yet")


def test_the_day_is_a_parameter(client, a, safe):
    response = client.get(f"{URL}?day=2026-01-02", **bearer(a))
    assert (response.status_code, response.json()["day"]) == (409, "2026-01-02")
    response = client.get(f"{URL}?day=yesterday", **bearer(a))
    assert (response.status_code, list(response.json())) == (400, ["day"])
    assert client.get(URL.replace("orders", "unknown"), **bearer(a)).status_code == 404
    assert client.get(URL).status_code == 401


def test_the_entity_tag_of_a_safe_day_gives_a_304(client, a, safe):
    headers = bearer(a)["headers"]
    etag = client.get(URL, headers=headers).headers["ETag"]
    response = client.get(URL, headers={**headers, "if-none-match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert client.get(URL, headers={**headers, "if-none-match": '"other"'}).status_code == 200


def test_a_day_that_is_not_safe_is_never_a_304(client, a, pipeline, metric, check):
    headers = bearer(a)["headers"]
    etag = client.get(URL, headers=headers).headers["ETag"]
    assert client.get(URL, headers={**headers, "if-none-match": etag}).status_code == 409


def test_the_badge_is_svg_with_day_and_verdict(signed_in, a, safe):
    client = signed_in(a)
    response = client.get("/pipelines/orders/readiness.svg")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/svg+xml")
    day = safe.date() - dt.timedelta(days=1)
    assert re.findall("<title>(.*)</title>", response.content.decode()) == [f"{day.day} {day:%b %Y}: safe"]
    etag = response.headers["ETag"]
    assert client.get("/pipelines/orders/readiness.svg", headers={"if-none-match": etag}).status_code == 304
    assert client.get("/pipelines/unknown/readiness.svg").status_code == 404


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_badge_for_each_verdict(verdict):
    svg = badge_svg(Readiness(dt.date(2026, 11, 24), verdict, (), 0, None))
    assert re.findall("<text[^>]*>([^<]*)</text>", svg) == ["24 Nov", verdict.replace("_", " ")]
