"""API tokens: creation, scopes, expiry and revocation."""

import datetime as dt

import pytest
from django.utils import timezone

from common.exceptions import DomainError, NotAllowedError
from people.models import ApiToken, User
from people.services.accounts import MAX_TOKENS_PER_USER, create_token, revoke_token
from tests.each import each
from tests.factories import bearer

PEOPLE = "/api/v1/people/"


def test_a_token_gives_access_to_the_api(client, a):
    answer = client.get(PEOPLE, **bearer(a))
    assert answer.status_code == 200
    assert [row["username"] for row in answer.json()["results"]] == ["engineer-a"]


def test_the_api_answers_401_without_a_token_or_session(client, a):
    answer = client.get(PEOPLE)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert "detail" in answer.json()


@each("header", ["Bearer", "Bearer ", "Bearer nonsense", "Bearer \xff\xfe", "bearer a b c"])
def test_an_invalid_token_is_a_401(client, a, header):
    assert client.get(PEOPLE, headers={"authorization": header}).status_code == 401


def test_a_revoked_token_stops_working_at_once(client, a):
    new = create_token(a, name="script")
    headers = {"authorization": f"Bearer {new.secret}"}
    assert client.get(PEOPLE, headers=headers).status_code == 200
    revoke_token(new.token, by=a, at=timezone.now())
    assert client.get(PEOPLE, headers=headers).status_code == 401


def test_an_expired_token_is_a_401(client, a):
    new = create_token(a, name="script", expires_at=timezone.now() + dt.timedelta(hours=1))
    ApiToken.objects.update(
        created_at=timezone.now() - dt.timedelta(days=2), expires_at=timezone.now() - dt.timedelta(days=1)
    )
    assert client.get(PEOPLE, headers={"authorization": f"Bearer {new.secret}"}).status_code == 401


def test_the_tokens_of_an_inactive_user_stop_working(client, a):
    headers = bearer(a)
    User.objects.filter(pk=a.pk).update(is_active=False)
    assert client.get(PEOPLE, **headers).status_code == 401


def test_the_secret_is_not_in_the_database(a):
    new = create_token(a, name="script")
    row = ApiToken.objects.values().get()
    assert new.secret not in str(row)
    assert len(new.secret) >= 43
    assert new.secret.startswith(row["prefix"])


def test_a_read_token_cannot_write(client, admin, daily_growth):
    headers = bearer(admin, scope="read")
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    assert client.get(path, **headers).status_code == 200
    answer = client.patch(path, {"audience": "everyone"}, content_type="application/json", **headers)
    assert answer.status_code == 403


@each(
    "who, scope, hint",
    [
        ("admin", "read", " This token can only read."),
        ("admin", "write", " This token does not have the scope “Admin”."),
        ("a", "read", " This token can only read."),
        ("a", "write", ""),
    ],
)
def test_a_refusal_says_what_the_token_lacks(client, admin, a, daily_growth, who, scope, hint):
    headers = bearer({"admin": admin, "a": a}[who], scope=scope)
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    answer = client.patch(path, {"audience": "everyone"}, content_type="application/json", **headers)
    refused = {"detail": f"You do not have permission to perform this action.{hint}"}
    assert (answer.status_code, answer.json()) == (403, refused)
    # A service refuses, not a permission of the view.
    rotation = client.post(
        "/api/v1/rotations/", {"name": "x", "roster": ["engineer-a"]}, content_type="application/json", **headers
    )
    assert (rotation.status_code, rotation.json()["detail"].endswith(hint)) == (403, True)


def test_only_the_owner_or_an_admin_revokes_a_token(a, b, admin):
    new = create_token(a, name="script")
    with pytest.raises(NotAllowedError):
        revoke_token(new.token, by=b, at=timezone.now())
    revoke_token(new.token, by=admin, at=timezone.now())
    assert ApiToken.objects.get().revoked_at is not None


def test_a_user_cannot_exceed_the_token_limit(a):
    for _ in range(MAX_TOKENS_PER_USER):
        create_token(a, name="script")
    with pytest.raises(DomainError, match="Revoke one"):
        create_token(a, name="one too many")


def test_the_last_use_is_recorded(client, a):
    client.get(PEOPLE, **bearer(a))
    assert ApiToken.objects.get().last_used_at is not None


def test_a_user_creates_and_revokes_a_token_in_the_browser(signed_in, a, client):
    browser = signed_in(a)
    fields = {"name": "pager", "scope": "write", "expires_on": ""}
    assert browser.post("/me/tokens/", fields).headers["Location"] == "/me/tokens/"
    page = browser.get("/me/tokens/")
    secret = page.context["new_token"]["secret"]
    assert secret in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert client.get(PEOPLE, headers={"authorization": f"Bearer {secret}"}).status_code == 200
    assert secret not in browser.get("/me/tokens/").content.decode()
    browser.post(f"/me/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert client.get(PEOPLE, headers={"authorization": f"Bearer {secret}"}).status_code == 401


def test_a_user_cannot_revoke_another_users_token(signed_in, a, b):
    new = create_token(a, name="script")
    assert signed_in(b).post(f"/me/tokens/{new.token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_an_admin_revokes_tokens_in_the_admin(signed_in, a, admin):
    new = create_token(a, name="script")
    signed_in(admin).post(
        "/admin/people/apitoken/", {"action": "revoke", "_selected_action": [new.token.pk]}, follow=True
    )
    assert ApiToken.objects.get().revoked_at is not None


def test_an_expiry_in_the_past_is_an_error_and_the_input_is_kept(signed_in, a):
    page = signed_in(a).post("/me/tokens/", {"name": "pager", "scope": "read", "expires_on": "2020-01-01"})
    assert page.status_code == 400
    text = page.content.decode()
    assert "in the past" in text
    assert 'value="pager"' in text
    assert 'value="2020-01-01"' in text


def test_the_command_creates_a_token(client, a, capsys):
    from django.core.management import CommandError, call_command

    call_command("create_token", "engineer-a")
    secret = capsys.readouterr().out.strip()
    assert client.get(PEOPLE, headers={"authorization": f"Bearer {secret}"}).status_code == 200
    with pytest.raises(CommandError, match="No user “nobody”"):
        call_command("create_token", "nobody")
