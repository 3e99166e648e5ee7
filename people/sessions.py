"""Sessions in the database of which a dump is of no use: keys as digests, contents sealed (reliability.md, promise 19)."""

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from common.crypto import DecryptionError, decrypt, encrypt

# As many characters as Django's table has room for: 160 bits.
DIGEST_LENGTH = 40


class SessionStore(db.SessionStore):
    """Django's store, with the digest of the key where Django keeps the key. Used by synchronous code only."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Return a session's content, sealed."""
        return encrypt(self.serializer().dumps(session_dict).decode("latin-1"))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return a session's content, an empty one where it was sealed with a key no longer known."""
        try:
            content: dict[str, Any] = self.serializer().loads(decrypt(_text(session_data)).encode("latin-1"))
        except (DecryptionError, ValueError):
            return {}
        return content

    def exists(self, session_key: str) -> bool:
        """Tell whether there is a session of this key."""
        return super().exists(_digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Return the row of this session."""
        row = super().create_model_instance(data)
        row.session_key = _digest(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Remove this session, or that of a key."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(_digest(key))

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        found = self.model.objects.filter(session_key=_digest(self.session_key or ""), expire_date__gt=timezone.now())
        row = found.first()
        if row is None:
            self._session_key = None
        return row


def _text(kept: bytes | str) -> str:
    return kept if isinstance(kept, str) else kept.decode("latin-1")


def _digest(key: str) -> str:
    return hashlib.sha256(b"session " + key.encode()).hexdigest()[:DIGEST_LENGTH]
