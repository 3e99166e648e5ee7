"""Mattermost: an attachment to an incoming webhook (https://developers.mattermost.com/integrate/webhooks/incoming/)."""

from typing import Any
from urllib.parse import urlsplit

from common.safe_http import PostResult
from notifications.channels.exceptions import AddressError
from notifications.domain.markup import escape_markdown, without_mentions
from team_channels.kinds.base import HttpKind, colour, link
from team_channels.models import ChannelDelivery, TeamChannel

EXAMPLE = "https://mattermost.example.org/hooks/abc"
# Mattermost returns status 400 and this error for a webhook that was deleted.
GONE_ERROR = b"web.incoming_webhook.invalid"


class MattermostKind(HttpKind):
    """An incoming webhook of a Mattermost server."""

    name = TeamChannel.Kind.MATTERMOST
    address_help = f"The URL of an incoming webhook, such as {EXAMPLE}."

    def check_address(self, address: str) -> str:
        host = super().check_address(address)
        if "/hooks/" not in urlsplit(address).path:
            raise AddressError(f"Enter the URL of an incoming webhook, such as {EXAMPLE}.")
        return host

    def payload(self, delivery: ChannelDelivery) -> dict[str, Any]:
        title = without_mentions(delivery.title)
        return {
            "attachments": [
                {
                    "fallback": title,
                    "color": f"#{colour(delivery):06X}",
                    "title": escape_markdown(title),
                    "title_link": link(delivery),
                    "text": escape_markdown(without_mentions(delivery.text)),
                    "fields": [
                        {"short": True, "title": label, "value": escape_markdown(without_mentions(value))}
                        for label, value in delivery.fact_pairs
                    ],
                }
            ]
        }

    def is_gone(self, answer: PostResult) -> bool:
        return answer.status == 400 and GONE_ERROR in answer.body
