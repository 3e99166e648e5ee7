"""Keyboard shortcuts: what each key does, where none acts, and that a person can switch them off (WCAG 2.1.4)."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from incidents.services.transitions import NewIncident, open_incident
from people.services.accounts import change_profile
from pipelines.models import Pipeline
from tests.e2e.test_accessibility import findings
from tests.factories import import_example
from tests.snapshots import this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# What the letters after `g` open.
PATHS = {
    "n": "/",
    "i": "/incidents/",
    "s": "/schedule/",
    "c": r"/calendar/\d+/\d+/",
    "w": "/swaps/",
    "h": "/handoffs/",
    "p": "/pipelines/",
    "k": "/checks/",
    "r": "/runbooks/",
    "f": "/fairness/",
    "m": "/me/",
}


@pytest.fixture
def page(transactional_db, seed, a, open_page):
    import_example(at=this_minute())
    page = open_page(a)
    page.goto("/pipelines/")
    return page


def test_g_and_a_letter_open_a_page(page, live_server):
    """From any page: each shortcut starts on the page that the previous one opened."""
    for key, path in PATHS.items():
        page.locator("main").focus()
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(re.compile(re.escape(live_server.url) + path + "$"))


def test_letters_move_the_focus_to_the_actions_of_an_incident(page):
    """They press nothing, so a letter typed by mistake changes nothing."""
    what = NewIncident(kind="delay", title="Activity logs are late")
    incident = open_incident(Pipeline.objects.first(), what=what, by=None, at=timezone.now())
    page.goto(f"/incidents/{incident.pk}/")
    for key, target in (
        ("a", page.get_by_role("button", name="Acknowledge", exact=True)),
        ("r", page.get_by_role("region", name="Resolve").locator("textarea, select, input:not([type=hidden])").first),
        ("n", page.get_by_role("region", name="Timeline").get_by_role("textbox")),
    ):
        page.locator("main").focus()
        page.keyboard.press(key)
        expect(target).to_be_focused()
    incident.refresh_from_db()
    assert incident.state == "open"


def test_a_question_mark_lists_the_keys_and_escape_closes_the_list(page, complaints):
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("Hand-offs", exact=True)).to_be_visible()
    assert findings(page, number=2) == []
    page.keyboard.press("j")
    expect(page.locator("tbody :focus")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert complaints == []


def test_j_and_k_go_through_the_rows_and_enter_opens_one(page):
    for key, name in (
        ("j", "Unit-level profit"),
        ("j", "Aggregate profit"),
        ("k", "Unit-level profit"),
        ("k", "Unit-level profit"),
    ):
        page.keyboard.press(key)
        expect(page.locator(":focus")).to_have_text(name)
    page.keyboard.press("Enter")
    page.wait_for_url("**/pipelines/unit-level-profit-experiment-focused/")


def test_no_key_acts_in_a_field_or_with_a_modifier(page):
    words = page.get_by_label("Search", exact=True)
    words.focus()
    page.keyboard.type("gn?/j")
    expect(words).to_have_value("gn?/j")
    page.locator("main").focus()
    for keys in ("Control+g", "Alt+g", "Meta+g", "Shift+G"):
        page.keyboard.press(keys)
        page.keyboard.press("n")
    page.keyboard.press("Alt+j")
    expect(page.locator("tbody :focus")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/pipelines/")


def test_who_switches_them_off_has_none(page, a):
    page.goto("/me/profile/")
    page.get_by_role("checkbox", name="Keyboard shortcuts").uncheck()
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_text("Profile saved.")).to_be_visible()
    a.refresh_from_db()
    assert not a.shortcuts
    page.goto("/pipelines/")
    page.locator("main").focus()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.keyboard.press("/")
    expect(page.locator("#shortcuts")).to_have_count(0)
    expect(page.get_by_label("Search", exact=True)).not_to_be_focused()
    assert page.url.endswith("/pipelines/")
    change_profile(a, fields={"shortcuts": True})
    page.reload()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
