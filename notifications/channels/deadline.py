"""Total time limit of a send, effective against slow servers too."""

import contextlib
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
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

    def has_passed(self) -> bool:
        """Return True if the deadline has passed."""
        return self._over.is_set()

    def check(self) -> None:
        """Raise SendTimeoutError if the deadline has passed."""
        if self.has_passed():
            raise SendTimeoutError("The time limit of this message has passed.")

    def expire(self) -> None:
        """Mark the deadline as passed and shut down all connections."""
        self._over.set()
        for connected in self._connected:
            sock = getattr(connected, "sock", None)
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


class _Sender:
    """A thread that sends one message after another for its owner. On a busy machine, a new thread waits longer for its turn.

    It ends after its job once nothing refers to this object, such as when the owner has ended.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=_run_jobs, args=(self._jobs,), daemon=True, name="send")
        self._thread.start()

    def __del__(self) -> None:
        self._jobs.put(None)

    def is_alive(self) -> bool:
        """Return False in a forked process, which has no copy of the thread."""
        return self._thread.is_alive()

    def put(self, job: Callable[[], None]) -> None:
        """Queue `job`, which must not raise."""
        self._jobs.put(job)


def _run_jobs(jobs: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (job := jobs.get()) is not None:
        job()


# The idle sender of each thread.
_senders = threading.local()


def within(seconds: float, do: Callable[[Deadline], None]) -> None:
    """Run `do` with a time limit; re-raise its exception, or raise SendTimeoutError at the limit.

    It runs in another thread, because a socket's timeout applies to each read, not to all of them, and not to name resolution.
    """
    deadline = Deadline()
    results: SimpleQueue[Exception | None] = SimpleQueue()

    def run() -> None:
        try:
            do(deadline)
        except Exception as error:  # noqa: BLE001  # re-raised in the waiting thread
            results.put(error)
        else:
            results.put(None)

    sender = _senders.__dict__.pop("idle", None)
    if sender is None or not sender.is_alive():
        sender = _Sender()
    sender.put(run)
    try:
        error = results.get(timeout=seconds)
    except Empty:
        # The sender ends with this job, and the next message gets another.
        del sender
        deadline.expire()
        # The error of a connection that was shut down does not name the cause.
        if _wait_for_result(results, seconds=GRACE_SECONDS) is not None:
            raise SendTimeoutError(f"No answer within {seconds:g} s.") from None
        return
    _senders.idle = sender
    # Otherwise the error's traceback would keep the sender alive.
    del sender
    if error is not None:
        raise error


def _wait_for_result(results: "SimpleQueue[Exception | None]", *, seconds: float) -> Exception | None:
    """Return the next result, or SendTimeoutError if there is none in time."""
    try:
        return results.get(timeout=seconds)
    except Empty:
        return SendTimeoutError()
