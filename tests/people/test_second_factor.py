"""Two-factor authentication: enrollment, sign-in, admin, recovery codes, removal."""

import datetime as dt
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.db import connection
from django.utils import timezone

from people.models import LoginAttempts
from tests.each import each
from tests.factories import PASSWORD


@pytest.fixture(autouse=True)
def _fresh_codes():
    """Let every test use the current code."""
    from django.core.cache import cache

    cache.clear()


def code_of(secret, *, steps=0):
    return auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30 + steps))


def enrol(browser):
    """Enrol an authenticator in the browser; return its secret and the recovery codes."""
    page = browser.get("/me/second-factor/enrol/")
    assert page.headers["Location"] == "/sign-in/again/?next=%2Fme%2Fsecond-factor%2Fenrol%2F"
    again = browser.post(page.headers["Location"], {"password": PASSWORD, "next": "/me/second-factor/enrol/"})
    assert again.headers["Location"] == "/me/second-factor/enrol/"
    text = browser.get("/me/second-factor/enrol/").content.decode()
    secret = re.search(r'class="secret">(\w+)<', text)[1]
    assert 'src="data:image/svg+xml;base64,' in text
    done = browser.post("/me/second-factor/enrol/", {"code": code_of(secret)})
    assert done.headers["Location"] == "/me/second-factor/codes/"
    codes = re.findall(r"<li><code>(\d+)</code>", browser.get("/me/second-factor/codes/").content.decode())
    assert len(codes) == 10
    return secret, codes


@pytest.fixture
def person(a):
    a.set_password(PASSWORD)
    a.save()
    return a


@pytest.fixture
def enrolled(signed_in, person):
    return enrol(signed_in(person))


def password(client, **more):
    return client.post("/sign-in/", {"username": "engineer-a", "password": PASSWORD, **more})


def code(client, value):
    return client.post("/sign-in/code/", {"code": value})


def test_the_password_alone_does_not_sign_in(client, enrolled):
    secret, _ = enrolled
    answer = password(client, next="/swaps/")
    assert answer.headers["Location"] == "/sign-in/code/"
    assert client.get("/").status_code == 302
    assert client.get("/sign-in/code/").status_code == 200
    assert code(client, code_of(secret, steps=1)).headers["Location"] == "/swaps/"
    assert client.get("/").status_code == 200


def test_the_page_shows_when_the_app_was_last_used(signed_in, person):
    browser = signed_in(person)
    enrol(browser)
    assert 'Last used: <span class="when">never</span>' in browser.get("/me/second-factor/").content.decode()


def test_the_code_page_needs_the_password_first(client, enrolled):
    secret, _ = enrolled
    assert client.get("/sign-in/code/").headers["Location"] == "/sign-in/"
    assert code(client, code_of(secret)).headers["Location"] == "/sign-in/"


def test_a_recovery_code_works_once(client, enrolled):
    _, [first, *_] = enrolled
    password(client)
    assert code(client, first).headers["Location"] == "/"
    client.post("/sign-out/")
    password(client)
    assert "Incorrect code" in code(client, first).content.decode()
    assert client.get("/").status_code == 302


def test_a_code_works_once(client, enrolled):
    secret, _ = enrolled
    value = code_of(secret, steps=1)
    password(client)
    assert code(client, value).status_code == 302
    client.post("/sign-out/")
    from django.core.cache import cache

    cache.clear()  # as in another web process
    password(client)
    assert code(client, value).status_code == 200
    assert client.get("/").status_code == 302


@each("value", ["", "000000", "\0", "x" * 1000, "١٢٣٤٥٦", "-1", "12 34 56"])
def test_a_wrong_code_is_an_error(client, enrolled, value):
    password(client)
    assert code(client, value).status_code == 200
    assert client.get("/").status_code == 302


def test_after_five_wrong_codes_a_right_one_is_rejected(client, enrolled):
    _, codes = enrolled
    for _ in range(5):
        password(client)
        assert "Incorrect code" in code(client, "000000").content.decode()
    assert "Too many attempts" in code(client, codes[0]).content.decode()
    LoginAttempts.objects.update(ends_at=timezone.now() - dt.timedelta(seconds=1))
    assert code(client, codes[0]).status_code == 302


def test_enrolling_and_disabling_ask_for_the_password(signed_in, person):
    browser = signed_in(person)
    enrol(browser)
    other = signed_in(person)
    for path in ("/me/second-factor/remove/", "/me/second-factor/codes/new/"):
        assert other.post(path).headers["Location"].startswith("/sign-in/again/")
    assert "Incorrect password" in other.post("/sign-in/again/", {"password": "wrong"}).content.decode()
    assert Authenticator.objects.count() == 2
    assert browser.post("/me/second-factor/remove/").status_code == 302
    assert Authenticator.objects.count() == 0


def test_recovery_codes_are_shown_after_a_fresh_confirmation_only(signed_in, person):
    enrol(signed_in(person))
    other = signed_in(person)
    for path in ("/me/second-factor/codes/", "/me/second-factor/codes/download/"):
        assert other.get(path).headers["Location"].startswith("/sign-in/again/")


def test_password_confirmations_are_limited(signed_in, person):
    browser = signed_in(person)
    for _ in range(5):
        browser.post("/sign-in/again/", {"password": "wrong"})
    assert "Too many attempts" in browser.post("/sign-in/again/", {"password": PASSWORD}).content.decode()
    fields = {"old_password": PASSWORD, "new_password1": "x", "new_password2": "x"}
    assert "Too many attempts" in browser.post("/me/password/", fields).content.decode()


def test_new_recovery_codes_replace_the_old(client, signed_in, person):
    browser = signed_in(person)
    _, old = enrol(browser)
    browser.post("/me/second-factor/codes/new/")
    new = re.findall(r"<li><code>(\d+)</code>", browser.get("/me/second-factor/codes/").content.decode())
    assert set(new).isdisjoint(old)
    password(client)
    assert code(client, old[0]).status_code == 200
    assert code(client, new[0]).status_code == 302


def test_the_admin_asks_for_a_code_if_the_session_has_not_value_one(signed_in, admin):
    admin.set_password(PASSWORD)
    admin.save()
    before, browser = signed_in(admin), signed_in(admin)
    assert before.get("/admin/").status_code == 200
    secret, _ = enrol(browser)
    sent = before.get("/admin/people/user/")
    assert sent.headers["Location"] == "/admin/login/?next=/admin/people/user/"
    asked = before.get(sent.headers["Location"])
    assert asked.headers["Location"] == "/sign-in/again/code/?next=/admin/people/user/"
    assert before.get(asked.headers["Location"]).status_code == 200
    value = before.post(asked.headers["Location"], {"code": code_of(secret, steps=1), "next": "/admin/people/user/"})
    assert value.headers["Location"] == "/admin/people/user/"
    assert before.get("/admin/people/user/").status_code == 200


def test_an_admin_resets_two_factor_authentication(client, signed_in, admin, person, enrolled):
    fields = {"action": "reset_two_factor", "_selected_action": [person.pk]}
    answer = signed_in(admin).post("/admin/people/user/", fields, follow=True)
    assert "Two-factor authentication reset for 1 user." in answer.content.decode()
    assert password(client).headers["Location"] == "/"


def test_no_secret_is_readable_in_the_database(enrolled):
    secret, codes = enrolled
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM mfa_authenticator t UNION ALL SELECT t::text FROM django_session t")
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert "gAAAA" in rows
    assert secret not in rows
    assert not any(value in rows for value in codes)
