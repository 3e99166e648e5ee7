"""Rules for every route: sign-in, CSRF, no inline scripts or styles, no GET that changes a row."""

import zlib
from functools import partial

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver

from calendar_feeds.models import FeedToken
from people.queries import secret_digest
from tests.factories import make_engineer, make_pipeline, make_runbook, rolled_back
from tests.statements import writing
from tests.thorough import THOROUGH

# On one worker of xdist, so that each route is visited once for all rules of its answer.
pytestmark = pytest.mark.xdist_group("every route")

# Pages on the way in, which say why it is not open.
CLOSED = {
    "/password/": 302,
    "/password/nothing/": 404,
    "/sign-in/not-active/": 403,
    "/sign-in/failed/": 401,
    "/sign-in/cancelled/": 200,
    "/sign-in/with/provider/": 302,
    "/sign-in/with/provider/back/": 404,
    "/readers/feed_for-the-tests/": 404,
    "/readers/feed_for-the-tests/subscribe/": 404,
    "/readers/feed_for-the-tests/daily-growth-experiment-focused.svg": 404,
    "/readers/confirm/nothing/": 404,
    # Other sites post there: with a key in the body, or signed.
    "/api/v1/integrations/events/": 405,
    "/api/v1/integrations/events/v2/enqueue": 405,
    "/api/v1/integrations/events/v2/change/enqueue": 405,
    **{f"/hooks/phone/{kind}/": 302 for kind in ("sms", "call", "status")},
    **{f"/hooks/slack/{kind}/": 302 for kind in ("interactivity", "commands")},
}
# These answer a request without a session as they do with one.
WITHOUT_SESSION = (
    "/api/v1/integrations/events/",
    "/api/v1/integrations/events/v2/enqueue",
    "/api/v1/integrations/events/v2/change/enqueue",
)
REVALIDATED = ("/now/", "/api/v1/oncall/", "/api/v1/responders/")
FEED = "feed_for-the-tests"
LAST_USE = 'UPDATE "calendar_feeds_feedtoken" SET "last_used_at"'
# A mail program posts there without a session (RFC 8058).
LEAVE = "/readers/leave/nothing/"
# The key that is being enrolled waits, sealed, in the session.
ENROLLING = ("/me/second-factor/enrol/", 'UPDATE "django_session"')
OPEN = {
    "/sign-in/",
    "/password/forgotten/",
    "/healthz",
    "/readyz",
    "/favicon.ico",
    "/manifest.webmanifest",
    "/service-worker.js",
    f"/feeds/{FEED}.ics",
    LEAVE,
}
VALUES = {
    "day": "2026-11-23",
    "year": "2026",
    "month": "11",
    "slug": "daily-growth-experiment-focused",
    "pk": "1",
    "number": "1",
    "rest": "nothing",
    "username": "engineer-a",
    "provider_id": "provider",
    "secret": "nothing",
    "token": FEED,
    "kind": "dbt",
    "channel": "ntfy",
    "delivery": "1",
    "key": "0" * 64,
    "pipeline": "daily-growth-experiment-focused",
}


def routes(patterns=None, prefix="/"):
    """Yield the path of every route of the site but Django's admin, with sample values."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = str(pattern.pattern)
        if route.startswith("admin/"):
            continue
        if isinstance(pattern, URLPattern):
            yield prefix + filled(pattern)
        else:
            yield from routes(pattern.url_patterns, prefix + route)


def filled(pattern):
    import re

    route = str(pattern.pattern).lstrip("^").rstrip("$").replace("\\Z", "")
    route = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES[found[1]], route) if "(?P" not in route else route
    return re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", lambda found: VALUES[found[1]], route)


ROUTES = sorted(set(routes()))


class Routes:
    """The rows that the routes show, and an admin's session, created once for all routes; each test is rolled back."""

    def __init__(self):
        a, d = make_engineer("Engineer A"), make_engineer("Engineer D")
        daily_growth = make_pipeline("Daily growth (experiment-focused)", primary=d, secondary=a)
        make_runbook(daily_growth, author=a)
        FeedToken.objects.create(owner=a, prefix="feed_", digest=secret_digest(FEED))
        client = Client()
        client.force_login(make_engineer("Admin", is_staff=True))
        self.session_key = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.answers, self.pages = {}, set()

    def browser(self, **options):
        """Return a new browser in which the admin is signed in."""
        browser = Client(**options)
        browser.cookies[settings.SESSION_COOKIE_NAME] = self.session_key
        return browser

    def get(self, path):
        """Return the admin's answer to a GET of the path, and its statements; roll back its writes."""
        if path not in self.answers:
            with CaptureQueriesContext(connection) as captured:
                answer = in_rollback(self.browser().get, path)
            self.answers[path] = answer.headers, captured.captured_queries
            if answer.status_code == 200 and not answer.streaming:
                self.pages.add(path)
        return self.answers[path]


