"""Fixtures for channel tests: a server that replaces their services, and a function that sends a message to it."""

import pytest
from django.utils import timezone

from notifications.channels import base
from notifications.models import ChannelPreference, ContactMethod, Message
from notifications.services.delivery import deliver_one
from tests.http_peer import Peer, local_rules
from tests.notifications.news import enqueue_news


@pytest.fixture
def peer(monkeypatch):
    peer = Peer()
    monkeypatch.setattr(base, "http_rules", lambda url: local_rules())
    yield peer
    peer.stop()


@pytest.fixture
def delivered(a):
    """Return a function that sends a message to A by one channel at this address, and returns it."""

    def deliver(channel, address, **fields):
        ContactMethod.objects.update_or_create(
            person=a, channel=channel, defaults={"address": address, "shown_as": "peer", "verified_at": timezone.now()}
        )
        ChannelPreference.objects.update_or_create(person=a, type="news", defaults={"channels": [channel]})
        if not Message.objects.filter(channel=channel).exists():
            enqueue_news([a], **fields)
        Message.objects.filter(state="pending").update(due_at=timezone.now(), retry_at=timezone.now())
        deliver_one()
        return Message.objects.get(channel=channel)

    return deliver
