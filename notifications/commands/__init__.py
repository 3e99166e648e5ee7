"""Every change of state about messages, a file for each noun."""

from notifications.commands.choices import (
    Channels,
    Quiet,
    change_how_told,
    forget_chat_address,
    give_chat_address,
)
from notifications.commands.delivery import Claimed, claim, deliver_next, send_again
from notifications.commands.forgetting import forget_finished
from notifications.commands.late import drop_expired, merge_late
from notifications.commands.outbox import Invitation, Notice, tell
from notifications.commands.restoring import drop_what_may_be_sent

__all__ = [
    "Channels",
    "Claimed",
    "Invitation",
    "Notice",
    "Quiet",
    "change_how_told",
    "claim",
    "deliver_next",
    "drop_expired",
    "drop_what_may_be_sent",
    "forget_chat_address",
    "forget_finished",
    "give_chat_address",
    "merge_late",
    "send_again",
    "tell",
]
