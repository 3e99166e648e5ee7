"""Query warehouses in a subprocess that is killed at the time limit, after its query was ended on the server.

A soft limit does not fire inside a database driver, and a killed process leaves the query running on the server, so the
limit is enforced from outside (docs/reliability.md, promise 13).
"""

import atexit
import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.worker_process import NotStartedError, WorkerProcess

# A server that stops a query itself reports so within this time after the limit; then it is stopped from outside.
GRACE_SECONDS = 1.0
CANCEL_SECONDS = 2.5
IDLE_SECONDS = 60.0
MODULE = "validation.warehouse_worker"
Row = Sequence[Any]


class QueryFailedError(Exception):
    """A source cannot be reached, refuses the query, takes too long, or returns too much.

    `message` is for everybody. `details` are what the database answered, which may contain data.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(f"{message} {details}".rstrip())
        self.message = message
        self.details = details


class SourceRefusedError(QueryFailedError):
    """A data source must not be used: it is a database of this site, or its role can change data."""


@dataclass(frozen=True, slots=True)
class QueryTable:
    """Column names and first rows of a query."""

    columns: list[str]
    rows: list[Row]


# Two, so that in a process with threads a slow query does not hold up another one.
_workers = (WorkerProcess(MODULE), WorkerProcess(MODULE))
for _worker in _workers:
    atexit.register(_worker.stop)


@contextlib.contextmanager
def _free_worker() -> Iterator[WorkerProcess]:
    """Lock a free worker, or wait for one. A worker ends after a minute without a query, which frees its memory."""
    worker = next((one for one in _workers if one.lock.acquire(blocking=False)), None)
    if worker is None:
        worker = _workers[0]
        worker.lock.acquire()
    try:
        yield worker
    finally:
        worker.stop_later(seconds=IDLE_SECONDS)
        worker.lock.release()


def query_rows(
    address: str, *, query: str, seconds: float, cap: int, enough: int = sys.maxsize, is_guarded: bool = False
) -> Iterator[list[Row]]:
    """Yield the rows of a query in batches of at most a thousand; raise QueryFailedError.

    More rows than `cap` are an error; after `enough` rows, no more are read. After `seconds` the query is ended on the
    server and the subprocess is killed. Only one batch is in memory. A guarded query is refused by a database of this
    site, and for a role that can change data.
    """
    frames = _frames(address, query=query, seconds=seconds, cap=cap, enough=enough, is_guarded=is_guarded)
    return (frame["rows"] for frame in frames if "rows" in frame)


def query_table(address: str, *, query: str, seconds: float, cap: int, enough: int) -> QueryTable:
    """Return the columns and first `enough` rows of a guarded query; raise QueryFailedError as `query_rows` does."""
    table = QueryTable([], [])
    for frame in _frames(address, query=query, seconds=seconds, cap=cap, enough=enough, is_guarded=True):
        table.columns.extend(frame.get("columns", ()))
        table.rows.extend(frame.get("rows", ()))
    return QueryTable(table.columns, table.rows[:enough])


def _frames(
    address: str, *, query: str, seconds: float, cap: int, enough: int, is_guarded: bool
) -> Iterator[Mapping[str, Any]]:
    """Yield the frames with the columns and the rows of a query, as `query_rows` does."""
    request = {
        "do": "read",
        "address": address,
        "query": query,
        "seconds": seconds,
        "cap": cap,
        "enough": enough,
        "guarded": is_guarded,
    }
    with _free_worker() as worker:
        backend, is_finished = None, False
        try:
            worker.ask(request)
            until = time.monotonic() + seconds + GRACE_SECONDS
            while not is_finished:
                frame = worker.answer(until=until)
                if "rows" in frame or "columns" in frame:
                    yield frame
                elif "backend" in frame:
                    backend = frame["backend"]
                else:
                    is_finished = True
        except NotStartedError as error:
            raise QueryFailedError("The warehouse process did not start.") from error
        except TimeoutError as error:
            raise QueryFailedError(_timeout_message(seconds)) from error
        except EOFError as error:
            raise QueryFailedError(
                "The query was aborted: it used too much memory, or its process was killed."
            ) from error
        finally:
            if not is_finished:
                _cancel(worker, address, backend)
        if "problem" in frame:
            raise _error(frame, seconds)


def _cancel(worker: WorkerProcess, address: str, backend: int | None) -> None:
    """End the query on the server through another process, after the waiting process has ended."""
    worker.stop()
    if backend is None:
        return
    canceller = WorkerProcess(MODULE)
    try:
        canceller.ask({"do": "end", "address": address, "backend": backend})
        canceller.answer(until=time.monotonic() + CANCEL_SECONDS)
    except (NotStartedError, TimeoutError, EOFError):
        # The server cannot be reached: it ends the query itself, by the limit that was set when the query began.
        return
    finally:
        canceller.stop()


def _error(frame: Mapping[str, Any], seconds: float) -> QueryFailedError:
    problem = frame["problem"]
    if "refused" in frame:
        return SourceRefusedError(problem)
    timeouts = ("statement timeout", "interrupted", "canceling statement")
    if any(text in problem for text in timeouts):
        return QueryFailedError(_timeout_message(seconds))
    return QueryFailedError("The query failed.", problem) if "from_server" in frame else QueryFailedError(problem)


def _timeout_message(seconds: float) -> str:
    return f"The query took longer than its limit of {seconds:g} s and was cancelled."
