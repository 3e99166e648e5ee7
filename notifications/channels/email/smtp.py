"""Django's SMTP backend with connections that can be cut off at a deadline."""

import smtplib
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

from notifications.channels.deadline import Deadline


class _Watched(smtplib.SMTP):
    """SMTP connection with a deadline. Watched before it connects, which already reads the greeting."""

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        self.deadline = deadline
        deadline.watch(self)
        super().__init__(*args, **kwargs)

    def getreply(self) -> tuple[int, bytes]:
        """Return a server reply; raise SendTimeoutError after the deadline."""
        self.deadline.check()
        return super().getreply()


class _WatchedWithTls(_Watched, smtplib.SMTP_SSL):
    """SMTP connection with implicit TLS and a deadline."""


class WatchedBackend(EmailBackend):
    """Django's SMTP backend with a deadline."""

    def __init__(self, *args: Any, deadline: Deadline | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = deadline or Deadline()

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]  # a class bound to its deadline
        """Factory for SMTP connections."""
        return partial(_WatchedWithTls if self.use_ssl else _Watched, deadline=self.deadline)
