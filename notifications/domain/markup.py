"""Escape text for the markup of chat services, so that it appears as people wrote it."""

import re

# Characters with a meaning in the Markdown of Mattermost, Discord and Adaptive Cards.
MARKUP = re.compile(r"([\\`*_~\[\]<>|#])")
MENTION = re.compile(r"@(?=\w)")
ZERO_WIDTH_SPACE = "\u200b"


def escape_markdown(text: str) -> str:
    """Return a text with its Markdown escaped."""
    return MARKUP.sub(r"\\\1", text)


def without_mentions(text: str) -> str:
    """Return a text that notifies nobody: "@channel" has an invisible space after the "@"."""
    return MENTION.sub(f"@{ZERO_WIDTH_SPACE}", text)
