"""Limits of a page: 90 KB of style and script, 25 KB compressed, and almost no layout shift while it loads."""

import functools
import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone
from playwright.sync_api import expect

from incidents.services.transitions import NewIncident, open_incident
from pipelines.models import Pipeline
from tests.axe import EVERY_VIEW
from tests.browser import SIZES
from tests.e2e.test_accessibility import PAGES, SLUG
from tests.factories import import_example
from tests.snapshots import this_minute
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE_BYTES, COMPRESSED_BYTES, LAYOUT_SHIFT = 90_000, 25_000, 0.1
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture
def seeded(transactional_db, seed):
    import_example(at=this_minute())
    what = NewIncident(kind="delay", title="Activity logs are late")
    open_incident(Pipeline.objects.get(slug=SLUG), what=what, by=None, at=timezone.now())


def page_files(html):
    """Return the sizes of each style sheet and script that a page loads, those of libraries included."""
    tags = re.findall(r'<link rel="stylesheet"[^>]*>|<script[^>]* src=[^>]*>', html)
    addresses = [re.search(r'(?:href|src)="/static/([^"?]+)', tag)[1] for tag in tags]
    assert len(tags) == len(re.findall(r"stylesheet|<script\b[^>]*\bsrc=", html)) > 1
    return [file_sizes(address) for address in addresses]


@functools.cache
def file_sizes(address):
    """Return the size of a static file in bytes, and its compressed size."""
    content = Path(finders.find(address)).read_bytes()
    return len(content), len(gzip.compress(content))


def test_no_page_has_more_than_90_kb_of_style_and_script(seeded, admin, signed_in):
    """Django's admin brings its own."""
    client = signed_in(admin)
    for path in PAGES:
        if not path.startswith("/admin/"):
            size, compressed = map(sum, zip(*page_files(client.get(path).content.decode()), strict=True))
            assert 10_000 < size <= PAGE_BYTES, path
            assert compressed <= COMPRESSED_BYTES, path


def test_no_underline_is_longer_than_its_link(seeded, admin, signed_in):
    """White space at the end of a link is underlined, too, if text follows on the same line."""
    client = signed_in(admin)
    for path in PAGES:
        html = client.get(path).content.decode()
        assert re.findall(r"\S\s+</a>\s*(?:<(?:span|strong|em)\b|[\w(])", html) == [], path


@pytest.mark.parametrize("size", SIZES)
def test_no_page_shifts_while_it_loads(seeded, admin, open_page, size):
    """The suite checks every other page at each width; `make faults` checks every page at both."""
    page = open_page(admin, size=SIZES[size])
    page.add_init_script(SHIFTS)
    shifts = {}
    for path in PAGES if EVERY_VIEW else PAGES[list(SIZES).index(size) :: 2]:
        page.goto(path, wait_until="load")
        page.wait_for_timeout(100)
        shifts[path] = page.evaluate("window.shifted")
    assert {path: shift for path, shift in shifts.items() if shift >= LAYOUT_SHIFT} == {}


def test_a_shift_would_be_seen(seeded, admin, open_page):
    page = open_page(admin)
    page.add_init_script(SHIFTS)
    page.goto("/")
    page.evaluate(
        "document.querySelector('main').before(Object.assign(document.createElement('p'), {innerText: 'x\\n'.repeat(20)}))"
    )
    # Only what has been painted can shift, so the paragraph comes and goes until a shift is counted.
    toggle = "document.querySelector('main').previousElementSibling.toggleAttribute('hidden'); window.shifted"
    wait_until(lambda: page.evaluate(toggle) > LAYOUT_SHIFT, why="no shift was counted")


@pytest.mark.parametrize("size", SIZES)
def test_now_is_whole_without_javascript(seeded, a, open_page, size):
    page = open_page(a, size=SIZES[size], javascript=False)
    page.goto("/")
    expect(page.get_by_role("region", name="On call", exact=True)).to_contain_text("Engineer A")
    expect(page.get_by_role("heading", name="1 open incident")).to_be_visible()
    expect(page.locator(".pipeline-list li, table tbody tr")).to_have_count(5)
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Schedule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Timeline")
    page.go_back()
    page.locator("summary", has_text=re.compile("A")).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.get_by_role("link", name="Get cover").click()
    page.get_by_role("heading", level=1).wait_for()
