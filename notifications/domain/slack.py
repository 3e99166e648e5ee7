"""Messages in Slack's Block Kit (https://docs.slack.dev/reference/block-kit)."""

import re
from dataclasses import dataclass
from typing import Any

from notifications.domain.markup import ZERO_WIDTH_SPACE

# Slack's limits, in characters.
MAX_SECTION_LENGTH = 3000
MAX_OPTION_LENGTH = 75
MAX_OPTIONS = 100
# Not in e-mail addresses, because people copy them.
MENTION = re.compile(r"(?<!\w)@(?=\w)")

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """A message with blocks; `text` is for notifications and screen readers.

    `version` increases with the state that it shows.
    """

    text: str
    blocks: list[Block]
    version: int


def escape(text: str) -> str:
    """Escape the three special characters of Slack's markup, and words that would become mentions, such as "@channel"."""
    text = MENTION.sub(f"@{ZERO_WIDTH_SPACE}", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_within(text: str, limit: int) -> str:
    """Return an escaped text of at most `limit` characters, cut if necessary."""
    while len(escape(text)) > limit:
        text = shorten(text, min(len(text) - 1, len(text) * limit // len(escape(text))))
    return escape(text)


def link(url: str, text: str) -> str:
    """Return a link in Slack's markup."""
    return f"<{url}|{escape(text)}>"


def shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; a shortened one ends with "…"."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def section(text: str) -> Block:
    """Return a section with text in Slack's markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:MAX_SECTION_LENGTH]}}


def button(label: str, *, action: str, value: str, style: str = "") -> Block:
    """Return a button; `style` is "primary", "danger" or "" for the default."""
    block: Block = {"type": "button", "action_id": action, "text": _plain(label), "value": value}
    return {**block, "style": style} if style else block


def option(label: str, value: str) -> Block:
    """Return a choice of a select."""
    return {"text": _plain(shorten(label, MAX_OPTION_LENGTH)), "value": value}


def select(label: str, *, action: str, options: list[Block]) -> Block:
    """Return a select with choices."""
    return {"type": "static_select", "action_id": action, "placeholder": _plain(label), "options": options}


def grouped_select(label: str, *, action: str, groups: list[tuple[str, list[Block]]]) -> Block:
    """Return a select with choices in groups."""
    rows = [{"label": _plain(name), "options": options} for name, options in groups if options]
    return {"type": "static_select", "action_id": action, "placeholder": _plain(label), "option_groups": rows}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
