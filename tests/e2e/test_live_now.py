"""The Now page in a browser: it updates itself, and keeps what a person is doing."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from incidents.services.transitions import NewIncident, open_incident
from pipelines.models import Pipeline
from tests.factories import import_example
from tests.snapshots import this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(transactional_db):
    import_example(at=this_minute())


@pytest.fixture
def page(site, a, open_page):
    page = open_page(a, own=True)
    # The page's own clock: 15 seconds pass when a test says so.
    page.clock.install()
    page.goto("/")
    return page


def declare(title):
    open_incident(Pipeline.objects.first(), what=NewIncident(kind="outage", title=title), by=None, at=timezone.now())


def test_an_incident_appears_without_taking_focus_text_or_scroll(page, complaints):
    expect(page).to_have_title("Now · On call")
    page.get_by_label("Name").fill("half a wo")
    page.evaluate("window.scrollTo(0, 100)")
    declare("Everything is late")
    page.clock.run_for(16_000)
    expect(page.get_by_role("link", name="Everything is late")).to_be_visible()
    expect(page).to_have_title("(1) Now · On call")
    expect(page.get_by_label("Name")).to_have_value("half a wo")
    expect(page.get_by_label("Name")).to_be_focused()
    assert page.evaluate("window.scrollY") > 0
    expect(page.get_by_text("Updated just now")).to_be_visible()
    page.clock.run_for(6_000)
    expect(page.get_by_text("Updated 5 s ago")).to_be_visible()
    assert complaints == []


def test_a_focused_link_keeps_the_focus(page):
    link = page.get_by_role("link", name="Add time off")
    link.focus()
    declare("Everything is late")
    page.clock.run_for(16_000)
    expect(page.get_by_role("link", name="Everything is late")).to_be_visible()
    expect(link).to_be_focused()


def test_an_unchanged_page_is_answered_with_304_and_a_hidden_tab_asks_nothing(page):
    statuses = []
    page.on("response", lambda answer: statuses.append(answer.status) if "/now/" in answer.url else None)
    page.clock.run_for(16_000)
    expect(page.locator("#updated")).to_have_text(re.compile("Updated"))
    page.wait_for_timeout(200)
    assert statuses in ([304], [200])
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.clock.run_for(60_000)
    page.wait_for_timeout(200)
    assert len(statuses) == 1


def test_the_filters_are_remembered(site, a, open_page):
    page = open_page(a)
    page.goto("/")
    page.get_by_label("Name").fill("daily")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".pipeline-list li")).to_have_count(1)
    page.goto("/")
    expect(page.locator(".pipeline-list li")).to_have_count(1)
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator(".pipeline-list li")).to_have_count(5)
