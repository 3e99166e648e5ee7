"""Sign-in limits (docs/reliability.md, promise 18): attempts are counted before the password is checked."""

import contextlib
import datetime as dt
import http.client
import re
import urllib.parse

import pytest
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from common.http import client_address
from people.authentication import Backend
from people.models import LoginAttempts, User
from people.services.login_attempts import TooManyAttemptsError, count_attempt, purge_attempts, sign_in_attempt
from tests.each import each
from tests.factories import PASSWORD, make_engineer
from tests.faults.caller import at_once
from tests.thorough import cases
from tests.waiting import PATIENCE_SECONDS

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
    ends_at = LoginAttempts.objects.get(kind="guess").ends_at
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
    assert set(LoginAttempts.objects.filter(kind="guess").values_list("used", flat=True)) == {0}
    # The address is refunded only the successful attempt; then the device is known and no longer counts for it.
    assert LoginAttempts.objects.get(kind="address").used == 4


def test_an_address_is_limited_across_names(client, registered):
    statuses = [attempt(client, name=f"name-{number}").status_code for number in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    # IsolatedSteps rejected for the address are not counted for the name.
    assert LoginAttempts.objects.filter(kind="guess").count() == 20


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


@each(
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


@each("name", ["\0", "x" * 100_000, "\u202ea", "李", ""])
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
    assert purge_attempts(at=timezone.now()) == 4


def test_the_admin_has_no_sign_in_page_of_its_own(client, registered):
    answer = client.post("/admin/login/?next=/admin/", {"username": "engineer-a", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in/?next=/admin/"
    assert "_auth_user_id" not in client.session


# A right password gets in while others guess (docs/reliability.md, promise 28).


def test_guesses_from_another_address_do_not_lock_the_user_out(client, registered):
    for _ in range(10):
        attempt(client, REMOTE_ADDR="203.0.113.1")
    assert attempt(client, PASSWORD, REMOTE_ADDR="203.0.113.1").status_code == 429
    assert attempt(client, PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 302


def test_a_known_device_gets_in_from_the_address_of_the_guesses(client, registered):
    attempt(client, PASSWORD)
    client.post("/sign-out/")
    stranger = Client()
    for _ in range(10):
        attempt(stranger)
    assert attempt(stranger, PASSWORD).status_code == 429
    assert attempt(client, PASSWORD).status_code == 302


def test_a_known_device_of_one_user_is_none_of_another(client, registered):
    other = make_engineer("Engineer B")
    attempt(client, PASSWORD)
    client.post("/sign-out/")
    for _ in range(10):
        attempt(client, name=other.username)
    assert LoginAttempts.objects.get(kind="address").used == 5


def test_a_forged_device_cookie_is_no_known_device(client, registered):
    client.cookies["known_device"] = "forged"
    statuses = [attempt(client).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_guesses_on_a_known_device_are_limited_too(client, registered):
    attempt(client, PASSWORD)
    client.post("/sign-out/")
    assert [attempt(client).status_code for _ in range(6)] == [200] * 5 + [429]


def count_guesses(guesses, *, minutes_apart):
    """Return how many of the guesses, each a user name and an address, are evaluated."""
    evaluated = 0
    for number, (username, address) in enumerate(guesses):
        at = timezone.now() + dt.timedelta(minutes=number * minutes_apart)
        with contextlib.suppress(TooManyAttemptsError):
            count_attempt(sign_in_attempt(username=username, address=address, device=""), at=at)
            evaluated += 1
    return evaluated


def test_guesses_from_many_addresses_are_bounded_and_the_user_gets_in(client, registered):
    """A thousand guesses from a hundred addresses in `make faults`, a fifth of both in the suite."""
    addresses = cases(100)
    guesses = [("engineer-a", f"203.0.113.{number % addresses}") for number in range(10 * addresses)]
    assert count_guesses(guesses, minutes_apart=0) == 5 * addresses
    assert attempt(client, PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 302


@pytest.mark.parametrize(
    ("guesses", "evaluated"),
    [
        # A user from an address, a list of users from an address, and a user from an IPv6 /48.
        ([("engineer-a", "203.0.113.1")] * 60, 20),
        ([(f"name-{number % 50}", "203.0.113.1") for number in range(210)], 200),
        ([("engineer-a", f"2001:db8:1:{number:x}::/64") for number in range(410)], 400),
    ],
)
def test_the_guesses_of_a_day_are_bounded(db, guesses, evaluated):
    assert count_guesses(guesses, minutes_apart=1440 / (len(guesses) + 1)) == evaluated


# Over HTTP, with real web processes.


def post(address, *, password, forged=None, name="throttled"):
    """Sign in as a browser does; return the status."""
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE_SECONDS)
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
    # Again, in a window that has begun.
    assert sorted(at_once(wrong)) == statuses


@pytest.mark.faults
@pytest.mark.xdist_group("web")
@pytest.mark.django_db(transaction=True)
def test_five_of_thirty_simultaneous_wrong_sign_ins_are_checked(web_processes):
    check_simultaneous(web_processes, attempts=30)


def test_an_e_mail_address_is_a_user_name_too(client, registered):
    User.objects.filter(pk=registered.pk).update(email="Ada@example.org")
    assert attempt(client, PASSWORD, name=" ada@EXAMPLE.org ").status_code == 302
    assert client.session["_auth_user_id"] == str(registered.pk)


def test_an_address_and_its_user_name_share_one_limit(client, registered):
    User.objects.filter(pk=registered.pk).update(email="ada@example.org")
    assert [attempt(client, name="ada@example.org").status_code for _ in range(5)] == [200] * 5
    assert attempt(client, PASSWORD).status_code == 429


@pytest.mark.parametrize("wrong_attempts", [1, 6])
def test_after_a_wrong_password_the_name_is_still_typed_and_the_focus_is_on_the_password(
    client, registered, wrong_attempts
):
    User.objects.filter(pk=registered.pk).update(email="ada@example.org")
    for _ in range(wrong_attempts):
        page = attempt(client, name="ada@example.org").content.decode()
    fields = {re.search(r'name="(\w+)"', field)[1]: field for field in re.findall(r"<input[^>]*>", page)}
    assert 'value="ada@example.org"' in fields["username"]
    assert [name for name, field in fields.items() if "autofocus" in field] == ["password"]
    assert "engineer-a" not in page


def test_a_known_device_asks_for_the_password_only(client, registered):
    """The name is filled in and the focus is on the password, until the user signs out."""
    first = client.get("/sign-in/").content.decode()
    attempt(client, PASSWORD)
    client.cookies.pop("sessionid")
    again = client.get("/sign-in/").content.decode()
    attempt(client, PASSWORD)
    client.post("/sign-out/")
    after = client.get("/sign-in/").content.decode()
    assert [f'value="{registered.username}"' in page for page in (first, again, after)] == [False, True, False]
    for page, focused in ((first, "username"), (again, "password"), (after, "username")):
        [field] = re.findall(r"<input [^>]*autofocus[^>]*>", page)
        assert f'name="{focused}"' in field


def test_a_forged_cookie_with_a_name_is_ignored(client, registered):
    client.cookies["last_user"] = registered.username
    assert f'value="{registered.username}"' not in client.get("/sign-in/").content.decode()


def test_a_session_in_use_is_extended_once_a_day(client, registered, monkeypatch):
    client.force_login(registered)
    assert "sessionid" not in client.get("/me/").cookies
    Session.objects.update(expire_date=timezone.now() + dt.timedelta(days=12))
    assert "sessionid" in client.get("/me/").cookies
    assert Session.objects.get().expire_date > timezone.now() + dt.timedelta(days=13)
    assert "sessionid" not in client.get("/me/").cookies


def test_the_user_of_a_session_is_the_stored_one(a):
    User.objects.filter(pk=a.pk).update(phone="+491701234567", country="DE", last_login=timezone.now())
    stored, found = User.objects.get(pk=a.pk), Backend().get_user(a.pk)
    assert {field.attname: getattr(found, field.attname) for field in User._meta.concrete_fields} == {
        field.attname: getattr(stored, field.attname) for field in User._meta.concrete_fields
    }
    assert (found._state.db, found._state.adding) == (stored._state.db, stored._state.adding)


def test_an_unknown_or_inactive_user_has_no_session(a):
    assert Backend().get_user(a.pk + 1000) is None
    User.objects.filter(pk=a.pk).update(is_active=False)
    assert Backend().get_user(a.pk) is None
