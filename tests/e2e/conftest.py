"""A browser, signed in, on a running site; every complaint of the browser fails the test."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import HttpResponse
from playwright.sync_api import expect, sync_playwright

from tests.axe import AXE_PATH
from tests.browser import DESKTOP, EXECUTABLE, launched, quickest_executable, session_cookie

# The address of an empty page of the site, which needs no session.
QUIET_PAGE = "/static/blank.html"
# Pages are open for only a second or two: optimising code takes longer than it saves, a large space for new objects (32 MB)
# needs little garbage collection, and text is drawn simply.
QUICK_FLAGS = (
    "--js-flags=--no-maglev --no-turbofan --min-semi-space-size=32",
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


class Tab:
    """A browser context and its one tab. A test takes as many as it needs, and the next test reuses them.

    Opening a tab costs more than most pages do, and a tab that stays open keeps the site's files and axe in memory.
    """

    # Methods whose effect lasts when the tab goes to another address. If a test calls one, its tab is not used again.
    LASTING = ("on", "once", "route", "add_init_script", "expose_function")

    def __init__(self, context, key):
        self.context, self.key = context, key
        self.complaints, self.page, self.reusable = [], None, False

    def open(self, *, size, scheme, complaints):
        """Return the tab's page, on which nothing of an earlier test is left."""
        if self.page is None:
            self.page, self.reusable = self.context.new_page(), True
            self.page.set_default_timeout(60_000)
            self._listen()
            self._watch()
        self.complaints = complaints
        if self.page.viewport_size != size:
            self.page.set_viewport_size(size)
        self.page.emulate_media(media="null", color_scheme=scheme)
        self.page.scheme = scheme
        return self.page

    def _listen(self):
        page = self.page
        # Chromium writes an error for each file that it cannot load. Its address is in the location.
        page.on(
            "console",
            lambda message: (
                self.complaints.append(f"{message.text} {message.location['url']}") if message.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _watch(self):
        for name in self.LASTING:
            setattr(self.page, name, self._lasting(getattr(self.page, name)))

    def _lasting(self, method):
        def call(*arguments, **options):
            self.reusable = False
            return method(*arguments, **options)

        return call

    def clear(self, address):
        """Clear what the site stored, and go to the empty page, or close the tab if it cannot be used again."""
        self.complaints = []
        self.context.clear_cookies()
        self.context.clear_permissions()
        for page in self.context.pages:
            if page is self.page and self.reusable:
                # On a page of the same site, Chromium continues with the same process.
                page.goto(QUIET_PAGE)
                page.mouse.move(0, 0)
            stored = {"origin": address, "storageTypes": "local_storage,indexeddb,cache_storage"}
            session = self.context.new_cdp_session(page)
            session.send("Storage.clearDataForOrigin", stored)
            session.detach()
            if page is not self.page or not self.reusable:
                page.close()
        if self.page.is_closed():
            self.page = None


class Tabs:
    """The tabs of an xdist worker, by the options of their contexts."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.free, self.taken = {}, []

    def take(self, *, own, browser=None, **options):
        """Return a tab; with `own`, one that is closed after the test. A tab of another browser is always closed."""
        key = tuple(options.items())
        own = own or browser is not None
        if self.free.get(key) and not own:
            tab = self.free[key].pop()
        else:
            context = (browser or self.browser).new_context(
                base_url=self.address, viewport=DESKTOP, color_scheme="light", locale="en-GB", **options
            )
            tab = Tab(context, None if own else key)
        self.taken.append(tab)
        return tab

    def give_back(self):
        """Clear the tabs that the test has taken."""
        while self.taken:
            tab = self.taken.pop()
            if tab.key is None:
                tab.context.close()
                continue
            tab.clear(self.address)
            self.free.setdefault(tab.key, []).append(tab)


@pytest.fixture(scope="session")
def tabs(browser, live_server):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "serve", cacheable(StaticFilesHandler.serve))
        yield Tabs(browser, live_server.url)


def cacheable(serve):
    """Let browsers cache the site's files, as in production, and serve axe and an empty page too.

    A page has a dozen files, and the test server reads each from disk.
    """

    def serve_cacheable(handler, request):
        if request.path == AXE_PATH:
            response = HttpResponse(AXE_SCRIPT, content_type="text/javascript")
        elif request.path == QUIET_PAGE:
            response = HttpResponse("<!doctype html><html lang=en><title>Blank</title></html>")
        else:
            response = serve(handler, request)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response

    return serve_cacheable


@pytest.fixture
def open_page(request, tabs, complaints):
    """Return a function that opens a page, signed in as a user, and collects the browser's complaints.

    A page that changes its context permanently, such as its clock, needs its `own` context.
    """

    def page_of(
        user=None,
        *,
        size=DESKTOP,
        scheme="light",
        javascript=True,
        touch=False,
        service_workers="block",
        notifications=False,
        own=False,
    ):
        tab = tabs.take(
            # The service worker loads the offline copy with every page; only its own tests allow it.
            own=own or service_workers == "allow",
            browser=request.getfixturevalue("full_browser") if notifications else None,
            java_script_enabled=javascript,
            has_touch=touch,
            service_workers=service_workers,
        )
        if user is not None:
            tab.context.add_cookies([session_cookie(user, tabs.address)])
        return tab.open(size=size, scheme=scheme, complaints=complaints)

    yield page_of
    tabs.give_back()
