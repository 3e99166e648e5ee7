"""Classify the topics of a hand-off meeting, so that the sheet can show live data under each."""

import enum
import re
from collections.abc import Sequence


class TopicKind(enum.StrEnum):
    """The kind of live data shown under a topic."""

    ACTIONS = "actions"
    OUTAGES = "outages"
    STATUS = "status"
    ISSUES = "issues"
    NOTES = "notes"


# The first match wins: “Pending action items” must not match pending issues, “Status of outages” must match outages.
KEYWORDS = (
    (TopicKind.ACTIONS, re.compile(r"\b(?:action|actions|to-?dos?|tasks?|follow-?ups?|open points?)\b", re.IGNORECASE)),
    (TopicKind.OUTAGES, re.compile(r"\b(?:outages?|delays?|delayed|downtime|down|late)\b", re.IGNORECASE)),
    (TopicKind.ISSUES, re.compile(r"\b(?:issues?|incidents?|problems?|alerts?|tickets?)\b", re.IGNORECASE)),
    (TopicKind.STATUS, re.compile(r"\b(?:status|state|health|pipelines?)\b", re.IGNORECASE)),
)


def note_topic(titles: Sequence[str]) -> int:
    """Return the index of the topic for notes typed outside the sheet: the first about actions, or else the last."""
    return next(
        (place for place, title in enumerate(titles) if topic_kind(title) == TopicKind.ACTIONS), len(titles) - 1
    )


def topic_kind(title: str) -> TopicKind:
    """Return the kind of live data for a topic title; NOTES if no keyword matches."""
    return next((kind for kind, words in KEYWORDS if words.search(title)), TopicKind.NOTES)
