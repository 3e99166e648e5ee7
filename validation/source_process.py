"""Has a warehouse asked in a process that is killed at its limit, after its backend was ended on the server (promise 13).

A soft limit does not fire inside a driver, and a killed process leaves the server at work: so the limit is kept from outside.
"""

import atexit
import json
import os
import select
import subprocess  # nosec B404  # our own modules only, never a shell
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from validation.source_worker import HEADER, frame

START_SECONDS = 20.0
# A server that stops a query itself says so within this time after the limit; then it is stopped from outside.
GRACE_SECONDS = 1.0
END_SECONDS = 2.5
ROOT = Path(__file__).resolve().parent.parent
Row = Sequence[Any]


class SourceFailed(Exception):  # noqa: N818  # it is read as a sentence: the source failed
    """A source cannot be reached, refuses the query, takes too long, or returns too much; the message says which."""


class _Late(Exception):  # noqa: N818  # it says when
    """The limit has passed."""


class _Worker:
    """One asking process, started at its first question and again after it was killed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0

    def ask(self, asked: dict[str, Any]) -> None:
        """Send a question; a process that died while it was idle is started anew."""
        for attempt in (1, 2):
            pipe = self._running().stdin
            try:
                if pipe is not None:
                    pipe.write(frame(asked))
                    pipe.flush()
            except BrokenPipeError:
                self.stop()
                if attempt == 2:
                    raise SourceFailed("The process that asks warehouses does not start.") from None
            else:
                return

    def answer(self, *, until: float) -> Any:
        """Return the next frame; raise _Late at the limit, EOFError where the process has ended."""
        header = self._bytes(HEADER.size, until=until)
        return json.loads(self._bytes(HEADER.unpack(header)[0], until=until))

    def stop(self) -> None:
        """End the process, if it is this process's own."""
        process, self.process = self.process, None
        if process is None:
            return
        if self.owner != os.getpid():
            # Inherited through a fork: it answers our parent, and is not ours to stop.
            process.returncode = 0
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is not None and (self.owner != os.getpid() or self.process.poll() is not None):
            self.stop()
        if self.process is None:
            self.owner = os.getpid()
            self.process = subprocess.Popen(  # nosec B603  # our own module, no shell
                [sys.executable, "-m", "validation.source_worker"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            )
            try:
                self.answer(until=time.monotonic() + START_SECONDS)
            except (_Late, EOFError) as error:
                self.stop()
                raise SourceFailed("The process that asks warehouses does not start.") from error
        return self.process

    def _bytes(self, size: int, *, until: float) -> bytes:
        if self.process is None or self.process.stdout is None:
            raise EOFError
        data = b""
        while len(data) < size:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise _Late
            chunk = os.read(self.process.stdout.fileno(), size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data


_worker = _Worker()
atexit.register(_worker.stop)


def rows_of(address: str, *, query: str, seconds: float, cap: int, enough: int = sys.maxsize) -> Iterator[list[Row]]:
    """Yield what a query returns, in parts of a thousand rows at most; raise SourceFailed.

    More rows than `cap` are an error; once there are `enough`, no more are read. After `seconds` the query is ended on the server and the process that asked is killed. Nothing is held but the part at hand.
    """
    asked = {"do": "read", "address": address, "query": query, "seconds": seconds, "cap": cap, "enough": enough}
    with _worker.lock:
        backend, over = None, False
        try:
            _worker.ask(asked)
            until = time.monotonic() + seconds + GRACE_SECONDS
            while True:
                said = _worker.answer(until=until)
                if "rows" in said:
                    yield said["rows"]
                elif "backend" in said:
                    backend = said["backend"]
                else:
                    over = True
                    break
        except _Late as error:
            raise SourceFailed(_too_long(seconds)) from error
        except EOFError as error:
            raise SourceFailed("The query was given up: it took too much memory, or its process was killed.") from error
        finally:
            if not over:
                _give_up(address, backend)
        if "problem" in said:
            raise SourceFailed(_in_words(said["problem"], seconds))


def _give_up(address: str, backend: int | None) -> None:
    """End the query on the server by a second process, then the process that waits for it."""
    _worker.stop()
    if backend is None:
        return
    ending = _Worker()
    try:
        ending.ask({"do": "end", "address": address, "backend": backend})
        ending.answer(until=time.monotonic() + END_SECONDS)
    except (SourceFailed, _Late, EOFError):
        # The server is not to be reached: it ends the query itself, by the limit it was given when the query began.
        return
    finally:
        ending.stop()


def _in_words(problem: str, seconds: float) -> str:
    stopped = ("statement timeout", "interrupted", "canceling statement")
    return _too_long(seconds) if any(words in problem for words in stopped) else problem


def _too_long(seconds: float) -> str:
    return f"The query took longer than its limit of {seconds:g} s and was cancelled."
