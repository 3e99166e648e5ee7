"""Prepare a database restored from a backup."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.services.restore import drop_what_may_be_sent


class Command(BaseCommand):
    """`manage.py restored`: run after pg_restore, before any worker starts."""

    help = "Drop the messages that were waiting when the backup was made and may have been sent since."

    def handle(self, *args: Any, **options: Any) -> None:
        """Drop the messages and print their number."""
        self.stdout.write(f"{drop_what_may_be_sent()} messages that may have been sent are not sent again.")
