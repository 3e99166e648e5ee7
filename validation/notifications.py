"""The kinds of messages this room sends."""

import datetime as dt

from notifications.models import Message
from notifications.registry import NotificationType
from validation.domain.results import ResultStatus
from validation.models import Check, ExternalCheck


def _still_broken(message: Message, at: dt.datetime) -> bool:
    """Return True if the check of a message still fails to run."""
    key = message.occurrence.partition("-")[0]
    return Check.objects.filter(pk=int(key), last_status=ResultStatus.ERROR).exists() if key.isdigit() else False


CHECK_ERROR = NotificationType("check-error", "A check breaks (admins)", is_still_relevant=_still_broken)


def _still_broken_elsewhere(message: Message, at: dt.datetime) -> bool:
    """Return True if the external check of a message still reports an error."""
    key = message.occurrence.partition("-")[0]
    return ExternalCheck.objects.filter(pk=int(key), status=ResultStatus.ERROR).exists() if key.isdigit() else False


EXTERNAL_ERROR = NotificationType(
    "external-error", "A check of another tool breaks (admins)", is_still_relevant=_still_broken_elsewhere
)
