"""Messages for Microsoft Teams: an Adaptive Card, as a workflow expects it.

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from notifications.domain.markup import escape_markdown

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
# The newest version that all Teams clients support.
CARD_VERSION = "1.4"


@dataclass(frozen=True, slots=True)
class Button:
    """A button that opens a page."""

    label: str
    url: str


def teams_message(
    title: str, text: str, *, style: str, button: Button | None, facts: Iterable[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return a message as a workflow expects it.

    Title and text are rich text, in which Markdown has no effect.

    `style` is that of the title's container: default, emphasis, good, attention, warning or accent.
    """
    heading = {
        "type": "Container",
        "style": style,
        "bleed": True,
        "items": [_text(title, weight="bolder", size="medium")],
    }
    rows = [{"title": label, "value": escape_markdown(value)} for label, value in facts]
    actions = [{"type": "Action.OpenUrl", "title": button.label, "url": button.url}] if button else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "fallbackText": title,
        "msteams": {"width": "Full"},
        "body": [heading, *([_text(text)] if text else []), *([{"type": "FactSet", "facts": rows}] if rows else [])],
        "actions": actions,
    }
    return {"type": "message", "attachments": [{"contentType": CARD_TYPE, "contentUrl": None, "content": card}]}


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
