"""The hand-off fixtures, which feeds are tested with too."""

from tests.handoffs.conftest import handoffs, mails, rotation, time_machine

__all__ = ["handoffs", "mails", "rotation", "time_machine"]
