"""Notifications about channels."""

import datetime as dt
from dataclasses import dataclass

from notifications.registry import Notification, local_time, paragraphs, register
from people.models import User
from team_channels.models import TeamChannel


@register
@dataclass(frozen=True, slots=True)
class DisabledChannel(Notification):
    """A channel was turned off because its service says that it no longer exists."""

    name = "channel-off"
    label = "Channel of a pipeline or rotation turned off"
    identity = ("channel_id", "switched_off_at")

    channel_id: int
    channel: str
    owner: str
    path: str
    switched_off_at: dt.datetime
    problem: str

    def subject(self, reader: User) -> str:
        return f"Channel turned off: {self.channel} ({self.owner})"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.channel} no longer gets messages about {self.owner}. {self.problem}",
            f"It was turned off on {local_time(self.switched_off_at, reader)}.",
            "Set up the channel again and save its new address, or delete it.",
        )

    def link(self) -> str:
        return self.path

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return TeamChannel.objects.filter(pk=self.channel_id, switched_off_at=self.switched_off_at).exists()
