"""Base classes of the kinds of channels. Each kind has its own module with one class, listed in `catalog.py`."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from common.safe_http import PostResult
from notifications.channels.base import Sender, check_https_url
from notifications.channels.deadline import Deadline
from notifications.channels.http import Request, check_answer, http_rules, post_request
from notifications.queries.outbox import absolute_url
from team_channels.models import ChannelDelivery, TeamChannel

# Colours of a message's edge by the last part of the event's name: red, amber, green, blue.
COLOURS = {
    "opened": 0xC62828,
    "reopened": 0xC62828,
    "failed": 0xC62828,
    "escalated": 0xB26A00,
    "resolved": 0x2E7D32,
    "recovered": 0x2E7D32,
    "settled": 0x2E7D32,
}
DEFAULT_COLOUR = 0x1565C0
# By the first part of the event's name.
BUTTON_LABELS = {"incident": "Open incident", "check": "Open check", "restatement": "Open restatements"}


class Kind:
    """A kind of channel: its addresses and how messages reach it."""

    name: ClassVar[TeamChannel.Kind]
    # Shown beside the address field.
    address_help: ClassVar[str]
    # Requests are signed with a secret, which is shown once.
    is_signed: ClassVar[bool] = False

    def is_available(self) -> bool:
        """Return True unless it needs an app that the site does not have."""
        return True

    def check_address(self, address: str) -> str:
        """Return the part of an address that can be shown, without secrets; raise AddressError if it is invalid."""
        raise NotImplementedError

    def prepare(self, delivery: ChannelDelivery) -> Sender:
        """Return an object that sends a message, after reading what it needs from the database.

        It sets the delivery's `response_status` and raises the errors of `notifications.channels.http.check_answer`.
        """
        raise NotImplementedError


class HttpKind(Kind):
    """A kind of channel that receives JSON at a URL."""

    # Statuses besides 404 and 410 which mean that the address was removed.
    gone_statuses: ClassVar[frozenset[int]] = frozenset()

    def check_address(self, address: str) -> str:
        return check_https_url(address)

    def prepare(self, delivery: ChannelDelivery) -> Sender:
        url = self.url(delivery)
        body = json.dumps(self.payload(delivery), ensure_ascii=False).encode()
        request = Request(url, body, self.headers(delivery, body), http_rules(url))

        def post(deadline: Deadline) -> None:
            answer = post_request(request, deadline=deadline)
            delivery.response_status = answer.status
            check_answer(answer, url=url, is_gone=self.is_gone(answer))

        return Sender(post)

    def url(self, delivery: ChannelDelivery) -> str:
        """Return where to post."""
        return delivery.channel.address

    def headers(self, delivery: ChannelDelivery, body: bytes) -> Mapping[str, str]:
        """Return the headers besides Content-Type."""
        return {}

    def payload(self, delivery: ChannelDelivery) -> dict[str, Any]:
        """Return the JSON to post."""
        raise NotImplementedError

    def is_gone(self, answer: PostResult) -> bool:
        """Return True if a response says that the address was removed."""
        return answer.status in self.gone_statuses


def colour(delivery: ChannelDelivery) -> int:
    """Return the colour of a message's edge as RGB."""
    return COLOURS.get(delivery.event.rpartition(".")[2], DEFAULT_COLOUR)


def link(delivery: ChannelDelivery) -> str:
    """Return the URL of the page that a message is about."""
    return absolute_url(delivery.path)


def button_label(delivery: ChannelDelivery) -> str:
    """Return the label of the button that opens the page."""
    return BUTTON_LABELS.get(delivery.event.partition(".")[0], "Open on-call site")
