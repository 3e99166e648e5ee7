"""Deliver due messages without Celery."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connection

from notifications.channels.email.smtp import mail_session
from notifications.models import Message
from notifications.services.catch_up import merge_overdue
from notifications.services.delivery import deliver_one
from notifications.services.push_devices import report_switched_off

PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    """`manage.py deliver [--loop]` is safe beside workers, because each message is claimed once."""

    help = "Deliver due messages. With --loop, run until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the `--loop` option."""
        parser.add_argument("--loop", action="store_true", help="Run until stopped.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver due messages. On a stop signal, finish the current message first."""
        if not options["loop"]:
            Message.objects.drop_expired()
            merge_overdue()
            report_switched_off()
            number = _deliver_due(threading.Event())
            self.stdout.write(f"{number} messages processed.")
            return
        stop = threading.Event()

        def on_signal(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
        while not stop.is_set():
            try:
                Message.objects.drop_expired()
                merge_overdue()
                report_switched_off()
                _deliver_due(stop)
            except (DatabaseError, InterfaceError) as error:
                self.stderr.write(f"Database unavailable: {error}")
                connection.close()
            stop.wait(PAUSE_SECONDS)


def _deliver_due(stop: threading.Event) -> int:
    """Deliver until nothing is due or `stop` is set; return the number of messages processed."""
    number = 0
    with mail_session():
        while not stop.is_set() and deliver_one() is not None:
            number += 1
    return number
