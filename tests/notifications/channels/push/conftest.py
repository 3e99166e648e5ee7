"""The push service, and people with push on its devices."""

import pytest
from django.utils import timezone

from notifications.channels.push.endpoints import endpoint_digest
from notifications.models import Message, PushDevice
from notifications.services.delivery import deliver_one
from tests.notifications.news import Page, enqueue_news


@pytest.fixture
def device(a, push_service):
    """Return a function that turns push on for A on a new browser; returns the browser and the device."""

    def add(*answers, person=a, name="Phone", wait=lambda: None):
        browser = push_service.browser(*answers, wait=wait)
        keys = browser.subscription["keys"]
        row = PushDevice.objects.create(
            person=person,
            name=name,
            endpoint=browser.endpoint,
            endpoint_digest=endpoint_digest(browser.endpoint),
            service="127.0.0.1",
            **keys,
        )
        return browser, row

    return add


@pytest.fixture
def pushed(a):
    """Return a function that sends an urgent message to A by push and returns it; called again, it sends the same one again."""

    def push(cls=Page, **fields):
        if not Message.objects.filter(channel="push").exists():
            enqueue_news([a], cls=cls, **fields)
        Message.objects.exclude(channel="push").delete()
        Message.objects.filter(state="pending").update(due_at=timezone.now(), retry_at=timezone.now())
        deliver_one()
        return Message.objects.get(channel="push")

    return push
