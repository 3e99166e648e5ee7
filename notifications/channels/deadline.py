"""Total time limit of a send, effective against slow servers too."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Protocol

# A send that ends during cancellation can still report its error.
GRACE_SECONDS = 0.2


class SendTimeoutError(Exception):
    """The server did not accept the message in time."""


class Connected(Protocol):
    """An object with a socket once it is connected."""

    sock: socket.socket | None


class Deadline:
    """Deadline of a send. Once it has passed, connections are shut down and nothing more is sent."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._connected: list[Connected] = []

    def watch(self, connected: Connected) -> None:
        """Shut down this connection at the deadline."""
        self._connected.append(connected)

    def check(self) -> None:
        """Raise SendTimeoutError if the deadline has passed."""
        if self._over.is_set():
            raise SendTimeoutError("The time limit of this message has passed.")

    def expire(self) -> None:
        """Mark the deadline as passed and shut down all connections."""
        self._over.set()
        for connected in self._connected:
            sock = getattr(connected, "sock", None)
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def within(seconds: float, do: Callable[[Deadline], None]) -> None:
    """Run `do` with a time limit; re-raise its exception, or raise SendTimeoutError at the limit.

    It runs in a thread, because a socket's timeout applies to each read, not to all of them, and not to name resolution.
    """
    deadline = Deadline()
    results: list[Exception | None] = []

    def run() -> None:
        try:
            do(deadline)
        except Exception as error:  # noqa: BLE001  # re-raised in the waiting thread
            results.append(error)
        else:
            results.append(None)

    thread = threading.Thread(target=run, daemon=True, name="send")
    thread.start()
    thread.join(seconds)
    in_time = bool(results)
    if not in_time:
        deadline.expire()
        thread.join(GRACE_SECONDS)
    error = results[0] if results else SendTimeoutError()
    if error is not None and not in_time:
        # The error of a connection that was shut down does not name the cause.
        raise SendTimeoutError(f"No answer within {seconds:g} s.")
    if error is not None:
        raise error
