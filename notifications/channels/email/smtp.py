"""SMTP connections that can be cut off at a deadline, and that send several e-mails one after another."""

import contextlib
import smtplib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

from notifications.channels.deadline import Deadline, within

# Mail servers accept 20 or more messages per connection, and wait for minutes between two.
MAX_MAILS, MAX_IDLE_SECONDS = 20, 10.0
QUIT_SECONDS = 2.0
# "421 Service not available, closing transmission channel" (RFC 5321, section 4.2.3).
CLOSING = 421


class _Watched(smtplib.SMTP):
    """SMTP connection with a deadline. Watched before it connects, which already reads the greeting."""

    # Whether the server may have the message that is being sent.
    has_sent_data = False

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        self.watch(deadline)
        super().__init__(*args, **kwargs)

    def watch(self, deadline: Deadline) -> None:
        """Apply the deadline of the next message."""
        self.deadline = deadline
        self.has_sent_data = False
        deadline.watch(self)

    def getreply(self) -> tuple[int, bytes]:
        """Return a server reply; raise SendTimeoutError after the deadline."""
        self.deadline.check()
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send a message's text."""
        self.has_sent_data = True
        return super().data(msg)


class _WatchedWithTls(_Watched, smtplib.SMTP_SSL):
    """SMTP connection with implicit TLS and a deadline."""


class WatchedBackend(EmailBackend):
    """Django's SMTP backend with a deadline."""

    connection: _Watched | None
    _partial_connection: _Watched | None

    def __init__(self, *args: Any, deadline: Deadline | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = deadline or Deadline()

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]  # a class bound to its deadline
        """Factory for SMTP connections."""
        return partial(_WatchedWithTls if self.use_ssl else _Watched, deadline=self.deadline)

    def watch(self, deadline: Deadline) -> None:
        """Apply the deadline of the next message."""
        self.deadline = deadline
        if self.connection is not None:
            self.connection.watch(deadline)

    def abort(self) -> None:
        """Close the connection without QUIT, which a failing server might not answer."""
        for connection in (self.connection, self._partial_connection):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None


class MailSession:
    """Sends the e-mails of one delivery run over one connection.

    An error closes the connection, so that a message is never affected by the one before it.
    """

    def __init__(self) -> None:
        self._backend: WatchedBackend | None = None
        self._mails = 0
        self._used_at = 0.0

    def send(self, mail: EmailMessage, *, deadline: Deadline) -> None:
        """Send an e-mail; raise what `smtplib` raises.

        If the server has closed the connection since the last message, connect again. That is safe, because it has not
        received this message.
        """
        # While a message is being sent, the connection belongs to it. If its deadline passes, the next message gets another.
        backend, self._backend = self._backend, None
        if backend is not None and not self._is_usable():
            backend.abort()
            backend = None
        if backend is not None:
            try:
                self._send(mail, backend, deadline=deadline)
            except OSError as error:
                if not _is_stale(backend, error):
                    raise
            else:
                return
            finally:
                self._abort_unless_reusable(backend)
        fresh = get_connection(deadline=deadline)
        if not isinstance(fresh, WatchedBackend):
            fresh.send_messages([mail])
            return
        self._mails = 0
        try:
            self._send(mail, fresh, deadline=deadline)
        finally:
            self._abort_unless_reusable(fresh)

    def _is_usable(self) -> bool:
        return self._mails < MAX_MAILS and time.monotonic() - self._used_at < MAX_IDLE_SECONDS

    def _send(self, mail: EmailMessage, backend: WatchedBackend, *, deadline: Deadline) -> None:
        backend.watch(deadline)
        backend.open()
        backend.send_messages([mail])
        # The server has accepted the message. If the deadline has passed since, only the connection cannot be used again.
        if not deadline.has_passed():
            self._backend, self._mails, self._used_at = backend, self._mails + 1, time.monotonic()

    def _abort_unless_reusable(self, backend: WatchedBackend) -> None:
        if self._backend is not backend:
            backend.abort()

    def close(self) -> None:
        """Quit and close the connection, if there is one."""
        backend, self._backend = self._backend, None
        if backend is None:
            return

        def close(deadline: Deadline) -> None:
            backend.watch(deadline)
            backend.close()

        # Every message was sent, so errors do not matter here.
        with contextlib.suppress(Exception):
            within(QUIT_SECONDS, close)


def _is_stale(backend: WatchedBackend, error: OSError) -> bool:
    """Return True if the server gave up the connection, rather than rejected the message, and has not received the message."""
    if backend.connection is None or backend.connection.has_sent_data:
        return False
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code == CLOSING for code, _ in error.recipients.values())
    return not isinstance(error, smtplib.SMTPResponseException) or error.smtp_code < 500


_session: ContextVar[MailSession | None] = ContextVar("mail_session", default=None)


def current_session() -> MailSession | None:
    """Return the session of the current delivery run, or None outside of one."""
    return _session.get()


@contextlib.contextmanager
def mail_session() -> Iterator[None]:
    """Send the e-mails of this block over one connection."""
    session = MailSession()
    token = _session.set(session)
    try:
        yield
    finally:
        _session.reset(token)
        session.close()
