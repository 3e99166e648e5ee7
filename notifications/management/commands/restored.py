"""Prepare a database restored from a backup."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.services.restore import drop_possibly_sent


class Command(BaseCommand):
    """`manage.py restored`: run after pg_restore, before any worker starts."""

    help = "Drop messages that were due in the backup, because they may have been sent since."

    def handle(self, *args: Any, **options: Any) -> None:
        """Drop the messages and print their number."""
        self.stdout.write(f"{drop_possibly_sent()} messages dropped, because they may have been sent since the backup.")
