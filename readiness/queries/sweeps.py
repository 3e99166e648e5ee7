"""What the sweep of messages to readers handles, for beat."""

from common.db import SweepProbe
from readiness.models import ReaderMessage

message_sweep_is_due = SweepProbe(
    "reader_messages", lambda at: [ReaderMessage.objects.claimable(), ReaderMessage.objects.expired()]
)
