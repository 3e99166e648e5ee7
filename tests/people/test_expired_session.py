"""A form that is posted after the session expired: sign-in leads back to its page, and the input is saved."""

import pytest
from django.test import Client

from people.models import LoginAttempts
from people.unsent_forms import SESSION_KEY
from tests.each import each
from tests.factories import PASSWORD

NOTE = "Upstream confirmed:\nreload at 10:00"


@pytest.fixture
def a(a):
    a.set_password(PASSWORD)
    a.save()
    return a


def sign_in(client, url):
    return client.post(
        url, {"username": "engineer-a", "password": PASSWORD, "next": url.partition("next=")[2]}, follow=True
    )


@pytest.mark.parametrize(("owner", "shown"), [("a", True), ("b", False), (None, True)])
def test_what_was_typed_is_shown_to_the_person_of_the_form_only(client, a, b, owner, shown):
    key = {"form_key": f"{ {'a': a, 'b': b}[owner].pk }-a-random-key"} if owner else {}
    client.post("/incidents/7/note/", {"text": "Private to its author", **key})
    page = sign_in(client, "/sign-in/").content.decode()
    assert ("Private to its author" in page) == shown
    assert (
        "Form key" in page,
        'name="form_key"' in page.partition("Your form was not sent")[2].partition("Discard")[0],
    ) == (
        False,
        shown and owner is not None,
    )


@each(
    ("path", "page"),
    [
        ("/me/tokens/1/revoke/", "/me/tokens/"),
        ("/me/password/", "/me/"),
        ("/me/feeds/1/revoke/", "/me/feeds/"),
        ("/sign-out/", "/"),
        ("/checks/1/run/", "/checks/1/"),
        ("/checks/1/events/2/remove/", "/checks/1/"),
        ("/checks/1/results/2/acknowledge/", "/checks/1/"),
        ("/incidents/1/acknowledge/", "/incidents/1/"),
        ("/incidents/1/note/", "/incidents/1/"),
        ("/swaps/1/accept/", "/swaps/1/"),
    ],
)
def test_a_get_of_an_action_leads_to_its_object(signed_in, a, path, page):
    response = signed_in(a).get(path, follow=True)
    assert response.redirect_chain[-1] == (page, 302)


def test_a_post_to_a_page_without_a_form_is_a_405_that_says_so(signed_in, a):
    response = signed_in(a).post("/fairness/")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
    assert "Nothing was changed." in response.content.decode()


def test_an_action_of_the_api_is_a_405(signed_in, a):
    assert signed_in(a).get("/api/v1/checks/1/run/").status_code == 405


def test_sign_in_after_an_expired_session_leads_to_the_page_of_the_form(client, a):
    asked = client.post("/me/tokens/", {"name": "pager"}, headers={"referer": "http://testserver/me/?x=1"})
    assert asked.headers["Location"] == "/sign-in/?next=/me/%3Fx%3D1"
    asked = client.post("/incidents/7/acknowledge/")
    assert asked.headers["Location"] == "/sign-in/?next=/incidents/7/"
    asked = client.post("/incidents/7/acknowledge/", headers={"referer": "https://evil.example/"})
    assert asked.headers["Location"] == "/sign-in/?next=/incidents/7/"


def test_what_was_typed_is_kept_and_can_be_sent_again(client, a):
    asked = client.post("/me/tokens/", {"name": NOTE, "scope": "read", "csrfmiddlewaretoken": "x"})
    page = sign_in(client, asked.headers["Location"])
    text = page.content.decode()
    assert (page.status_code, page.redirect_chain[-1][0]) == (200, "/me/")
    assert "Your form was not sent" in text
    assert "reload at 10:00" in text
    assert '<form method="post" action="/me/tokens/">' in text
    assert "Your form was not sent" in client.get("/").content.decode()
    client.post("/me/tokens/", {"name": "pager", "scope": "read"})
    assert "Your form was not sent" not in client.get("/me/").content.decode()


def test_a_kept_form_can_be_discarded(client, a):
    page = sign_in(client, client.post("/me/tokens/", {"name": "pager"}).headers["Location"])
    assert "Discard" in page.content.decode()
    client.post("/me/unsent-form/discard/", {"discard": "/me/tokens/"})
    assert "Your form was not sent" not in client.get("/").content.decode()


def test_secrets_and_large_forms_are_not_kept(client, a):
    client.post("/me/password/", {"old_password": "x", "new_password1": "y", "new_password2": "y"})
    client.post("/me/tokens/", {"name": "x" * 300_000})
    assert SESSION_KEY not in client.session


def test_forms_of_strangers_are_limited(db):
    for _ in range(25):
        Client().post("/me/tokens/", {"name": "pager"})
    assert LoginAttempts.objects.get(kind="form").used == 20


def test_a_kept_form_is_not_readable_on_the_sign_in_page(client, a):
    asked = client.post("/me/tokens/", {"name": "private text"})
    assert "private text" not in client.get(asked.headers["Location"]).content.decode()


def test_an_undo_after_the_session_expired_is_sent_again_without_showing_its_signed_text(client, a):
    asked = client.post("/undo/", {"undo": "signed-text"}, headers={"referer": "http://testserver/swaps/1/"})
    assert "Your session had expired" in client.get(asked.headers["Location"]).content.decode()
    page = sign_in(client, "/sign-in/").content.decode()
    callout = page.partition('aria-labelledby="unsent-form"')[2].partition("</section>")[0]
    assert "Nothing was undone" in callout
    assert callout.count("signed-text") == callout.count('<input type="hidden" name="undo" value="signed-text">') == 1


def test_the_sign_in_page_mentions_no_session_to_a_new_visitor(client, a):
    assert "session" not in client.get("/sign-in/").content.decode().partition("<main")[2]
