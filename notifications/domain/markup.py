"""Text in the markup of chat services, so that what people wrote stays as they wrote it."""

import re

# What means something in the Markdown of Mattermost, Discord and Adaptive Cards.
MARKUP = re.compile(r"([\\`*_~\[\]<>|#])")
MENTION = re.compile(r"@(?=\w)")
ZERO_WIDTH_SPACE = "\u200b"


def escape_markdown(text: str) -> str:
    """Return a text in which Markdown has no effect."""
    return MARKUP.sub(r"\\\1", text)


def without_mentions(text: str) -> str:
    """Return a text that notifies nobody: "@channel" has an invisible space after the "@"."""
    return MENTION.sub(f"@{ZERO_WIDTH_SPACE}", text)
