"""The log: one JSON object per line, with request ids and without secrets."""

import io
import json
import logging
import sys

import pytest
from django.test import Client

from oncall_site.logs import JsonLogFormatter, LineFormatter, MaskingFilter, mask
from oncall_site.views import now_parts
from pipelines.models import Pipeline
from tests.each import each
from tests.factories import bearer
from tests.memory import clear_memory

TOKEN = "Zk3J9vQ0_abcDEF-1234567890xyzXYZ0987654321ab"


@pytest.fixture
def lines():
    """A function that returns the parsed lines of the JSON log."""
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


def test_a_request_is_one_line_with_user_path_and_duration(signed_in, a, lines):
    answer = signed_in(a).get("/pipelines/?q=nothing")
    line = request_line(lines)
    assert (line["method"], line["path"], line["status"], line["user"]) == ("GET", "/pipelines/", 200, a.username)
    assert line["view"] == "pipelines"
    assert line["milliseconds"] > 0
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["level"] == "INFO"


@pytest.mark.parametrize(
    ("sent", "is_used"), [("abc-123.DEF_456", True), ("short", False), ("with space 12", False), ("x" * 65, False)]
)
def test_a_well_formed_request_id_of_the_caller_is_used(client, db, sent, is_used):
    returned = client.get("/healthz", headers={"x-request-id": sent}).headers["X-Request-ID"]
    assert (returned == sent) is is_used
    assert client.get("/healthz").headers["X-Request-ID"] != returned


def test_a_change_is_stored_with_its_request_id(client, admin, b, daily_growth):
    body = {"primary_owner": b.username}
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    answer = client.patch(path, body, content_type="application/json", **bearer(admin))
    assert answer.status_code == 200
    event = Pipeline.pgh_event_model.objects.filter(pgh_obj_id=daily_growth.pk).order_by("-pgh_id").first()
    assert event.pgh_context.metadata == {"user": admin.pk, "url": path, "request": answer.headers["X-Request-ID"]}


def test_health_is_not_logged(client, db, lines):
    client.get("/healthz")
    assert lines() == []


def test_secrets_in_paths_and_queries_are_masked(client, signed_in, a, lines):
    client.get(f"/feeds/{TOKEN}.ics")
    signed_in(a).get(f"/no/such/{TOKEN}/page?token={TOKEN}")
    logging.getLogger("django.request").warning("Not Found: %s", f"/feeds/{TOKEN}.ics?x={TOKEN}")
    written = json.dumps(lines())
    assert "/feeds/" in written
    assert TOKEN not in written


def test_secrets_in_tracebacks_are_masked(lines):
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


@each(
    ("text", "masked"),
    [
        (f"/feeds/{TOKEN}.ics", "/feeds/…"),
        (f"/readers/{TOKEN}/orders.svg", "/readers/…/orders.svg"),
        ("/readers/leave/WzEsInNlY3JldCJd:1vA:signature/", "/readers/leave/…/"),
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
def test_masking(text, masked):
    assert mask(text) == (text if masked is None else masked)


def test_the_log_and_the_error_page_have_the_id_of_a_failed_request(lines, a, monkeypatch):
    clear_memory()
    monkeypatch.setattr(now_parts, "open_by_urgency", lambda: 1 / 0)
    browser = Client(raise_request_exception=False)
    browser.force_login(a)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.content.decode()
    ids = {line["request_id"] for line in lines() if "ZeroDivisionError" in line.get("exc_info", "")}
    assert ids == {answer.headers["X-Request-ID"]}


@pytest.mark.parametrize("path", ["/hooks/phone/sms/?message=forged", "/unknown/"])
def test_a_refused_request_is_logged_without_a_traceback(client, db, lines, path):
    django = logging.getLogger("django.request")
    before = django.level
    django.setLevel(logging.WARNING)
    try:
        status = client.post(path).status_code
    finally:
        django.setLevel(before)
    [line] = [line for line in lines() if line["logger"] == "django.request"]
    assert (status, line["level"], "exc_info" in line) == (403 if "hooks" in path else 404, "WARNING", False)
