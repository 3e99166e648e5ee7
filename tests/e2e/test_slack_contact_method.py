"""The Slack app as a contact method in Chromium: added, verified by the code of the direct message, tested."""

import re

import pytest
from playwright.sync_api import expect

from notifications.services.delivery import deliver_one
from tests.axe import findings
from tests.browser import PHONE, follow
from tests.notifications.channels.slack import FakeSlack, connect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def slack(settings, monkeypatch):
    fake = FakeSlack()
    connect(fake, settings, monkeypatch)
    yield fake
    fake.stop()


def test_slack_is_added_verified_and_tested_on_a_phone(slack, a, open_page, complaints):
    slack.members["a@slack.example"] = "U1"
    page = open_page(a, size=PHONE)
    page.goto("/me/notifications/")
    form = page.get_by_role("form", name="Add contact method")
    form.get_by_label("Channel").select_option(label="Slack")
    form.get_by_label("Address").fill("a@slack.example")
    follow(form.get_by_role("button", name="Add contact method"))
    deliver_one()
    [message] = slack.messages.values()
    page.get_by_label("Code sent to a@slack.example").fill(re.search(r"code is (\d+)\.", message["text"])[1])
    assert findings(page, number=0) == []
    follow(page.get_by_role("button", name="Verify a@slack.example"))
    expect(page.get_by_text("Contact method verified.")).to_be_visible()
    follow(page.get_by_role("button", name="Send test to a@slack.example"))
    deliver_one()
    assert "Slack works." in list(slack.messages.values())[1]["text"]
    assert complaints == []
