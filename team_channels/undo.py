"""What the Undo button of a deleted channel does."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from people.models import User
from people.undo import Undo, UndoResult, register
from team_channels.services.channels import channel_path, restore_channel


@register
@dataclass(frozen=True, slots=True)
class UndoDeleteChannel(Undo):
    """Restore a channel that was deleted."""

    name: ClassVar[str] = "team-channel.delete"

    channel: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore it with its delivery log, unless it was restored already."""
        channel = restore_channel(self.channel, by=by)
        return UndoResult(f"Channel {channel.name} restored.", channel_path(channel))
