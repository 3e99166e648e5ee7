"""One limit of time for the whole of a send, also against a server that drips (reliability.md, promise 9)."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Protocol

# A send that ends while it is being cut off may still say how.
GRACE_SECONDS = 0.2


class SendTimeoutError(Exception):  # it is read as a sentence: the server was too slow
    """The other side did not take the message within the limit."""


class Connected(Protocol):
    """What holds a socket, once it is connected."""

    sock: socket.socket | None


class Deadline:
    """The end of a send: when it has passed, what was connected is cut off, and nothing more may be said."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._connected: list[Connected] = []

    def watch(self, connected: Connected) -> None:
        """Cut this connection off too when the time is over."""
        self._connected.append(connected)

    def check(self) -> None:
        """Raise SendTimeoutError where the time is over."""
        if self._over.is_set():
            raise SendTimeoutError("The time for this message is over.")

    def pass_(self) -> None:
        """End the time: from now on nothing more leaves, and whoever waits for an answer stops waiting."""
        self._over.set()
        for connected in self._connected:
            sock = getattr(connected, "sock", None)
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def within(seconds: float, do: Callable[[Deadline], None]) -> None:
    """Do something within a limit of time; raise what it raises, or TooSlow at the limit, whatever the other side does.

    It runs in a thread, since a socket's timeout bounds each read and not all of them, and a look-up of a name nothing at all.
    """
    deadline = Deadline()
    ended: list[Exception | None] = []

    def run() -> None:
        try:
            do(deadline)
        except Exception as error:  # noqa: BLE001  # it is raised again in the thread that waits
            ended.append(error)
        else:
            ended.append(None)

    thread = threading.Thread(target=run, daemon=True, name="a send")
    thread.start()
    thread.join(seconds)
    in_time = bool(ended)
    if not in_time:
        deadline.pass_()
        thread.join(GRACE_SECONDS)
    error = ended[0] if ended else SendTimeoutError()
    if error is not None and not in_time:
        # What a cut connection raises says nothing of why.
        raise SendTimeoutError(f"Nothing was settled within {seconds:g} s.")
    if error is not None:
        raise error
