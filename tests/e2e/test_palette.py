"""The command palette, the user menu and the confirmation dialog: by keyboard, on a phone and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from people.models import ApiToken
from people.services.accounts import create_token
from tests.browser import PHONE
from tests.e2e.test_accessibility import findings
from tests.factories import import_example
from tests.snapshots import this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def seeded(transactional_db, seed):
    import_example(at=this_minute())


def test_the_palette_is_used_by_keyboard_alone(seeded, a, open_page, complaints):
    page = open_page(a)
    page.goto("/fairness/")
    start = page.get_by_role("link", name="Calendar", exact=True)
    start.focus()
    page.keyboard.press("/")
    field = page.get_by_label("Search the site").and_(page.locator("#palette-words"))
    expect(field).to_be_focused()
    page.keyboard.type("engineer c")
    expect(page.locator("#palette-status")).to_have_text(re.compile(r"\d+ results"))
    hits = page.locator("#palette .hits a")
    expect(hits.first).to_have_text("Engineer C")
    assert findings(page, number=2) == []
    page.keyboard.press("ArrowDown")
    expect(hits.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
        )
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(start).to_be_focused()
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.type("daily growth")
    expect(hits.first).to_have_text("Daily growth (experiment-focused)")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pipelines/daily-growth-experiment-focused/")
    assert complaints == []


def test_a_click_on_the_search_opens_the_palette_on_a_phone(seeded, a, open_page, complaints):
    page = open_page(a, size=PHONE)
    page.goto("/")
    page.locator("#site-search").click()
    page.locator("#palette-words").fill("aggregate")
    expect(page.locator("#palette .hits a").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert findings(page) == []
    page.mouse.click(5, 800)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert complaints == []


def test_without_javascript_the_search_is_a_page(seeded, a, open_page):
    page = open_page(a, javascript=False)
    page.goto("/")
    page.locator("#site-search").fill("engineer c")
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_role("link", name="Engineer C", exact=True).click()
    page.wait_for_url("**/people/engineer-c/")


def test_the_user_menu_closes_on_escape_and_on_a_click_outside(seeded, a, open_page):
    page = open_page(a)
    page.goto("/")
    menu, item = page.locator(".site-menu summary"), page.get_by_role("button", name="Sign out")
    menu.click()
    expect(item).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(item).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    expect(item).to_be_visible()
    page.get_by_role("heading", level=1).click()
    expect(item).to_be_hidden()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_token_is_revoked_only_after_a_question(seeded, a, open_page, complaints, javascript):
    create_token(a, name="pager")
    page = open_page(a, javascript=javascript)
    page.goto("/me/tokens/")
    page.get_by_role("button", name="Revoke pager").click()
    expect(page.get_by_role("heading", name="Revoke the token “pager”?")).to_be_visible()
    if javascript:
        assert findings(page, number=3) == []
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Revoke the token “pager”?")).to_have_count(0)
    assert page.url.endswith("/me/tokens/")
    assert ApiToken.objects.get().revoked_at is None
    page.get_by_role("button", name="Revoke pager").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("Token “pager” revoked.")).to_be_visible()
    assert ApiToken.objects.get().revoked_at is not None
    assert complaints == []


def test_a_new_secret_is_copied(seeded, a, open_page):
    page = open_page(a)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/me/tokens/")
    page.get_by_label("Name").fill("pager")
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Copy token").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").inner_text()


def test_initials_fit_their_circle(seeded, a, open_page):
    a.display_name = "Wilhelmina Mwmwm"
    a.save()
    page = open_page(a)
    page.goto("/people/engineer-a/")
    circle = page.locator("main .person-initials").first
    assert circle.evaluate("circle => circle.scrollWidth <= circle.clientWidth")
