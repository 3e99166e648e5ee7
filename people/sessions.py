"""Database sessions with hashed keys and encrypted contents, so that a dump cannot be used to sign in."""

import datetime as dt
import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from common.crypto import DecryptionError, decrypt, encrypt
from common.db import CompiledQuery

# Length of the key column in Django's table: 160 bits.
DIGEST_LENGTH = 40
# A session in use is extended at most this often, which saves a write on every request.
EXTENSION_INTERVAL = dt.timedelta(days=1)
SESSION_COLUMNS = ["session_key", "session_data", "expire_date"]
# Placeholders for the values in the compiled statement.
ANY_KEY, ANY_TIME = "key", dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
SESSION_QUERY = CompiledQuery(
    lambda: Session.objects.filter(session_key=ANY_KEY, expire_date__gt=ANY_TIME).values_list(*SESSION_COLUMNS),
    placeholders=(ANY_KEY, ANY_TIME),
)


class SessionStore(db.SessionStore):
    """Session store that saves the key's digest. For synchronous code only."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Return the encrypted session data."""
        return encrypt(self.serializer().dumps(session_dict).decode("latin-1"))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return the decrypted session data, empty if it cannot be decrypted."""
        try:
            content: dict[str, Any] = self.serializer().loads(decrypt(_text(session_data)).encode("latin-1"))
        except (DecryptionError, ValueError):
            return {}
        return content

    def exists(self, session_key: str) -> bool:
        """Return True if a session with this key exists."""
        return super().exists(_digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Return the database row for the session, with a hashed key."""
        row = super().create_model_instance(data)
        row.session_key = _digest(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session with this key, by default the current one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(_digest(key))

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        values = SESSION_QUERY.fetch_one(_digest(self.session_key or ""), timezone.now())
        if values is None:
            self._session_key = None
            return None
        row = Session.from_db(connection.alias, SESSION_COLUMNS, values)
        if row.expire_date - timezone.now() < dt.timedelta(seconds=self.get_session_cookie_age()) - EXTENSION_INTERVAL:
            # The middleware saves a modified session with a new expiry, and sends the cookie again.
            self.modified = True
        return row


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("latin-1")


def _digest(key: str) -> str:
    return hashlib.sha256(b"session " + key.encode()).hexdigest()[:DIGEST_LENGTH]
