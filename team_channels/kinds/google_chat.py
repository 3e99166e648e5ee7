"""Google Chat: a card to a webhook of a space (https://developers.google.com/workspace/chat/quickstart/webhooks)."""

from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from notifications.channels.exceptions import AddressError
from team_channels.kinds.base import HttpKind, button_label, link
from team_channels.models import ChannelDelivery, TeamChannel

HOST = "chat.googleapis.com"
EXAMPLE = f"https://{HOST}/v1/spaces/AAA/messages?key=abc&token=abc"
# Messages with the same thread key are replies in one thread.
THREAD_OPTION = urlencode({"messageReplyOption": "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"})


class GoogleChatKind(HttpKind):
    """A webhook of a Google Chat space. All messages about an incident form one thread."""

    name = TeamChannel.Kind.GOOGLE_CHAT
    address_help = f"The URL of a webhook of a space, such as {EXAMPLE}."

    def check_address(self, address: str) -> str:
        host, parts = super().check_address(address), urlsplit(address)
        is_space = parts.path.startswith("/v1/spaces/") and parts.path.endswith("/messages")
        if host != HOST or not is_space or "token=" not in parts.query:
            raise AddressError(f"Enter the URL of a webhook of a space, such as {EXAMPLE}.")
        return host

    def url(self, delivery: ChannelDelivery) -> str:
        return f"{delivery.channel.address}&{THREAD_OPTION}"

    def payload(self, delivery: ChannelDelivery) -> dict[str, Any]:
        widgets: list[dict[str, Any]] = []
        if delivery.text:
            widgets.append({"textParagraph": {"text": escape(delivery.text).replace("\n", "<br>")}})
        widgets += [
            {"decoratedText": {"topLabel": label, "text": escape(value), "wrapText": True}}
            for label, value in delivery.fact_pairs
        ]
        button = {"text": button_label(delivery), "onClick": {"openLink": {"url": link(delivery)}}}
        widgets.append({"buttonList": {"buttons": [button]}})
        card = {"header": {"title": delivery.title}, "sections": [{"widgets": widgets}]}
        return {
            "fallbackText": delivery.title,
            "cardsV2": [{"cardId": delivery.event_id, "card": card}],
            "thread": {"threadKey": delivery.path},
        }
