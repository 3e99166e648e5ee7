"""Has a warehouse asked in a process that is killed at its limit, after its backend was ended on the server (promise 13).

A soft limit does not fire inside a driver, and a killed process leaves the server at work: so the limit is kept from outside.
"""

import atexit
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from common.worker_process import NotStartedError, WorkerProcess

# A server that stops a query itself says so within this time after the limit; then it is stopped from outside.
GRACE_SECONDS = 1.0
END_SECONDS = 2.5
MODULE = "validation.warehouse_worker"
Row = Sequence[Any]


class QueryFailedError(Exception):
    """A source cannot be reached, refuses the query, takes too long, or returns too much; the message says which."""


_worker = WorkerProcess(MODULE)
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
        except NotStartedError as error:
            raise QueryFailedError("The process that asks warehouses does not start.") from error
        except TimeoutError as error:
            raise QueryFailedError(_too_long(seconds)) from error
        except EOFError as error:
            raise QueryFailedError(
                "The query was given up: it took too much memory, or its process was killed."
            ) from error
        finally:
            if not over:
                _give_up(address, backend)
        if "problem" in said:
            raise QueryFailedError(_in_words(said["problem"], seconds))


def _give_up(address: str, backend: int | None) -> None:
    """End the query on the server by a second process, then the process that waits for it."""
    _worker.stop()
    if backend is None:
        return
    ending = WorkerProcess(MODULE)
    try:
        ending.ask({"do": "end", "address": address, "backend": backend})
        ending.answer(until=time.monotonic() + END_SECONDS)
    except (NotStartedError, TimeoutError, EOFError):
        # The server is not to be reached: it ends the query itself, by the limit it was given when the query began.
        return
    finally:
        ending.stop()


def _in_words(problem: str, seconds: float) -> str:
    stopped = ("statement timeout", "interrupted", "canceling statement")
    return _too_long(seconds) if any(words in problem for words in stopped) else problem


def _too_long(seconds: float) -> str:
    return f"The query took longer than its limit of {seconds:g} s and was cancelled."
