"""Channels in a browser: added, tested, turned off and on, with and without JavaScript; no axe finding on a channel's page."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from team_channels.domain.events import INCIDENT_EVENTS, ChannelEvent
from team_channels.models import ChannelDelivery, TeamChannel
from team_channels.services.outbox import post_event
from tests.axe import findings
from tests.browser import PHONE, follow
from tests.factories import make_engineer, make_pipeline

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.django_db(transaction=True)]

PROBLEM = "chat.example.org returned status 503."


@pytest.fixture
def owner():
    return make_engineer("Engineer A")


@pytest.fixture
def pipeline(owner):
    return make_pipeline("Orders", primary=owner, secondary=make_engineer("Engineer B"))


@pytest.fixture
def channel(pipeline, owner):
    """A webhook with deliveries in every state."""
    at = timezone.now()
    row = TeamChannel.objects.create(
        pipeline=pipeline,
        kind="webhook",
        name="#data-alerts",
        address="https://chat.example.org/x",
        shown_as="chat.example.org",
        secret="whsec_x",
        events=list(INCIDENT_EVENTS),
        created_by=owner,
        problem=PROBLEM,
    )
    for state in ("sent", "failed", "dropped", "pending"):
        event = ChannelEvent(
            "incident.opened", state, occurred_at=at, title=f"Opened: Orders: {state}", path="/incidents/1/"
        )
        post_event([row], event, at=at)
    rows = ChannelDelivery.objects.all()
    rows.filter(event_id="sent").update(state="sent", sent_at=at, attempts=1, response_status=200)
    rows.filter(event_id="failed").update(state="failed", attempts=24, response_status=503, problem=PROBLEM)
    rows.filter(event_id="dropped").update(state="dropped", problem="The channel was turned off.")
    rows.filter(event_id="pending").update(attempts=2, response_status=503, problem=PROBLEM, retry_at=at)
    return row


def add(page):
    page.goto("/pipelines/orders/")
    page.locator(".page-header summary").click()
    follow(page.get_by_role("link", name="Channels"))
    page.get_by_label("Service").select_option("Discord")
    page.get_by_label("Name").fill("#incidents")
    page.get_by_label("Address").fill("https://discord.com/api/webhooks/1/token")
    follow(page.get_by_role("button", name="Add channel"))


def test_an_owner_adds_a_channel(pipeline, owner, open_page, complaints):
    page = open_page(owner)
    add(page)
    expect(page.get_by_text("Channel #incidents added.")).to_be_visible()
    assert complaints == []


def test_an_owner_adds_a_channel_and_sends_a_test_without_javascript(pipeline, owner, open_page, complaints):
    page = open_page(owner, size=PHONE, javascript=False)
    add(page)
    expect(page.get_by_text("Channel #incidents added.")).to_be_visible()
    follow(page.get_by_role("button", name="Send test"))
    expect(page.get_by_role("link", name="Test message for Orders")).to_be_visible()
    follow(page.get_by_role("button", name="Turn off"))
    expect(page.get_by_text("Channel turned off. It gets no messages.")).to_be_visible()
    follow(page.get_by_role("button", name="Turn on"))
    follow(page.get_by_role("button", name="Delete"))
    expect(page.get_by_text("Channel #incidents deleted.")).to_be_visible()
    assert complaints == []


def test_a_secret_is_shown_once_and_the_pages_have_no_axe_finding(channel, owner, open_page, complaints):
    page, path = open_page(owner), f"/channels/{channel.pk}/"
    page.goto(path)
    follow(page.get_by_role("button", name="Create new secret"))
    expect(page.locator("#secret")).to_contain_text("whsec_")
    assert findings(page) == []
    for number, one in enumerate([path, "/pipelines/orders/channels/"]):
        page.goto(one)
        expect(page.locator("#secret")).to_have_count(0)
        assert findings(page, number=number) == []
    assert complaints == []
