"""Reads about hand-offs, a file for each noun."""

from handoffs.queries.feeds import address_of, feed_of, feed_text, feeds_of
from handoffs.queries.handoffs import (
    Away,
    Due,
    all_handoffs,
    away_at,
    away_by_handoff,
    changes_due,
    meeting_minutes,
    next_handoffs,
    overdue_handoffs,
    same_handoff,
)
from handoffs.queries.items import all_items, open_items, rotation_or_only
from handoffs.queries.live import Item, live_items
from handoffs.queries.rules import policy_of
from handoffs.queries.sheets import Topic, sheets_of, topic_titles

__all__ = [
    "Away",
    "Due",
    "Item",
    "Topic",
    "address_of",
    "all_handoffs",
    "all_items",
    "away_at",
    "away_by_handoff",
    "changes_due",
    "feed_of",
    "feed_text",
    "feeds_of",
    "live_items",
    "meeting_minutes",
    "next_handoffs",
    "open_items",
    "overdue_handoffs",
    "policy_of",
    "rotation_or_only",
    "same_handoff",
    "sheets_of",
    "topic_titles",
]
