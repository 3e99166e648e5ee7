"""Encryption of secrets that must be read again, with keys from the environment (docs/reliability.md, promise 19)."""

import base64
import hashlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class DecryptionError(Exception):
    """The secret was encrypted with a key that is no longer known."""


def encrypt(secret: str) -> str:
    """Return the secret encrypted with the first key (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _fernet(*settings.FIELD_KEYS).encrypt(secret.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Return a secret that was encrypted with any of the keys; raise DecryptionError."""
    try:
        return _fernet(*settings.FIELD_KEYS).decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError("The secret was encrypted with a key that is no longer known.") from error


@cache
def _fernet(*keys: str) -> MultiFernet:
    """Return what encrypts with the first key and decrypts with any; every request with a session needs it."""
    digests = (hashlib.sha256(b"oncall field key " + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
