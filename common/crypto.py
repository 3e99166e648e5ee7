"""Secrets that have to be read again, kept encrypted in the database with keys from the environment (promise 19)."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# The help text of a column of sealed text begins so: by it `manage.py reencrypt` finds the column.
SEALED_MARK = "Sealed:"


class DecryptionError(Exception):
    """A secret was encrypted with a key that is no longer known."""


def encrypt(secret: str) -> str:
    """Return a secret encrypted with the first of the keys (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _keys().encrypt(secret.encode()).decode()


def decrypt(sealed: str) -> str:
    """Return what was sealed with any of the keys; raise Unsealable."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError("It was encrypted with a key that is no longer known.") from error


def _keys() -> MultiFernet:
    digests = (hashlib.sha256(b"oncall field key " + key.encode()).digest() for key in settings.FIELD_KEYS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
