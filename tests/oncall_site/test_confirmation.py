"""Nothing is destroyed by one click: a page asks first, also without JavaScript, and only what a template of the site asks."""

import html
import re

from common.confirmation import Confirmation, sign_confirmation
from people.services.accounts import create_token
from tests.each import each


def ask(page):
    """Return the URL of the confirmation page that a page's first confirm button leads to."""
    signed = re.search(r'name="ask" value="([^"]+)"', page.content.decode())[1]
    return f"/confirm/?ask={signed}"


def test_revoking_a_token_asks_first(signed_in, a):
    token = create_token(a, name="O'Brien & <b>pager</b>").token
    browser = signed_in(a)
    page = browser.get(ask(browser.get("/me/tokens/")), headers={"referer": "http://testserver/me/tokens/"})
    text = html.unescape(page.content.decode())
    assert "Revoke the token “O'Brien & <b>pager</b>”?" in text
    assert "Scripts that use it stop working at once." in text
    assert f'<form class="actions" method="post" action="/me/tokens/{token.pk}/revoke/">' in text
    assert '<a class="button quiet" href="/me/tokens/" data-cancel>Cancel</a>' in text
    token.refresh_from_db()
    assert token.revoked_at is None


def test_without_a_referring_page_cancel_leads_to_the_page_of_the_object(signed_in, a):
    create_token(a, name="pager")
    browser = signed_in(a)
    page = browser.get(ask(browser.get("/me/tokens/"))).content.decode()
    assert '<a class="button quiet" href="/me/tokens/" data-cancel>Cancel</a>' in page


def test_a_question_is_for_the_user_it_was_made_for(signed_in, a, b):
    create_token(a, name="pager")
    url = ask(signed_in(a).get("/me/tokens/"))
    assert signed_in(b).get(url).status_code == 404


@each("text", ["", "x", "a:b:c", "\0", "é" * 5000])
def test_an_unsigned_question_is_not_asked(signed_in, a, text):
    assert signed_in(a).get("/confirm/", {"ask": text}).status_code == 404


def test_a_question_cannot_be_changed(signed_in, a):
    signed = sign_confirmation(Confirmation("/sign-out/", "Sign out?", "", "Sign out", a.pk))
    assert signed_in(a).get("/confirm/", {"ask": signed}).status_code == 200
    assert signed_in(a).get("/confirm/", {"ask": signed[:-1] + ("A" if signed[-1] != "A" else "B")}).status_code == 404
