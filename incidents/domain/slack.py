"""Buttons of messages about incidents in Slack: their values, and the payload of a click."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACKNOWLEDGE, RESOLVE, REASSIGN, SNOOZE = "acknowledge", "resolve", "reassign", "snooze"
ACTIONS = frozenset({ACKNOWLEDGE, RESOLVE, REASSIGN, SNOOZE})
SNOOZE_CHOICES = ((30, "30 minutes"), (60, "1 hour"), (4 * 60, "4 hours"), (12 * 60, "12 hours"), (24 * 60, "1 day"))
SLACK_ID = re.compile(r"[A-Z0-9]{1,32}")
BLOCK_ID = re.compile(r"incident:([0-9]{1,15}):([0-9]{1,5}):([a-z]{1,12}):([0-9]{1,15}):([0-9]{1,18})")
MAX_URL_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class ShownState:
    """The state of an incident that a message shows.

    A button acts only if it is still current; `assignee` is 0 for none.
    """

    incident: int
    round: int
    state: str
    assignee: int

    def block_id(self, *, version: int) -> str:
        """Return the ID of the block with the buttons.

        It differs for each version, so that Slack clears the selection.
        """
        return f"incident:{self.incident}:{self.round}:{self.state}:{self.assignee}:{version}"


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a button: the person, the response URL, the state shown, and the choice."""

    slack_id: str
    response_url: str
    action: str
    shown: ShownState
    value: str


def read_click(payload: Mapping[str, Any]) -> Click | None:
    """Return the click that Slack reports (https://docs.slack.dev/reference/interaction-payloads), or None for anything else."""
    actions = payload.get("actions")
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or not actions:
        return None
    action = _mapping(actions[0])
    match = BLOCK_ID.fullmatch(_text(action.get("block_id")))
    name, slack_id = _text(action.get("action_id")), _text(_mapping(payload.get("user")).get("id"))
    if match is None or name not in ACTIONS or not SLACK_ID.fullmatch(slack_id):
        return None
    chosen = _mapping(action.get("selected_option")).get("value")
    return Click(
        slack_id=slack_id,
        response_url=_text(payload.get("response_url"))[:MAX_URL_LENGTH],
        action=name,
        shown=ShownState(int(match[1]), int(match[2]), match[3], int(match[4])),
        value=_text(chosen).replace("\0", ""),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
