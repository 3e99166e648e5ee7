"""Everyone's share of the site: who uses too much of it gets a 429 with Retry-After, and nobody else does."""

import pytest
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from oncall_site import fair_use
from oncall_site.fair_use import MAX_OWED_SECONDS, MAX_REQUESTS_AT_ONCE, MAX_SAVED_SECONDS, Shares
from people.services.accounts import create_token, revoke_token
from tests.factories import bearer

ME = "/api/v1/me/"


def test_a_burst_is_served_and_then_one_waits_until_the_share_is_refilled():
    shares = Shares(per_second=0.25)
    assert shares.enter("user 1", now=0) == 0
    shares.leave("user 1", seconds=MAX_SAVED_SECONDS + 1, now=0)
    assert shares.enter("user 1", now=0) == 4
    assert shares.enter("user 1", now=3) == 1
    assert shares.enter("user 2", now=3) == 0
    assert shares.enter("user 1", now=4.1) == 0


def test_a_long_request_does_not_keep_one_out_for_long():
    shares = Shares(per_second=0.25)
    shares.enter("user 1", now=0)
    shares.leave("user 1", seconds=1_000, now=0)
    assert shares.enter("user 1", now=0) == MAX_OWED_SECONDS / 0.25


def test_one_caller_has_few_requests_at_once():
    shares = Shares(per_second=0.25)
    assert [shares.enter("user 1", now=0) for _ in range(MAX_REQUESTS_AT_ONCE + 1)] == [0] * MAX_REQUESTS_AT_ONCE + [1]
    shares.leave("user 1", seconds=0.01, now=0)
    assert shares.enter("user 1", now=0) == 0


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(fair_use, "MAX_REMEMBERED", 3)
    shares = Shares(per_second=0.25)
    for number in range(10):
        shares.enter(f"user {number}", now=0)
        shares.remember(f"secret {number}", user_id=number)
    assert (len(shares.shares), len(shares.callers)) == (3, 3)


@pytest.fixture
def shared(monkeypatch):
    """Return a function that gives clients of one web process, in which any request uses up a share."""
    monkeypatch.setattr(fair_use, "MAX_SAVED_SECONDS", 1e-9)
    first = Client()
    with override_settings(FAIR_USE_PERCENT=0.001):  # a share that no slow test refills
        first.handler.load_middleware()

    def client(user=None, **options):
        new = Client(**options)
        new.handler = first.handler
        if user is not None:
            new.force_login(user)
        return new

    return client


@pytest.mark.django_db
def test_a_person_has_one_share_with_all_their_tokens_and_sessions(shared, a, b, monkeypatch):
    monkeypatch.setattr(fair_use, "client_address", lambda request: str(next(addresses)))
    addresses = iter(range(1_000))
    browser, script, other = shared(a), shared(**bearer(a)), shared(b)
    assert browser.get("/").status_code == 200
    refused = browser.get("/")
    assert (refused.status_code, refused.headers["Refresh"]) == (429, refused.headers["Retry-After"])
    assert "Too many requests" in refused.content.decode()
    answer = script.get(ME)
    assert (answer.status_code, answer.json()["detail"][:18]) == (429, "Too many requests.")
    assert int(answer.headers["Retry-After"]) >= 1
    assert [other.get("/").status_code, other.get("/").status_code] == [200, 429]
    assert browser.get("/healthz").status_code == 200
    # Alertmanager repeats a webhook after a 5xx only.
    assert script.post("/api/v1/integrations/alertmanager/", {}, content_type="application/json").status_code == 503


@pytest.mark.django_db
def test_a_revoked_token_uses_its_address_not_its_holders_share(shared, a, monkeypatch):
    created = create_token(a, name="old")
    monkeypatch.setattr(fair_use, "client_address", lambda request: str(next(addresses)))
    addresses = iter(range(1_000))
    script, browser = shared(headers={"authorization": f"Bearer {created.secret}"}), shared(a)
    monkeypatch.setattr(fair_use, "MAX_SAVED_SECONDS", 100)
    assert script.get(ME).status_code == 200
    revoke_token(created.token, by=a, at=timezone.now())
    assert script.get(ME).status_code == 401
    monkeypatch.setattr(fair_use, "MAX_SAVED_SECONDS", 1e-9)
    assert [browser.get("/").status_code for _ in range(2)] == [200, 429]
    assert [script.get(ME).status_code for _ in range(3)] == [401] * 3


def test_strangers_share_their_address(shared, db):
    stranger = shared()
    assert [stranger.get("/sign-in/").status_code for _ in range(2)] == [200, 429]
    assert shared(REMOTE_ADDR="203.0.113.9").get("/sign-in/").status_code == 200


@pytest.mark.django_db
def test_a_first_request_uses_the_share_of_its_person_and_no_place_of_the_address(shared, a, b, monkeypatch):
    """A person whose first requests are long must not block colleagues in the same office."""
    callers, paid = [], []
    monkeypatch.setattr(Shares, "enter", lambda shares, caller, *, now: callers.append(caller) or 0)
    monkeypatch.setattr(Shares, "charge", lambda shares, caller, *, seconds, now: paid.append(caller))
    for client, path in ((shared(a), "/"), (shared(**bearer(b)), ME), (shared(), "/sign-in/")):
        assert client.get(path).status_code == 200
    assert callers == [f"user {a.pk}", f"user {b.pk}", "address 127.0.0.1"]
    # The address pays for looking up the first two.
    assert paid == ["address 127.0.0.1"] * 2


@pytest.mark.django_db
def test_a_proxys_header_does_not_make_everyone_one_person(shared, a, b, monkeypatch):
    # Looking up the first person would otherwise use up the share of their address.
    monkeypatch.setattr(fair_use, "client_address", lambda request: str(next(addresses)))
    addresses = iter(range(1_000))
    header = {"headers": {"authorization": "Basic cHJveHk6c2VjcmV0"}}
    assert [shared(user, **header).get("/").status_code for user in (a, b, a, b)] == [200, 200, 429, 429]


def test_a_session_from_before_a_new_secret_key_stays_signed_in(settings, a):
    """Django gives such a session a new key in the request that it came with, and sends the cookie."""
    settings.FAIR_USE_PERCENT = 10
    browser = Client()
    browser.force_login(a)
    old = browser.cookies["sessionid"].value
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new secret key of the site"
    assert browser.get(ME).json()["username"] == a.username
    assert browser.cookies["sessionid"].value != old
    assert browser.get(ME).json()["username"] == a.username
