"""The tables of docs/notifications.md have a row for every channel."""

import re
from pathlib import Path

from notifications.models import Message
from team_channels.domain.events import EVENTS
from team_channels.models import TeamChannel

TEXT = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")


def first_column(header):
    """Return the first cells of the rows of a table, by its header's first cell."""
    table = TEXT.split(f"| {header} |", 1)[1].split("\n\n", 1)[0]
    return [row.split("|")[1].strip() for row in table.splitlines()[2:]]


def test_every_channel_has_a_row():
    named = [re.sub(r" workflow| \(Apprise\)", "", name) for name in first_column("channel")]
    assert sorted(named) == sorted(str(label) for label in Message.Channel.labels)


def test_every_kind_of_channel_has_a_row():
    assert sorted(first_column("kind")) == sorted(str(label) for label in TeamChannel.Kind.labels)


def test_every_group_of_events_is_described():
    words = {"incident": "incident opened", "check": "check failed", "restatement": "numbers changed"}
    words |= {"shift": "shifts that start", "week": "who is on call this week"}
    assert set(words) == {event.partition(".")[0] for event in EVENTS}
    assert [word for word in words.values() if word not in " ".join(TEXT.split())] == []
