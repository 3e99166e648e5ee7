"""Invitations and password resets: a mailed link sets a password once."""

import datetime as dt
import json
import re
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from notifications.models import ContactMethod, Message
from notifications.queries.outbox import is_still_relevant
from notifications.registry import load
from notifications.services.delivery import deliver_one
from oncall_site.services import invite
from people.models import PasswordLink, User
from tests.each import each
from tests.factories import PASSWORD, bearer

NEW = "another long passphrase"
API = "/api/v1/people/engineer-a/invite/"


@pytest.fixture
def a(a):
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    a.refresh_from_db()
    return a


@pytest.fixture
def known(a):
    a.set_password(PASSWORD)
    a.save()
    return a


def mailed():
    """Return the newest mail and the path of its link, as it is worked out when it is sent."""
    message = Message.objects.latest("pk")
    return message, load(message.type, message.context).delivery_link()


def choose(client, path, password=NEW):
    secret = path.strip("/").rpartition("/")[2]
    return client.post("/password/", {"secret": secret, "new_password1": password, "new_password2": password})


def post(client, user, path=API, **data):
    return client.post(path, json.dumps(data), content_type="application/json", **bearer(user))


def test_an_invited_engineer_sets_a_password_and_signs_in(client, admin, a):
    answer = post(client, admin)
    assert answer.status_code == 201
    assert set(answer.json()) == {"engineer", "purpose", "expires_at"}
    message, path = mailed()
    assert (message.recipient, message.channel, message.type) == (a, "email", "invitation")
    assert "user name is engineer-a" in message.text
    page = client.get(path)
    assert page.status_code == 200
    assert "engineer-a" in page.content.decode()
    assert choose(client, path).headers["Location"] == "/me/"
    assert client.get("/me/").context["user"] == a
    client.post("/sign-out/")
    assert client.post("/sign-in/", {"username": "engineer-a", "password": NEW}).headers["Location"] == "/"


def test_the_mail_contains_the_link_but_its_row_does_not(client, admin, a):
    invite(a, by=admin, at=timezone.now())
    assert deliver_one()
    [sent] = mail.outbox
    [address] = re.findall(r"https?://\S+/password/[0-9a-f]{64}/", sent.body)
    assert sent.to == ["a@example.org"]
    assert address in sent.alternatives[0][0]
    assert client.get(urlsplit(address).path).status_code == 200
    assert Message.objects.get().state == "sent"


def test_a_link_is_sent_by_email_whatever_the_preferences(client, signed_in, admin, a):
    ContactMethod.objects.create(
        person=a, channel="chat", shown_as="json", address="json://chat.example/", verified_at=timezone.now()
    )
    invite(a, by=admin, at=timezone.now())
    assert [message.channel for message in Message.objects.all()] == ["email"]
    assert 'name="chat-invitation"' not in signed_in(a).get("/me/notifications/").content.decode()
    kinds = client.get("/api/v1/me/notifications/", **bearer(a)).json()
    assert not {"invitation", "reset"} & {row["type"] for row in kinds["types"]}
    wanted = {"types": [{"type": "invitation", "channels": ["chat"]}]}
    answer = client.put("/api/v1/me/notifications/", json.dumps(wanted), content_type="application/json", **bearer(a))
    assert answer.status_code == 400


def test_a_link_works_once(client, admin, a):
    invite(a, by=admin, at=timezone.now())
    _, path = mailed()
    choose(client, path)
    assert client.get(path).status_code == 404
    assert choose(client, path, "yet another passphrase").status_code == 404
    a.refresh_from_db()
    assert a.check_password(NEW)


def test_a_weak_password_does_not_use_up_the_link(client, admin, a):
    invite(a, by=admin, at=timezone.now())
    _, path = mailed()
    for weak in ("short", "engineer-a-12", "password1234"):
        assert choose(client, path, weak).status_code == 400
    assert choose(client, path).status_code == 302


