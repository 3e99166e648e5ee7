"""Limits of a page: 90 KB of style and script, 25 KB compressed; and underlines. That no page shifts while it loads is in test_accessibility.py."""

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
from tests.browser import SIZES, SOME_SIZES
from tests.e2e.test_accessibility import PAGES, SLUG
from tests.factories import import_example
from tests.snapshots import this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE_BYTES, COMPRESSED_BYTES = 90_000, 25_000


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


@pytest.fixture
def pages(seeded, admin, signed_in):
    """Return the HTML of each page by its path."""
    client = signed_in(admin)
    return {path: client.get(path).content.decode() for path in PAGES}


def test_pages_load_at_most_90_kb_of_style_and_script(pages):
    for path, html in pages.items():
        size, compressed = map(sum, zip(*page_files(html), strict=True))
        assert 10_000 < size <= PAGE_BYTES, path
        assert compressed <= COMPRESSED_BYTES, path


def test_no_underline_is_longer_than_its_link(pages):
    """White space at the end of a link is underlined, too, if text follows on the same line."""
    long = re.compile(r"\S\s+</a>\s*(?:<(?:span|strong|em)\b|[\w(])")
    assert {path: found for path, html in pages.items() if (found := long.findall(html))} == {}


@pytest.mark.parametrize("size", SOME_SIZES)
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
