"""Encryption of secrets that must be read again, with keys from the environment (docs/reliability.md, promise 19)."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class DecryptionError(Exception):
    """The secret was encrypted with a key that is no longer known."""


def encrypt(secret: str) -> str:
    """Return the secret encrypted with the first key (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _keys().encrypt(secret.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Return a secret that was encrypted with any of the keys; raise DecryptionError."""
    try:
        return _keys().decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError("The secret was encrypted with a key that is no longer known.") from error


def _keys() -> MultiFernet:
    digests = (hashlib.sha256(b"oncall field key " + key.encode()).digest() for key in settings.FIELD_KEYS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
