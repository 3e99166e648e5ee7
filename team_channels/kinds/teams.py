"""Microsoft Teams: an Adaptive Card to a workflow that posts to a channel when a webhook request is received."""

from typing import Any

from notifications.channels.teams.card import Button, teams_message
from team_channels.kinds.base import HttpKind, button_label, link
from team_channels.models import ChannelDelivery, TeamChannel

STYLES = {
    "opened": "attention",
    "reopened": "attention",
    "failed": "attention",
    "escalated": "warning",
    "resolved": "good",
    "recovered": "good",
    "settled": "good",
}


class TeamsKind(HttpKind):
    """A workflow of Microsoft Teams."""

    name = TeamChannel.Kind.TEAMS
    address_help = "The URL of a workflow that posts to a channel when a webhook request is received."

    def payload(self, delivery: ChannelDelivery) -> dict[str, Any]:
        return teams_message(
            delivery.title,
            delivery.text,
            style=STYLES.get(delivery.event.rpartition(".")[2], "emphasis"),
            button=Button(button_label(delivery), link(delivery)),
            facts=delivery.fact_pairs,
        )
