"""OpenID Connect sign-in over HTTP, and everyone it must reject."""

import re
import urllib.request

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connection

from people.models import User
from tests.factories import make_engineer
from tests.people.provider import CLIENT, SECRET, running_provider

A = {"sub": "a-1", "email": "A@example.org", "email_verified": True, "name": "Somebody"}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Returns redirects instead of following them."""

    def redirect_request(self, *args):
        return None


@pytest.fixture
def provider(settings):
    with running_provider() as server:
        app = {"provider_id": "provider", "name": "Work", "client_id": CLIENT, "secret": SECRET}
        settings.OIDC_NAME = "Work"
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [{**app, "settings": {"server_url": server.issuer}}]}
        }
        yield server


@pytest.fixture
def registered(a):
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    return a


def at_provider(address):
    """Follow the redirect to the provider; return the URL it redirects back to."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        opener.open(address)
    except urllib.error.HTTPError as redirect:
        with redirect:
            return redirect.headers["Location"]
    raise AssertionError("the provider did not send the browser back")


def sign_in(client, **fields):
    begun = client.post("/sign-in/with/provider/", fields)
    assert begun.status_code == 302
    return client.get(at_provider(begun.headers["Location"]))


def test_a_verified_e_mail_signs_in_its_user(client, provider, registered):
    provider.person = A
    assert "Sign in with Work" in client.get("/sign-in/").content.decode()
    answer = sign_in(client, next="/me/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/me/")
    assert client.get("/me/").context["user"] == registered
    assert User.objects.count() == 1


def test_a_returning_user_is_matched_by_the_provider_s_subject(client, provider, registered):
    provider.person = A
    sign_in(client)
    client.post("/sign-out/")
    provider.person = {**A, "email": "new-address@example.org"}
    assert sign_in(client).status_code == 302
    assert client.get("/me/").context["user"] == registered
    assert SocialAccount.objects.get().user == registered


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ({**A, "email": "stranger@example.org"}, "No account for this e-mail"),
        ({**A, "email_verified": False}, "not verified"),
        ({**A, "email_verified": "false"}, "not verified"),
        ({"sub": "a-1"}, "not verified"),
        ({**A, "email": "a@example.org\0"}, "not verified"),
    ],
)
def test_an_unknown_or_unverified_user_is_rejected_with_the_reason(client, provider, registered, person, says):
    provider.person = person
    answer = sign_in(client)
    assert answer.status_code == 403
    assert says in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 1
    assert not SocialAccount.objects.exists()


def test_a_user_added_by_an_admin_can_sign_in(client, provider, registered):
    provider.person = {**A, "sub": "b-1", "email": "b@example.org"}
    assert sign_in(client).status_code == 403
    b = make_engineer("Engineer B", email="b@example.org")
    assert sign_in(client).status_code == 302
    assert client.get("/me/").context["user"] == b


def test_an_inactive_user_is_rejected(client, provider, registered):
    provider.person = A
    User.objects.update(is_active=False)
    assert sign_in(client).status_code == 403
    User.objects.update(is_active=True)
    sign_in(client)
    client.post("/sign-out/")
    User.objects.update(is_active=False)
    answer = sign_in(client)
    assert answer.headers["Location"] == "/sign-in/not-active/"
    assert "inactive" in client.get("/sign-in/not-active/").content.decode()
    assert "_auth_user_id" not in client.session


def test_user_info_of_another_subject_is_rejected(client, provider, registered):
    provider.person = {**A, "sub": "mallory", "email": "mallory@example.org"}
    provider.said_otherwise = {"sub": "a-1", "email": "a@example.org"}
    answer = sign_in(client)
    assert answer.status_code == 403
    assert "Unexpected response" in answer.content.decode()


def test_a_state_of_another_browser_is_rejected(client, provider, registered):
    provider.person = A
    begun = client.post("/sign-in/with/provider/")
    back = at_provider(begun.headers["Location"])
    forged = re.sub(r"state=[^&]*", "state=forged", back)
    assert client.get(forged).status_code == 401
    other = type(client)()
    assert other.get(back).status_code == 401
    assert "_auth_user_id" not in other.session
    # And a code works once.
    assert client.get(back).status_code == 302
    client.post("/sign-out/")
    assert client.get(back).status_code == 401


def test_cancelling_at_the_provider_shows_a_page(client, provider, registered):
    provider.person = None
    answer = sign_in(client)
    page = client.get(answer.headers["Location"])
    assert "Sign-in cancelled" in page.content.decode()


def test_an_unavailable_provider_is_a_503(client, provider, registered, settings):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:9"
    answer = client.post("/sign-in/with/provider/")
    assert answer.status_code == 503
    assert "failed" in answer.content.decode()


def test_provider_sign_in_does_not_redirect_to_another_site(client, provider, registered):
    provider.person = A
    assert sign_in(client, next="https://evil.example/").headers["Location"] == "/"


def test_no_token_of_the_provider_is_stored(client, provider, registered):
    provider.person = A
    sign_in(client)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t::text FROM socialaccount_socialaccount t UNION ALL SELECT t::text FROM django_session t"
        )
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert rows
    assert not any(token in rows for token in provider.tokens)


def test_without_a_provider_there_is_no_button_and_no_page(client, a):
    assert "Sign in with" not in client.get("/sign-in/").content.decode()
    assert client.post("/sign-in/with/provider/").status_code == 404
    assert client.get("/sign-in/with/provider/back/").status_code == 404
