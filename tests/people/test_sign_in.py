"""Sign-in limits (docs/reliability.md, promise 18): attempts are counted before the password is checked."""

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
def registered(a):
    a.set_password(PASSWORD)
    a.save()
    return a


@pytest.fixture
def checked_passwords(monkeypatch):
    """Return the list of passwords that were hashed."""
    seen = []
    verify = hashers.verify_password
    monkeypatch.setattr(
        hashers, "verify_password", lambda word, *rest, **more: seen.append(word) or verify(word, *rest, **more)
    )
    return seen


def attempt(client, password=WRONG, name="engineer-a", **options):
    return client.post("/sign-in/", {"username": name, "password": password}, **options)


def end_window():
    LoginAttempts.objects.update(ends_at=timezone.now() - dt.timedelta(seconds=1))


def test_after_five_wrong_passwords_the_right_one_is_not_checked(client, registered, checked_passwords):
    statuses = [attempt(client).status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3
    answer = attempt(client, PASSWORD)
    assert answer.status_code == 429
    assert checked_passwords == [WRONG] * 5
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    ends_at = LoginAttempts.objects.get(of="name").ends_at
    assert f'datetime="{ends_at:%Y-%m-%dT%H:%M:%SZ}"' in answer.content.decode()
    end_window()
    assert attempt(client, PASSWORD).status_code == 302


def test_an_unknown_name_is_limited_like_a_known_one(client, registered):
    seen = {}
    for name in ("engineer-a", "nobody"):
        answers = [attempt(client, name=name) for _ in range(6)]
        texts = [re.sub(r'value="[^"]*"|<time.*?</time>', "", answer.content.decode()) for answer in answers]
        seen[name] = [answer.status_code for answer in answers], texts
    assert seen["engineer-a"] == seen["nobody"]


def test_names_are_counted_regardless_of_case_and_space(client, registered):
    for name in ("engineer-a", "ENGINEER-A", " engineer-a ", "Engineer-A", "engineer-A"):
        attempt(client, name=name)
    assert attempt(client).status_code == 429


def test_the_right_password_resets_the_count_of_the_name(client, registered):
    for _ in range(3):
        for _ in range(4):
            attempt(client)
        assert attempt(client, PASSWORD).status_code == 302
        client.post("/sign-out/")
    assert LoginAttempts.objects.get(of="name").used == 0
    # The address is refunded only the successful attempts.
    assert LoginAttempts.objects.get(of="address").used == 12


def test_an_address_is_limited_across_names(client, registered):
    statuses = [attempt(client, name=f"name-{number}").status_code for number in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    # Attempts rejected for the address are not counted for the name.
    assert LoginAttempts.objects.filter(of="name").count() == 20


def test_a_forged_forwarding_header_does_not_change_the_address(client, registered):
    statuses = [
        attempt(client, name=f"name-{number}", headers={"x-forwarded-for": f"203.0.113.{number}"}).status_code
        for number in range(25)
    ]
    assert statuses == [200] * 20 + [429] * 5


@override_settings(BEHIND_PROXY=True)
def test_behind_a_proxy_only_the_last_hop_counts(client, registered):
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
def test_an_odd_user_name_is_no_server_error(client, registered, name):
    assert attempt(client, name=name).status_code in (200, 400)


def test_the_input_is_not_readable_in_the_table(client, registered):
    attempt(client, name=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM people_loginattempts a")
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert PASSWORD not in rows
    assert "127.0.0.1" not in rows


def test_expired_attempts_are_deleted(client, registered):
    attempt(client)
    assert purge_attempts(at=timezone.now()) == 0
    end_window()
    assert purge_attempts(at=timezone.now()) == 2


def test_the_admin_has_no_sign_in_page_of_its_own(client, registered):
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
    """Simultaneous wrong sign-ins, each with a forged address: at most five passwords are checked."""
    user = make_engineer("Throttled")
    # The web processes use the site's hasher, not the fast one of the tests.
    User.objects.filter(pk=user.pk).update(password=hashers.Argon2PasswordHasher().encode(PASSWORD, "a salt of a test"))
    wrong = [
        lambda number=number: post(address, password=f"wrong {number}", forged=f"203.0.113.{number}")
        for number in range(attempts)
    ]
    statuses = sorted(at_once(wrong))
    assert statuses == [200] * 5 + [429] * (attempts - 5), statuses
    assert post(address, password=PASSWORD) == 429
    end_window()
    assert post(address, password=PASSWORD) == 302


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_five_of_thirty_simultaneous_wrong_sign_ins_are_checked():
    with web(workers=2, threads=8) as address:
        check_simultaneous(address, attempts=30)
