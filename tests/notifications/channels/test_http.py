"""Channels that post to a URL: what the answer means, and that no address leads into the internal network."""

import pytest
from django.utils import timezone

from common.exceptions import InvalidInputError, NotAllowedError
from notifications.models import ContactMethod, Message
from notifications.services.contact_methods import set_contact_method
from tests.each import each

CHANNELS = {
    "ntfy": "/topic",
    "gotify": "/message?token=A.b-1",
    "slack": "/services/T/B/x",
    "teams": "/workflows/1?sig=x",
    "webhook": "/hook?key=1",
}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "sent"),
        (204, "sent"),
        (302, "failed"),
        (404, "failed"),
        (408, "pending"),
        (429, "pending"),
        (503, "pending"),
    ],
)
def test_the_status_decides_whether_a_message_is_sent_failed_or_retried(peer, delivered, channel, status, state):
    peer.status = status
    message = delivered(channel, peer.url + CHANNELS[channel])
    assert message.state == state
    assert len(peer.requests) == 1, "a redirect is not followed"
    assert (str(status) in message.problem) == (state != "sent")


def test_a_requested_pause_is_respected(peer, delivered):
    peer.status, peer.headers = 429, {"Retry-After": "1800"}
    message = delivered("webhook", peer.url + "/hook")
    assert message.state == "pending"
    wait = (message.retry_at - timezone.now()).total_seconds()
    assert 1700 < wait <= 1800


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_server_that_is_away_is_retried(peer, delivered, channel):
    peer.server.shutdown()
    peer.server.server_close()
    message = delivered(channel, peer.url + CHANNELS[channel])
    assert (message.state, message.problem) == ("pending", "The server could not be reached.")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"]
)
@pytest.mark.parametrize("channel", CHANNELS)
def test_no_address_leads_to_the_internal_network(a, delivered, channel, host):
    message = delivered(channel, f"https://{host}{CHANNELS[channel]}")
    assert message.state == "pending"
    assert message.problem == "The URL does not lead to a public address."


@each(
    "address",
    [
        "",
        "x",
        "http://example.org/a",
        "https://user:secret@example.org/a",
        "https://example.org:22/a",
        "ftp://example.org/a",
    ],
)
@each("channel", CHANNELS)
def test_an_invalid_address_is_rejected_and_names_the_field(a, channel, address):
    with pytest.raises(InvalidInputError) as error:
        set_contact_method(a, channel=channel, address=address, by=a)
    assert list(error.value.problems) == ["address"]
    assert not ContactMethod.objects.exists()


@each(
    ("channel", "address"),
    [
        ("ntfy", "https://ntfy.sh/"),
        ("ntfy", "https://ntfy.sh/a/b"),
        ("ntfy", "https://ntfy.sh/a?x=1"),
        ("slack", "https://hooks.slack.com"),
        ("pigeon", "https://example.org/"),
    ],
)
def test_an_address_that_does_not_fit_its_channel_is_rejected(a, channel, address):
    with pytest.raises(InvalidInputError):
        set_contact_method(a, channel=channel, address=address, by=a)


def test_users_set_their_own_addresses_and_only_admins_set_chat(a, b, admin):
    set_contact_method(a, channel="ntfy", address="https://ntfy.sh/topic", by=a)
    set_contact_method(b, channel="ntfy", address="https://ntfy.sh/topic", by=admin)
    for person, channel in ((b, "ntfy"), (a, "chat")):
        with pytest.raises(NotAllowedError):
            set_contact_method(person, channel=channel, address="https://ntfy.sh/topic", by=a)
    assert "topic" not in ContactMethod.objects.filter(person=a).values_list("address", flat=True)[0]
    assert ContactMethod.objects.get(person=a).shown_as == "ntfy.sh"


def test_a_removed_address_is_a_visible_failure(peer, delivered):
    peer.status = 503
    delivered("webhook", peer.url + "/hook")
    ContactMethod.objects.all().delete()
    Message.objects.update(retry_at="2020-01-01T00:00Z")
    from notifications.services.delivery import deliver_one

    deliver_one()
    assert Message.objects.get().problem == "Engineer A no longer has an address for Webhook."
