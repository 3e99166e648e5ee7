"""The page that a form returns to (`next`) is always a page of this site."""

from urllib.parse import urlsplit

import pytest

HOSTILE = (
    *("//evil.example/", "https://evil.example/", "http:///evil.example", "https:evil.example", "javascript:alert(1)"),
    *("/\\evil.example", "\\\\evil.example", "/\r\nSet-Cookie: a=b", " //evil.example"),
    # The names of routes, and what looks like one.
    *("now", "undo", "no-such-page", "people.views.sign_in", "a:b", "\0", ""),
)
FORMS = {
    "/sign-in/": ("GET", {}),
    "/theme/": ("POST", {"theme": "dark"}),
    "/action-items/add/": ("POST", {"text": "To do", "rotation": "{rotation}"}),
}


@pytest.mark.parametrize("path", FORMS)
def test_a_form_leads_to_a_page_of_this_site(world, path):
    method, body = FORMS[path]
    for target in HOSTILE:
        answer, _ = world.call("owner", method, path, {**body, "next": target})
        assert answer.status_code == 302, target
        parts = urlsplit(answer.headers["Location"])
        assert (parts.scheme, parts.netloc, parts.path) in {("", "", "/"), ("", "", "/handoffs/")}, target
        assert "Set-Cookie: a=b" not in answer.headers["Location"]


@pytest.mark.parametrize("path", FORMS)
def test_a_page_of_this_site_is_returned_to(world, path):
    method, body = FORMS[path]
    for target in ("/pipelines/?page=2#top", "http://testserver/pipelines/?page=2#top"):
        answer, _ = world.call("owner", method, path, {**body, "next": target})
        assert answer.headers["Location"] == "/pipelines/?page=2#top"
