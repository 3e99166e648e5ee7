"""A browser, signed in, on a running site; every complaint of the browser fails the test."""

import pytest
from playwright.sync_api import expect

from tests.browser import DESKTOP, chromium, session_cookie


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=60_000)
    with chromium() as running:
        yield running


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def open_page(browser, live_server, complaints):
    """Return a function that gives a page, signed in as a user; what the browser complains of is collected."""
    contexts = []

    def page_of(user=None, *, size=DESKTOP, scheme="light", javascript=True, touch=False, service_workers="block"):
        context = browser.new_context(
            base_url=live_server.url,
            viewport=size,
            color_scheme=scheme,
            java_script_enabled=javascript,
            has_touch=touch,
            locale="en-GB",
            # The service worker loads the offline copy beside every page; the tests of it allow it.
            service_workers=service_workers,
        )
        contexts.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on(
            "response",
            lambda answer: complaints.append(f"{answer.status} {answer.url}") if answer.status == 404 else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield page_of
    for context in contexts:
        context.close()
