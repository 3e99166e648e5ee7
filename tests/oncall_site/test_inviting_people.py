"""An admin invites many people at once from a pasted list."""

import time

import pytest
from django.utils import timezone

from common.exceptions import InvalidInputError
from notifications.models import Message
from oncall_site.invitations import read_invitees
from people.models import PasswordLink, User
from tests.each import each


@each(
    "line",
    [
        "Ada Lovelace <ada@example.org>",
        '"Ada Lovelace" <ada@example.org>,',
        "Ada Lovelace, ada@example.org",
        "Ada Lovelace\tada@example.org",
        "  Ada   Lovelace ; ada@example.org ",
        "Ada Lovelace ada@example.org",
    ],
)
def test_a_line_is_a_name_and_an_address(line):
    [one] = read_invitees(f"\r\n{line}\r\n")
    assert (one.line, one.name, one.email) == (2, "Ada Lovelace", "ada@example.org")


def test_a_line_of_spaces_is_read_at_once():
    started = time.perf_counter()
    with pytest.raises(InvalidInputError, match="Line 1"):
        read_invitees(f"Ada{' ' * 30_000}x")
    with pytest.raises(InvalidInputError, match="Line 1"):
        read_invitees(f"Ada{' ,;' * 300}x")
    assert time.perf_counter() - started < 1


def test_each_wrong_line_is_named():
    with pytest.raises(InvalidInputError) as caught:
        read_invitees("Ada\nada@example.org\nBob <b@example.org>\nBert, B@example.org\nCy <c@d>")
    example = "enter a name and an e-mail address, such as Ada Lovelace <ada@example.org>."
    assert caught.value.problems == {
        "people": [
            f"Line 1: {example}",
            f"Line 2: {example}",
            f"Line 5: {example}",
            "Line 4: B@example.org is listed twice.",
        ]
    }


def test_giving_somebody_an_address_asks_for_the_password(signed_in, admin, a):
    User.objects.filter(pk=a.pk).update(email="")
    admin.set_password("a long passphrase")
    admin.save()
    answer = signed_in(admin).post("/people/", {"people": "Engineer A <other@example.org>"})
    assert answer.headers["Location"].startswith("/sign-in/again/")
    assert User.objects.get(pk=a.pk).email == ""


def test_people_are_created_completed_and_invited(signed_in, admin, a, b, monkeypatch):
    monkeypatch.setattr("people.requests.did_recently_reauthenticate", lambda request: True)
    User.objects.filter(pk=a.pk).update(email="")
    b.set_password("a long passphrase")
    b.email = "b@example.org"
    b.save()
    typed = "Ada Lovelace <ada@example.org>\nEngineer A, a@example.org\nEngineer B <b@example.org>"
    page = signed_in(admin).post("/people/", {"people": typed}, follow=True).content.decode()
    assert "Invited: Ada Lovelace, Engineer A." in page
    assert "Not invited because they already have a password: Engineer B." in page
    assert User.objects.get(username="ada-lovelace").email == "ada@example.org"
    invited = PasswordLink.objects.filter(purpose="invitation").values_list("user__username", flat=True)
    assert sorted(invited) == ["ada-lovelace", "engineer-a"]
    assert Message.objects.count() == 2
    assert page.count("Resend invitation") == 2


def test_a_list_with_an_error_changes_nothing_and_stays_typed(signed_in, admin, a, b, monkeypatch):
    monkeypatch.setattr("people.requests.did_recently_reauthenticate", lambda request: True)
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    User.objects.filter(pk=b.pk).update(email="")
    typed = "Ada Lovelace <ada@example.org>\nEngineer B <a@example.org>\nEngineer A <other@example.org>"
    page = signed_in(admin).post("/people/", {"people": typed})
    text = page.content.decode()
    assert page.status_code == 400
    assert "Line 2: a@example.org belongs to Engineer A." in text
    assert "Line 3: Engineer A has another e-mail address, a@example.org." in text
    assert "Ada Lovelace &lt;ada@example.org&gt;" in text
    assert not User.objects.filter(username="ada-lovelace").exists()
    assert not PasswordLink.objects.exists()
    assert User.objects.get(pk=b.pk).email == ""


def test_the_list_says_who_was_invited_and_who_was_here(signed_in, admin, a):
    User.objects.filter(pk=a.pk).update(email="a@example.org", last_login=timezone.now())
    text = signed_in(admin).get("/people/").content.decode()
    assert "Not invited" in text
    assert "just now" in text
    assert signed_in(a).get("/people/").status_code == 403
