"""The kinds of messages about incidents, and whether what they say is still true when they are sent."""

import datetime as dt

from incidents.models import Incident
from notifications.models import Message
from notifications.registry import NotificationType, register

TOLD = "incident"
HANDED_OVER = "incident-handover"


def waits_for_somebody(message: Message, at: dt.datetime) -> bool:
    """Tell whether the incident of a message is open and nobody has acknowledged it."""
    return Incident.objects.filter(pk=int(message.occurrence), state=Incident.State.OPEN).exists()


def is_still_theirs(message: Message, at: dt.datetime) -> bool:
    """Tell whether the incident of a message is not over and still the recipient's."""
    rows = Incident.objects.unresolved().filter(pk=int(message.occurrence), assignee=message.recipient_id)
    return rows.exists()


def register_kinds() -> None:
    """Make the kinds known to the outbox: both are urgent."""
    register(
        NotificationType(TOLD, "An incident that I answer for", urgent=True, is_still_relevant=waits_for_somebody),
        NotificationType(
            HANDED_OVER, "An incident that is handed over to me", urgent=True, is_still_relevant=is_still_theirs
        ),
    )
