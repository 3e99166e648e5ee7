"""The probe with which beat asks whether the sweep of messages to readers has anything to do."""

from common.db import SweepProbe
from readiness.models import ReaderMessage

message_sweep_is_due = SweepProbe(
    "reader_messages", lambda at: [ReaderMessage.objects.claimable(), ReaderMessage.objects.expired()]
)
