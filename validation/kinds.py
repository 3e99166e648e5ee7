"""The kinds of messages this room sends."""

import datetime as dt

from notifications.kinds import Kind
from notifications.models import Message
from validation.models import Check, ExternalCheck
from validation.verdicts.outcomes import Outcome


def _still_broken(message: Message, at: dt.datetime) -> bool:
    """Tell whether the check that a message is of still breaks."""
    key = message.occurrence.partition("-")[0]
    return Check.objects.filter(pk=int(key), last_status=Outcome.ERROR).exists() if key.isdigit() else False


CHECK_ERROR = Kind("check-error", "A check breaks (admins)", still_true=_still_broken)


def _still_broken_elsewhere(message: Message, at: dt.datetime) -> bool:
    """Tell whether the external check that a message is of still says error."""
    key = message.occurrence.partition("-")[0]
    return ExternalCheck.objects.filter(pk=int(key), status=Outcome.ERROR).exists() if key.isdigit() else False


EXTERNAL_ERROR = Kind("external-error", "A check of another tool breaks (admins)", still_true=_still_broken_elsewhere)