def in_rollback(visit, path):
    """Return the result of `visit` for a path; roll back its writes, and name the path in exceptions."""
    try:
        with transaction.atomic():
            answer = visit(path)
            transaction.set_rollback(True)
    except Exception as error:
        error.add_note(f"at {path}")
        raise
    return answer


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    with rolled_back(django_db_blocker):
        yield Routes()


def test_the_list_of_routes_is_complete():
    assert "/runbooks/daily-growth-experiment-focused/edit/" in ROUTES
    assert "/api/v1/pipelines/daily-growth-experiment-focused/" in ROUTES
    assert len(ROUTES) > 25


def requires_sign_in(answer, path):
    """Return True if the response without a session is right: a closed route leads to the sign-in page."""
    location = answer.headers.get("Location", "")
    if path in OPEN:
        return answer.status_code in (200, 302, 503) and not location.startswith("/sign-in/")
    if path in CLOSED:
        return answer.status_code == CLOSED[path]
    if path == "/metrics" or (path.startswith("/api/") and path != "/api/v1/docs/"):
        return answer.status_code == 401
    return answer.status_code == 302 and location.startswith("/sign-in/")


def test_every_route_requires_sign_in(site, db):
    answers = {path: in_rollback(Client().get, path) for path in ROUTES}
    assert {path: answer.status_code for path, answer in answers.items() if not requires_sign_in(answer, path)} == {}


OTHER_METHODS = ("put", "patch", "delete")


def is_tried(path, method):
    """Return True if the test tries a method on a route: POST and one other, or all in `make faults`.

    One check of CSRF protects all methods.
    """
    return THOROUGH or method in ("post", OTHER_METHODS[zlib.crc32(path.encode()) % len(OTHER_METHODS)])


@pytest.mark.parametrize("method", ["post", *OTHER_METHODS])
def test_unsafe_methods_require_a_csrf_token(site, db, method):
    wrong = {}
    for path in [path for path in ROUTES if is_tried(path, method)]:
        browser = site.browser(enforce_csrf_checks=True)
        expected = (200,) if (path, method) == (LEAVE, "post") else (403, 405)
        if path in WITHOUT_SESSION and method == "post":
            expected = (415,)
        answer = in_rollback(getattr(browser, method), path)
        if answer.status_code not in expected:
            wrong[path] = answer.status_code
    assert wrong == {}


def is_enrolling(path, sql):
    return path == ENROLLING[0] and sql.startswith(ENROLLING[1])


def test_a_get_changes_no_row(site, db):
    # A visit to the sign-in page of somebody signed in only sends them on. A feed's address keeps when it was last used, as an
    # API token does.
    writes = {
        path: [sql for sql in writing(site.get(path)[1]) if LAST_USE not in sql and not is_enrolling(path, sql)]
        for path in ROUTES
    }
    assert {path: statements for path, statements in writes.items() if statements} == {}


def test_every_response_has_the_strict_policy(site, db):
    policies = {path: site.get(path)[0]["Content-Security-Policy"] for path in ROUTES}
    wrong = {
        path: policy for path, policy in policies.items() if "default-src 'none'" not in policy or "unsafe" in policy
    }
    assert wrong == {}


def leads_to_a_page(site, path):
    site.get(path)
    if path in site.pages:
        return True
    response = site.browser().get(path, follow=True)
    # A file is closed once it is read. `close` would end the transaction of the shared rows.
    is_read = not response.streaming or bool(list(response.streaming_content))
    return is_read and response.status_code != 405 and len(response.redirect_chain) <= 4


def test_a_get_of_an_action_leads_to_a_page(site, db):
    pages = [path for path in ROUTES if not path.startswith("/api/")]
    wrong = [path for path in pages if not in_rollback(partial(leads_to_a_page, site), path)]
    assert wrong == []


def is_right_for_caches(policy, path):
    # Only the reader's browser may store these, to revalidate them by their ETag.
    revalidated = path in REVALIDATED or path.endswith(("/responder/", ".ics", "/readiness.svg", "/readiness/"))
    return policy == "private, no-cache" if revalidated else "no-store" in policy


def test_private_pages_are_not_stored_by_caches(site, db):
    policies = {path: site.get(path)[0]["Cache-Control"] for path in ROUTES}
    assert {path: policy for path, policy in policies.items() if not is_right_for_caches(policy, path)} == {}


@pytest.mark.parametrize("path", ["/", "/api/v1/pipelines/", "/sign-in/"])
def test_an_unknown_host_is_a_400(client, db, path):
    assert client.get(path, headers={"host": "evil.example"}).status_code == 400


def test_sign_in_does_not_redirect_to_another_site(client, a):
    a.set_password("correct horse battery staple")
    a.save()
    fields = {"username": "engineer-a", "password": "correct horse battery staple", "next": "https://evil.example/"}
    assert client.post("/sign-in/?next=https://evil.example/", fields).headers["Location"] == "/"
