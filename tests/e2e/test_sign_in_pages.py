"""Sign-in, two-factor and password pages in a browser, without accessibility findings."""

import itertools

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import Message
from notifications.registry import load
from oncall_site.services import invite
from people.models import User
from tests.axe import findings
from tests.browser import follow
from tests.factories import PASSWORD
from tests.people.test_second_factor import code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_an_invitation_to_a_two_factor_sign_in(admin, a, open_page, complaints, settings):
    settings.OIDC_NAME = "Work"
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    a.refresh_from_db()
    invite(a, by=admin, at=timezone.now())
    message = Message.objects.get()
    page = open_page()
    problems, numbers = [], itertools.count()

    def check_page():
        problems.extend(findings(page, number=next(numbers)))

    page.goto(load(message.type, message.context).delivery_link())
    check_page()
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    follow(page.get_by_role("button", name="Set password"))
    expect(page.get_by_text("Password set")).to_be_visible()
    expect(page.get_by_role("heading", name="Set up your account")).to_be_in_viewport()
    follow(page.get_by_role("link", name="Choose your country"))
    expect(page.get_by_text("Account setup: 0 of 4 done.")).to_be_in_viewport()
    expect(page.get_by_role("link", name="All steps")).to_be_visible()
    check_page()
    page.goto("/me/security/")
    follow(page.get_by_role("link", name="Set up two-factor authentication"))
    check_page()
    follow(page.get_by_role("link", name="Set up authenticator app"))
    check_page()
    page.get_by_label("Password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Confirm"))
    check_page()
    assert page.locator("img.qr").evaluate("image => image.complete && image.naturalWidth > 50")
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("6-digit code").fill(code_of(secret))
    follow(page.get_by_role("button", name="Enable"))
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery = page.locator(".codes code").first.inner_text()
    check_page()
    for path in ("/me/second-factor/", "/me/second-factor/codes/new/", "/me/second-factor/remove/", "/me/security/"):
        page.goto(path)
        check_page()
    sign_out(page)
    sign_in(page)
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    check_page()
    page.get_by_label("Code").fill("000000")
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_text("Incorrect code")).to_be_visible()
    check_page()
    page.get_by_label("Code").fill(recovery)
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.endswith("/")
    assert problems == [], "\n".join(problems)
    assert complaints == []


def sign_in(page):
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("engineer-a")
    page.get_by_label("Password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Sign in", exact=True))


def sign_out(page):
    page.locator(".site-menu summary").click()
    follow(page.get_by_role("button", name="Sign out"))


def test_the_error_pages_have_no_accessibility_findings(transactional_db, a, client, open_page):
    page = open_page()
    problems = []
    for number, path in enumerate(
        (
            "/password/forgotten/",
            "/password/nothing/",
            "/sign-in/not-active/",
            "/sign-in/failed/",
            "/sign-in/cancelled/",
        )
    ):
        page.goto(path)
        problems += findings(page, number=number)
    page.goto("/password/forgotten/")
    page.get_by_label("E-mail").fill("nobody@example.org")
    follow(page.get_by_role("button", name="Send reset link"))
    expect(page.get_by_text("we’ve sent a link")).to_be_visible()
    problems += findings(page)
    for _ in range(5):
        client.post("/sign-in/", {"username": "engineer-a", "password": PASSWORD})
    sign_in(page)
    expect(page.get_by_text("Too many sign-in attempts")).to_be_visible()
    problems += findings(page)
    assert problems == [], "\n".join(problems)
