"""A browser, signed in, on a running site; every complaint of the browser fails the test."""

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from playwright.sync_api import expect, sync_playwright

from tests.browser import DESKTOP, EXECUTABLE, launched, quickest_executable, session_cookie

# Pages are open for only a second or two, so code is hardly optimised, and text is drawn in the simplest way.
QUICK_FLAGS = (
    "--js-flags=--no-opt",
    "--num-raster-threads=1",
    "--disable-lcd-text",
    "--disable-partial-raster",
)


@pytest.fixture(scope="session")
def playwright():
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright):
    with launched(playwright, quickest_executable(), *QUICK_FLAGS) as running:
        yield running


@pytest.fixture(scope="module")
def full_browser(playwright):
    """A whole Chromium, for pages that show notifications."""
    with launched(playwright, EXECUTABLE, *QUICK_FLAGS) as running:
        yield running


@pytest.fixture
def complaints():
    return []


class Contexts:
    """Browser contexts, each with its own cookies. A test takes as many as it needs, and the next test reuses them.

    Starting one costs more than most pages; a reused one loads the site's files from its cache.
    """

    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.free, self.taken = {}, []

    def take(self, *, own, browser=None, **options):
        """Return a context; with `own`, one that is closed after the test. A context of another browser is always closed."""
        key = tuple(options.items())
        own = own or browser is not None
        if self.free.get(key) and not own:
            context = self.free[key].pop()
        else:
            context = (browser or self.browser).new_context(
                base_url=self.address, viewport=DESKTOP, color_scheme="light", locale="en-GB", **options
            )
        self.taken.append((context, None if own else key))
        return context

    def give_back(self):
        """Close the test's pages and clear what the site stored."""
        while self.taken:
            context, key = self.taken.pop()
            if key is None:
                context.close()
                continue
            context.clear_cookies()
            context.clear_permissions()
            for page in context.pages:
                stored = {"origin": self.address, "storageTypes": "local_storage,indexeddb,cache_storage"}
                context.new_cdp_session(page).send("Storage.clearDataForOrigin", stored)
                page.close()
            self.free.setdefault(key, []).append(context)


@pytest.fixture(scope="session")
def contexts(browser, live_server):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "serve", cacheable(StaticFilesHandler.serve))
        yield Contexts(browser, live_server.url)


def cacheable(serve):
    """Let browsers cache the site's files, as in production: a page has a dozen, and the test server reads each from disk."""

    def serve_cacheable(*arguments):
        response = serve(*arguments)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response

    return serve_cacheable


@pytest.fixture
def open_page(request, contexts, complaints):
    """Return a function that opens a page, signed in as a user, and collects the browser's complaints.

    A page that changes its context permanently, such as its clock, needs its `own` context.
    """

    def page_of(
        user=None, *, size=DESKTOP, scheme="light", javascript=True, touch=False, service_workers="block", own=False
    ):
        context = contexts.take(
            own=own,
            # The service worker loads the offline copy with every page; only its own tests allow it.
            browser=request.getfixturevalue("full_browser") if service_workers == "allow" else None,
            java_script_enabled=javascript,
            has_touch=touch,
            service_workers=service_workers,
        )
        if user is not None:
            context.add_cookies([session_cookie(user, contexts.address)])
        page = context.new_page()
        if size != DESKTOP:
            page.set_viewport_size(size)
        if scheme != "light":
            page.emulate_media(color_scheme=scheme)
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on(
            "response",
            lambda answer: complaints.append(f"{answer.status} {answer.url}") if answer.status == 404 else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield page_of
    contexts.give_back()