@pytest.mark.parametrize("dead", ["expired", "inactive", "newer", "changed"])
def test_an_invalid_link_shows_why(client, admin, a, dead):
    invite(a, by=admin, at=timezone.now())
    message, path = mailed()
    if dead == "expired":
        PasswordLink.objects.update(created_at=timezone.now() - dt.timedelta(8), expires_at=timezone.now())
    elif dead == "inactive":
        User.objects.filter(pk=a.pk).update(is_active=False)
    elif dead == "newer":
        invite(a, by=admin, at=timezone.now())
    else:
        path = path[:-2] + ("a/" if path[-2] != "a" else "b/")
    assert client.get(path).status_code == 404
    assert choose(client, path).status_code == 404
    if dead != "changed":
        assert not is_still_relevant(message, at=timezone.now())


@each("secret", ["\0", "x", "", "é" * 64, "a" * 5000])
def test_a_malformed_link_is_not_an_error(client, db, secret):
    assert client.post("/password/", {"secret": secret}).status_code == 404


def test_inviting_a_user_with_a_password_needs_reset(client, admin, known):
    refused = post(client, admin)
    assert refused.status_code == 409
    assert "already has a password" in refused.json()["detail"]
    assert not Message.objects.exists()
    assert post(client, admin, reset=True).status_code == 201
    assert mailed()[0].type == "reset"


def test_an_invitation_that_cannot_be_sent_shows_why(client, admin, a, b):
    assert post(client, a).status_code == 403
    assert post(client, admin, path="/api/v1/people/engineer-b/invite/").status_code == 409
    assert post(client, admin, path="/api/v1/people/nobody/invite/").status_code == 404
    assert post(client, admin, reset="perhaps").status_code == 400
    User.objects.filter(pk=a.pk).update(is_active=False)
    assert post(client, admin).status_code == 409
    assert not Message.objects.exists()


def test_admins_invite_in_the_admin(signed_in, admin, a, b):
    fields = {"action": "invite", "_selected_action": [a.pk, b.pk]}
    text = signed_in(admin).post("/admin/people/user/", fields, follow=True).content.decode()
    assert "1 mail queued" in text
    assert "Engineer B has no e-mail address" in text
    assert mailed()[0].recipient == a


def test_a_password_reset_ends_old_sessions(client, signed_in, known):
    before = signed_in(known)
    for _ in range(5):
        client.post("/sign-in/", {"username": "engineer-a", "password": "wrong"})
    assert client.post("/password/forgotten/", {"email": "A@Example.org"}).headers["Location"] == "/sign-in/"
    message, path = mailed()
    assert "Your password stays the same." in message.text
    assert client.post("/sign-in/", {"username": "engineer-a", "password": PASSWORD}).status_code == 429
    choose(client, path)
    assert before.get("/").status_code == 302
    # And the count of wrong attempts starts again.
    assert client.post("/sign-in/", {"username": "engineer-a", "password": NEW}).status_code == 302


def test_a_password_reset_does_not_reveal_accounts(client, known, b, c):
    User.objects.filter(pk=b.pk).update(email="never-invited@example.org")
    User.objects.filter(pk=c.pk).update(email="inactive@example.org", is_active=False)
    answers = set()
    for email in ("a@example.org", "nobody@example.org", "never-invited@example.org", "inactive@example.org"):
        answer = Client().post("/password/forgotten/", {"email": email}, follow=True)
        answers.add(
            (answer.status_code, answer.content.decode().replace(email, "").split("<main")[1].split("<form")[0])
        )
    assert len(answers) == 1
    assert Message.objects.count() == 1


def test_password_reset_mails_are_limited(client, known):
    statuses = [client.post("/password/forgotten/", {"email": "a@example.org"}).status_code for _ in range(5)]
    assert statuses == [302] * 3 + [429] * 2
    unknown = [client.post("/password/forgotten/", {"email": "nobody@example.org"}).status_code for _ in range(5)]
    assert unknown == statuses


def test_a_mail_over_the_limit_is_not_sent(known, client):
    client.post("/password/forgotten/", {"email": "a@example.org"})
    first, path = mailed()
    client.post("/password/forgotten/", {"email": "a@example.org"})
    assert client.get(path).status_code == 404
    assert client.get(mailed()[1]).status_code == 200
    assert not is_still_relevant(first, at=timezone.now())


def test_no_table_contains_the_link(client, admin, a):
    invite(a, by=admin, at=timezone.now())
    _, path = mailed()
    secret = path.strip("/").rpartition("/")[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for [table] in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{secret}%"])  # noqa: S608  # a table's own name
            assert cursor.fetchone() == (0,), table
