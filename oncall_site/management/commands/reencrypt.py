"""Seals the secrets of the database anew, so that an old key can be taken out of FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.crypto import DecryptionError
from oncall_site.services import reencrypt


class Command(BaseCommand):
    """`manage.py reencrypt`: run it after a new key was put first in FIELD_KEYS and every process has it."""

    help = "Seal every secret in the database with the first of FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, all or none, and say how many."""
        try:
            done = reencrypt()
        except DecryptionError as error:
            raise CommandError(f"Nothing was changed. {error} Add that key to FIELD_KEYS first.") from error
        self.stdout.write(f"{done} secrets are sealed with the first of FIELD_KEYS; the others can go.")
