"""Makes a database that was restored from a backup fit to be worked on again."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.services.restore import drop_what_may_be_sent


class Command(BaseCommand):
    """`manage.py restored`: run it after pg_restore and before any worker starts."""

    help = "Drop the messages that were waiting when the backup was made and may have been sent since."

    def handle(self, *args: Any, **options: Any) -> None:
        """Drop, and say how many."""
        self.stdout.write(f"{drop_what_may_be_sent()} messages that may have been sent are not sent again.")
