"""The log: a JSON object a line, one a request, with its id; no secret in any."""

import io
import json
import logging
import sys

import pytest
from django.test import Client

from oncall_site.logs import JsonLogFormatter, LineFormatter, MaskingFilter, mask
from oncall_site.views import now
from pipelines.models import Pipeline
from tests.factories import bearer

TOKEN = "Zk3J9vQ0_abcDEF-1234567890xyzXYZ0987654321ab"


@pytest.fixture
def lines():
    """What the production's handler writes of everything, as a function that returns the parsed lines."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLogFormatter())
    handler.addFilter(MaskingFilter())
    root, requests = logging.getLogger(), logging.getLogger("oncall_site.requests")
    before = requests.level
    root.addHandler(handler)
    requests.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    requests.setLevel(before)


def request_line(lines):
    [line] = [line for line in lines() if line["logger"] == "oncall_site.requests"]
    return line


def test_a_request_is_one_line_with_who_what_and_how_long(signed_in, a, lines):
    answer = signed_in(a).get("/pipelines/?q=nothing")
    line = request_line(lines)
    assert (line["method"], line["path"], line["status"], line["user"]) == ("GET", "/pipelines/", 200, a.username)
    assert line["view"] == "pipelines"
    assert line["milliseconds"] > 0
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["level"] == "INFO"


@pytest.mark.parametrize(
    ("asked", "kept"), [("abc-123.DEF_456", True), ("short", False), ("with space 12", False), ("x" * 65, False)]
)
def test_a_well_formed_id_of_the_caller_is_kept(client, db, asked, kept):
    given = client.get("/healthz", headers={"x-request-id": asked}).headers["X-Request-ID"]
    assert (given == asked) is kept
    assert client.get("/healthz").headers["X-Request-ID"] != given


def test_a_change_is_kept_with_the_id_of_its_request(client, admin, b, daily_growth):
    wanted = {"primary_owner": b.username}
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    answer = client.patch(path, wanted, content_type="application/json", **bearer(admin))
    assert answer.status_code == 200
    event = Pipeline.pgh_event_model.objects.filter(pgh_obj_id=daily_growth.pk).order_by("-pgh_id").first()
    assert event.pgh_context.metadata == {"user": admin.pk, "url": path, "request": answer.headers["X-Request-ID"]}


def test_health_is_not_logged(client, db, lines):
    client.get("/healthz")
    assert lines() == []


def test_no_secret_of_a_path_or_a_query_is_logged(client, signed_in, a, lines):
    client.get(f"/feeds/{TOKEN}.ics")
    signed_in(a).get(f"/no/such/{TOKEN}/page?token={TOKEN}")
    logging.getLogger("django.request").warning("Not Found: %s", f"/feeds/{TOKEN}.ics?x={TOKEN}")
    written = json.dumps(lines())
    assert "/feeds/" in written
    assert TOKEN not in written


def test_no_secret_of_a_traceback_is_logged(lines):
    address = "postgresql://oncall:hunter2hunter2@postgres:5432/oncall refused"
    try:
        {}[address]
    except KeyError:
        logging.getLogger("test").exception("It failed with Bearer %s", TOKEN)
        text = LineFormatter().formatException(sys.exc_info())
    written = json.dumps(lines())
    assert "refused" in written
    assert "hunter2" not in written + text
    assert TOKEN not in written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"/feeds/{TOKEN}.ics", "/feeds/…"),
        ("GET /api/v1/pipelines/unit-level-profit-experiment-focused/responder/", None),
        ("/schedule/2026-11-23/", None),
        ("/password/forgotten/", None),
        (f"/password/{TOKEN}/", "/password/…/"),
        (f"/x/{'0123456789abcdef' * 4}/", "/x/…/"),
        ("/search/?q=words", "/search/?…"),
        ("redis://:topsecret@redis:6379/0", "redis://:…@redis:6379/0"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer …"),
    ],
)
def test_what_is_masked(text, shown):
    assert mask(text) == (text if shown is None else shown)


def test_a_line_of_a_failed_request_has_the_id_of_the_failure(lines, a, monkeypatch):

    monkeypatch.setattr(now, "open_incidents", lambda: 1 / 0)
    browser = Client(raise_request_exception=False)
    browser.force_login(a)
    answer = browser.get("/")
    assert answer.status_code == 500
    found = {line["request_id"] for line in lines() if "ZeroDivisionError" in line.get("exc_info", "")}
    assert found == {answer.headers["X-Request-ID"]}
