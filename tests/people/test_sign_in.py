"""Promise 18: an attempt to sign in is counted before the password is looked at, for the name and for the address."""

import datetime as dt
import http.client
import re
import urllib.parse

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import RequestFactory, override_settings
from django.utils import timezone

from common.http import client_address
from people.models import LoginAttempts, User
from people.services.login_attempts import purge_attempts
from tests.factories import PASSWORD, make_engineer
from tests.faults.caller import at_once
from tests.faults.web import web

WRONG = "a wrong pass phrase"


@pytest.fixture
def known(a):
    a.set_password(PASSWORD)
    a.save()
    return a


@pytest.fixture
def looked_at(monkeypatch):
    """Return the list of passwords that were hashed."""
    seen = []
    verify = hashers.verify_password
    monkeypatch.setattr(
        hashers, "verify_password", lambda word, *rest, **more: seen.append(word) or verify(word, *rest, **more)
    )
    return seen


def attempt(client, password=WRONG, name="engineer-a", **more):
    return client.post("/sign-in/", {"username": name, "password": password}, **more)


def window_over():
    LoginAttempts.objects.update(ends_at=timezone.now() - dt.timedelta(seconds=1))


def test_after_five_wrong_passwords_not_even_the_right_one_is_looked_at(client, known, looked_at):
    statuses = [attempt(client).status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3
    answer = attempt(client, PASSWORD)
    assert answer.status_code == 429
    assert looked_at == [WRONG] * 5
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    ends_at = LoginAttempts.objects.get(of="name").ends_at
    assert f'datetime="{ends_at:%Y-%m-%dT%H:%M:%SZ}"' in answer.content.decode()
    window_over()
    assert attempt(client, PASSWORD).status_code == 302


def test_an_unknown_name_is_counted_and_answered_like_a_known_one(client, known):
    seen = {}
    for name in ("engineer-a", "nobody"):
        answers = [attempt(client, name=name) for _ in range(6)]
        texts = [re.sub(r'value="[^"]*"|<time.*?</time>', "", answer.content.decode()) for answer in answers]
        seen[name] = [answer.status_code for answer in answers], texts
    assert seen["engineer-a"] == seen["nobody"]


def test_a_name_in_other_letters_is_the_same_name(client, known):
    for name in ("engineer-a", "ENGINEER-A", " engineer-a ", "Engineer-A", "engineer-A"):
        attempt(client, name=name)
    assert attempt(client).status_code == 429


def test_the_right_password_takes_its_name_out_of_the_count(client, known):
    for _ in range(3):
        for _ in range(4):
            attempt(client)
        assert attempt(client, PASSWORD).status_code == 302
        client.post("/sign-out/")
    assert LoginAttempts.objects.get(of="name").used == 0
    # The address got back only what was right.
    assert LoginAttempts.objects.get(of="address").used == 12


def test_one_address_may_not_try_name_after_name(client, known):
    statuses = [attempt(client, name=f"name-{number}").status_code for number in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    # What was refused for the address was not counted against the name.
    assert LoginAttempts.objects.filter(of="name").count() == 20


def test_a_forged_forwarding_header_does_not_make_another_address(client, known):
    statuses = [
        attempt(client, name=f"name-{number}", headers={"x-forwarded-for": f"203.0.113.{number}"}).status_code
        for number in range(25)
    ]
    assert statuses == [200] * 20 + [429] * 5


@override_settings(BEHIND_PROXY=True)
def test_behind_a_proxy_only_the_hop_it_wrote_itself_counts(client, known):
    def forwarded(number, last):
        return attempt(client, name=f"name-{number}", headers={"x-forwarded-for": f"203.0.113.{number}, {last}"})

    assert [forwarded(number, "198.51.100.7").status_code for number in range(21)] == [200] * 20 + [429]
    assert forwarded(22, "198.51.100.8").status_code == 200


@pytest.mark.parametrize(
    ("peer", "header", "behind", "address"),
    [
        ("192.0.2.1", "203.0.113.9", False, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", True, "203.0.113.9"),
        ("192.0.2.1", "8.8.8.8, 203.0.113.9", True, "203.0.113.9"),
        ("192.0.2.1", "", True, "192.0.2.1"),
        ("192.0.2.1", "8.8.8.8, forged\0", True, "unknown"),
        ("", "", False, "unknown"),
        ("::ffff:192.0.2.1", "", False, "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "", False, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", False, "fe80::/64"),
    ],
)
def test_the_address_of_a_client(peer, header, behind, address):
    request = RequestFactory().get("/", headers={"x-forwarded-for": header} if header else {}, REMOTE_ADDR=peer)
    with override_settings(BEHIND_PROXY=behind):
        assert client_address(request) == address


@pytest.mark.parametrize("name", ["\0", "x" * 100_000, "\u202ea", "李", ""])
def test_no_strange_name_is_an_error(client, known, name):
    assert attempt(client, name=name).status_code in (200, 400)


def test_nothing_typed_is_readable_in_the_table(client, known):
    attempt(client, name=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM people_loginattempts a")
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert PASSWORD not in rows
    assert "127.0.0.1" not in rows


def test_what_no_longer_counts_is_removed(client, known):
    attempt(client)
    assert purge_attempts(at=timezone.now()) == 0
    window_over()
    assert purge_attempts(at=timezone.now()) == 2


def test_djangos_own_sign_in_of_the_admin_is_not_there(client, known):
    answer = client.post("/admin/login/?next=/admin/", {"username": "engineer-a", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in/?next=/admin/"
    assert "_auth_user_id" not in client.session


# Over HTTP, with real web processes.


def post(address, *, password, forged=None, name="throttled"):
    """Sign in as a browser does; return the status."""
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("GET", "/sign-in/")
    page = connection.getresponse()
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
    fields = {"csrfmiddlewaretoken": token, "username": name, "password": password}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    if forged:
        headers["X-Forwarded-For"] = forged
    connection.request("POST", "/sign-in/", urllib.parse.urlencode(fields), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def check_simultaneous(address, *, attempts):
    """That many wrong sign-ins at once, each with a forged address: at most five are looked at."""
    user = make_engineer("Throttled")
    # With the site's own hash, which the web processes know, not with the suite's quick one.
    User.objects.filter(pk=user.pk).update(password=hashers.Argon2PasswordHasher().encode(PASSWORD, "a salt of a test"))
    wrong = [
        lambda number=number: post(address, password=f"wrong {number}", forged=f"203.0.113.{number}")
        for number in range(attempts)
    ]
    statuses = sorted(at_once(wrong))
    assert statuses == [200] * 5 + [429] * (attempts - 5), statuses
    assert post(address, password=PASSWORD) == 429
    window_over()
    assert post(address, password=PASSWORD) == 302


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_of_thirty_simultaneous_wrong_sign_ins_five_are_looked_at():
    with web(workers=2, threads=8) as address:
        check_simultaneous(address, attempts=30)
