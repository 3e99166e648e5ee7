"""Every change of state about messages, a file for each noun."""

from notifications.commands.delivery import Claimed, claim, deliver_next, send_again
from notifications.commands.late import drop_expired, merge_late
from notifications.commands.outbox import Invitation, Notice, tell

__all__ = [
    "Claimed",
    "Invitation",
    "Notice",
    "claim",
    "deliver_next",
    "drop_expired",
    "merge_late",
    "send_again",
    "tell",
]
