"""Discord: an embed to a webhook (https://discord.com/developers/docs/resources/webhook#execute-webhook)."""

import re
from typing import Any
from urllib.parse import urlsplit

from notifications.channels.exceptions import AddressError
from notifications.domain.markup import escape_markdown
from team_channels.domain.events import shorten
from team_channels.kinds.base import HttpKind, colour, link
from team_channels.models import ChannelDelivery, TeamChannel

HOSTS = ("discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com")
PATH = re.compile(r"\A/api(/v\d+)?/webhooks/\d+/[A-Za-z0-9_-]+\Z")
# Discord's limits are 256, 4,096 and 1,024 characters, and 6,000 for all together.
MAX_TITLE_LENGTH, MAX_TEXT_LENGTH, MAX_VALUE_LENGTH = 256, 3000, 250
EXAMPLE = "https://discord.com/api/webhooks/123/abc"


class DiscordKind(HttpKind):
    """A webhook of a Discord channel."""

    name = TeamChannel.Kind.DISCORD
    address_help = f"The URL of a webhook, such as {EXAMPLE}."
    # The webhook's token is no longer valid.
    gone_statuses = frozenset({401})

    def check_address(self, address: str) -> str:
        host = super().check_address(address)
        if host not in HOSTS or not PATH.match(urlsplit(address).path):
            raise AddressError(f"Enter the URL of a webhook, such as {EXAMPLE}.")
        return host

    def payload(self, delivery: ChannelDelivery) -> dict[str, Any]:
        return {
            # Titles cannot mention anyone.
            "allowed_mentions": {"parse": []},
            "embeds": [
                {
                    "title": shorten(escape_markdown(delivery.title), length=MAX_TITLE_LENGTH),
                    "url": link(delivery),
                    "description": shorten(escape_markdown(delivery.text), length=MAX_TEXT_LENGTH),
                    "color": colour(delivery),
                    "timestamp": delivery.occurred_at.isoformat(),
                    "fields": [
                        {
                            "name": label,
                            "value": shorten(escape_markdown(value), length=MAX_VALUE_LENGTH) or "–",
                            "inline": True,
                        }
                        for label, value in delivery.fact_pairs
                    ],
                }
            ],
        }
