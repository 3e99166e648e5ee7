"""Queries for hand-off sheets: topics with their live data and notes."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from common.formatting import format_count
from handoffs.domain.topics import topic_kind
from handoffs.models import Handoff, HandoffNote, HandoffTopic
from handoffs.queries.sheet_items import MAX_SHEET_ITEMS, SheetData, SheetItem, live_items

# Default topics for a rotation whose handbook has none (docs/rules.md, Hand-offs).
DEFAULT_TOPICS = (
    "Active issues being resolved",
    "Known outages or delays",
    "Status of all pipelines",
    "Pending action items",
)


# Lines of a topic in a message.
MAX_TEXT_ITEMS = 5


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a sheet, as the API returns it."""

    title: str
    items: tuple[SheetItem, ...]
    notes: str
    version: int = 0

    @property
    def heading(self) -> str:
        """Return the title without the handbook's trailing full stop."""
        return self.title.removesuffix(".")

    def to_json(self) -> dict[str, Any]:
        """Return the topic as JSON, for the API and for the frozen sheet."""
        return {
            "title": self.title,
            "items": [asdict(item) for item in self.items],
            "notes": self.notes,
            "version": self.version,
        }


def handoff_sheets(
    handoffs: Iterable[Handoff], *, at: dt.datetime, max_items: int = MAX_SHEET_ITEMS
) -> dict[int, list[Topic]]:
    """Return sheets by hand-off ID: frozen if signed or closed, otherwise live with at most `max_items` lines per topic.

    Uses a fixed number of queries.
    """
    rows = list(handoffs)
    rotations = {row.rotation_id for row in rows}
    titles = topic_titles(rotations)
    notes: dict[int, dict[str, HandoffNote]] = {}
    for note in HandoffNote.objects.filter(handoff__in=rows):
        notes.setdefault(note.handoff_id, {})[note.title] = note
    live = live_items(rotations, at=at, max_items=max_items)
    return {
        row.pk: _frozen_topics(row.frozen)
        if row.frozen is not None
        else _topics(titles[row.rotation_id], notes=notes.get(row.pk, {}), rotation=row.rotation_id, live=live)
        for row in rows
    }


def sheet_text(handoff: Handoff, *, at: dt.datetime) -> str:
    """Return a hand-off's sheet as text: each topic with its first items and its notes."""
    parts = []
    for topic in handoff_sheets([handoff], at=at)[handoff.pk]:
        lines = [f"- {item.text}" for item in topic.items[:MAX_TEXT_ITEMS]]
        if len(topic.items) > MAX_TEXT_ITEMS:
            lines.append(f"- {format_count(len(topic.items) - MAX_TEXT_ITEMS, 'more item')}")
        if topic.notes:
            lines.append(topic.notes)
        parts.append("\n".join([f"{topic.heading}:", *(lines or ["- None"])]))
    return "\n\n".join(parts)


def topic_titles(rotations: Iterable[int]) -> dict[int, list[str]]:
    """Return topic titles in the handbook's order, by rotation ID."""
    titles: dict[int, list[str]] = {key: [] for key in rotations}
    rows = HandoffTopic.objects.filter(policy__rotation__in=titles).order_by("position")
    for rotation, title in rows.values_list("policy__rotation", "title"):
        titles[rotation].append(title)
    return {key: rows or list(DEFAULT_TOPICS) for key, rows in titles.items()}


def _topics(titles: list[str], *, notes: dict[str, HandoffNote], rotation: int, live: SheetData) -> list[Topic]:
    # Notes remain visible after their topic is removed from the handbook.
    removed = [title for title, note in notes.items() if title not in titles and note.text]
    return [
        Topic(
            title,
            items_for(title, rotation=rotation, live=live),
            notes[title].text if title in notes else "",
            notes[title].version if title in notes else 0,
        )
        for title in (*titles, *removed)
    ]


def _frozen_topics(frozen: list[dict[str, Any]]) -> list[Topic]:
    return [
        Topic(row["title"], tuple(SheetItem(**item) for item in row["items"]), row["notes"], row.get("version", 0))
        for row in frozen
    ]


def items_for(title: str, *, rotation: int, live: SheetData) -> tuple[SheetItem, ...]:
    """Return the live data to show under a topic of a rotation's sheet."""
    return tuple(live.get((rotation, topic_kind(title)), ()))
