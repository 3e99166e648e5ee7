"""Microsoft Teams: an Adaptive Card to a workflow that "posts to a channel when a webhook request is received".

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
"""

from typing import Any

from team_channels.domain.markup import escape_markdown
from team_channels.kinds.base import HttpKind, button_label, link
from team_channels.models import ChannelDelivery, TeamChannel

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
# The newest version that all of Teams's clients show.
CARD_VERSION = "1.4"
STYLES = {"opened": "attention", "reopened": "attention", "escalated": "warning", "resolved": "good"}


class TeamsKind(HttpKind):
    """A workflow of Microsoft Teams."""

    name = TeamChannel.Kind.TEAMS
    address_help = "The URL of a workflow that posts to a channel when a webhook request is received."

    def payload(self, delivery: ChannelDelivery) -> dict[str, Any]:
        return {
            "type": "message",
            "attachments": [{"contentType": CARD_TYPE, "contentUrl": None, "content": adaptive_card(delivery)}],
        }


def adaptive_card(delivery: ChannelDelivery) -> dict[str, Any]:
    """Return a message as an Adaptive Card. Title and text are rich text, in which Markdown has no effect."""
    body: list[dict[str, Any]] = [
        {
            "type": "Container",
            "style": STYLES.get(delivery.event.rpartition(".")[2], "emphasis"),
            "bleed": True,
            "items": [_text(delivery.title, weight="bolder", size="medium")],
        }
    ]
    if delivery.text:
        body.append(_text(delivery.text))
    if delivery.facts:
        facts = [{"title": label, "value": escape_markdown(value)} for label, value in delivery.fact_pairs]
        body.append({"type": "FactSet", "facts": facts})
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "fallbackText": delivery.title,
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": button_label(delivery), "url": link(delivery)}],
    }


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
