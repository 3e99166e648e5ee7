"""What a topic of the hand-off meeting is about, so that the sheet can be filled from live data."""

import enum
import re


class About(enum.StrEnum):
    """What live data belongs under a topic."""

    ACTIONS = "actions"
    OUTAGES = "outages"
    STATUS = "status"
    ISSUES = "issues"
    NOTES = "notes"


# The first that fits wins: “Pending action items” are no pending issues, “Status of outages” is about outages.
WORDS = (
    (About.ACTIONS, re.compile(r"\b(?:action|actions|to-?dos?|tasks?|follow-?ups?|open points?)\b", re.IGNORECASE)),
    (About.OUTAGES, re.compile(r"\b(?:outages?|delays?|delayed|downtime|down|late)\b", re.IGNORECASE)),
    (About.ISSUES, re.compile(r"\b(?:issues?|incidents?|problems?|alerts?|tickets?)\b", re.IGNORECASE)),
    (About.STATUS, re.compile(r"\b(?:status|state|health|pipelines?)\b", re.IGNORECASE)),
)


def about(title: str) -> About:
    """Return what a topic is about, by the words of its title; NOTES where it names nothing that is known here."""
    return next((kind for kind, words in WORDS if words.search(title)), About.NOTES)
