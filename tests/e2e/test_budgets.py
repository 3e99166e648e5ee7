"""What a page may cost: 90 KB of the site's own style and script, and hardly a shift of its layout while it loads."""

import re

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from incidents.services.transitions import NewIncident, open_incident
from pipelines.models import Pipeline
from tests.browser import SIZES
from tests.e2e.test_accessibility import PAGES, SLUG
from tests.factories import import_example
from tests.snapshots import this_minute
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OWN = settings.BASE_DIR / "oncall_site" / "static"
OWN_BYTES, LAYOUT_SHIFT = 90_000, 0.1
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


def own_bytes(html):
    """Return how many bytes of style and script a page loads that are the site's own."""
    tags = re.findall(r'<link rel="stylesheet"[^>]*>|<script[^>]* src=[^>]*>', html)
    addresses = [re.search(r'(?:href|src)="/static/([^"?]+)', tag)[1] for tag in tags]
    assert len(tags) == len(re.findall(r"stylesheet|<script\b[^>]*\bsrc=", html)) > 1
    return sum((OWN / address).stat().st_size for address in addresses if (OWN / address).exists())


def test_no_page_has_more_than_90_kb_of_its_own_style_and_script(seeded, admin, signed_in):
    client = signed_in(admin)
    for path in PAGES:
        assert 10_000 < own_bytes(client.get(path).content.decode()) <= OWN_BYTES, path


@pytest.mark.parametrize("size", SIZES)
def test_no_page_shifts_while_it_loads(seeded, admin, open_page, size):
    page = open_page(admin, size=SIZES[size])
    page.add_init_script(SHIFTS)
    shifts = {}
    for path in PAGES:
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
    expect(page.get_by_role("region", name="On call")).to_contain_text("Engineer A")
    expect(page.get_by_role("heading", name="1 open incident")).to_be_visible()
    expect(page.locator(".pipeline-list li, table tbody tr")).to_have_count(5)
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Schedule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Timeline")
    page.go_back()
    page.locator("summary", has_text=re.compile("A")).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.get_by_role("link", name="Get cover").click()
    page.get_by_role("heading", level=1).wait_for()
