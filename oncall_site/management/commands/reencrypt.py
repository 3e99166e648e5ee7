"""Re-encrypts the secrets in the database, so that an old key can be removed from FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.crypto import DecryptionError
from oncall_site.services import reencrypt


class Command(BaseCommand):
    """`manage.py reencrypt`: run it after every process has the new key as the first of FIELD_KEYS."""

    help = "Re-encrypt every secret in the database with the first key of FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = reencrypt()
        except DecryptionError as error:
            raise CommandError(
                f"Nothing was changed. {error} Add the missing key to FIELD_KEYS and try again."
            ) from error
        self.stdout.write(f"Re-encrypted {count} secrets. You can now remove the old keys from FIELD_KEYS.")
