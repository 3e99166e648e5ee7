"""Asks warehouses in a process of its own, which imports no Django and may be killed: `python -m validation.warehouse_worker`.

Frames of JSON in, frames of JSON out, until its input ends. A question is answered with the number of the server's backend, then
rows in parts, then how many there were, or what the problem is. An address never stands in an answer.
"""

import datetime as dt
import decimal
import os
import sqlite3
import sys
import threading
import time
from contextlib import closing, suppress
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection, CursorResult, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from common.worker_process import read_frame, send_frame, start_worker

PART = 1000
LONGEST_CELL = 1000
CONNECT_SECONDS = 10
# How the server's own list of connections names ours.
NAMED = "oncall-site check"
# How a server is asked which backend this is, and to end one.
BACKEND = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT connection_id()",
    "mariadb": "SELECT connection_id()",
}
END = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}", "mariadb": "KILL {}"}


def main() -> None:
    """Answer questions until the input ends or the parent does."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    start_worker()
    while (asked := read_frame(sys.stdin.buffer)) is not None:
        address = asked["address"]
        try:
            if asked["do"] == "end":
                _end_backend(address, int(asked["backend"]))
                send_frame({"done": 0})
            else:
                _read(address, query=asked["query"], seconds=asked["seconds"], most=(asked["cap"], asked["enough"]))
        except (SQLAlchemyError, sqlite3.Error, MemoryError, ImportError, ValueError, OSError) as error:
            send_frame({"problem": _problem(error, address)})


def _end_with(parent: int) -> None:
    """End this process when its parent has ended: a query must not outlive who asked."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def url_of(address: str) -> URL:
    """Return an address with the driver that is there; raise what SQLAlchemy raises for one that it cannot read."""
    url = make_url(address)
    # SQLAlchemy means psycopg 3 where an address names no driver; some name PostgreSQL in its old way.
    return url.set(drivername="postgresql+psycopg2") if url.drivername in ("postgres", "postgresql") else url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        path = f"file:{quote(url.database or '')}?mode=ro"
        return create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(path, uri=True, timeout=CONNECT_SECONDS, check_same_thread=False),
            poolclass=NullPool,
        )
    options = {"connect_timeout": CONNECT_SECONDS} if url.get_backend_name() in BACKEND else {}
    return create_engine(url, connect_args=options, poolclass=NullPool)


def _read(address: str, *, query: str, seconds: float, most: tuple[int, int]) -> None:
    url = url_of(address)
    kind = url.get_backend_name()
    with _engine(url).connect() as connection:
        timer = _limit(connection, kind=kind, seconds=seconds)
        backend = connection.exec_driver_sql(BACKEND[kind]).scalar() if kind in BACKEND else None
        connection.rollback()
        send_frame({"backend": backend})
        streamed = connection.execution_options(stream_results=True, max_row_buffer=PART, no_parameters=True)
        try:
            with closing(streamed.exec_driver_sql(query)) as result:
                send_frame(_told(result, cap=most[0], enough=most[1]))
        finally:
            if timer:
                timer.cancel()


def _told(result: CursorResult[Any], *, cap: int, enough: int) -> dict[str, object]:
    """Write rows part by part, as they come, until there are `enough`; return how it ended."""
    count = 0
    for rows in result.partitions(PART):
        count += len(rows)
        if count > cap:
            return {"problem": f"The query returns more than {cap:,} rows."}
        send_frame({"rows": [[_cell(cell) for cell in row] for row in rows]})
        if count >= enough:
            break
    return {"done": count}


def _limit(connection: Connection, *, kind: str, seconds: float) -> threading.Timer | None:
    """Let the server itself read only, stop at the limit, and notice when nobody listens any more; return our own clock, if any."""
    if kind == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        held: Any = connection.connection.driver_connection
        timer = threading.Timer(seconds, held.interrupt)
        timer.daemon = True
        timer.start()
        return timer
    if kind == "postgresql":
        connection.exec_driver_sql(f"SET application_name = '{NAMED}'")
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.exec_driver_sql(f"SET statement_timeout = {int(seconds * 1000)}")
        connection.commit()
        with suppress(SQLAlchemyError):  # from version 14 on
            connection.exec_driver_sql("SET client_connection_check_interval = 1000")
            connection.commit()
        connection.rollback()
    elif kind in BACKEND:
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.commit()
    return None


def _end_backend(address: str, backend: int) -> None:
    url = url_of(address)
    with _engine(url).connect() as connection:
        connection.exec_driver_sql(END[url.get_backend_name()].format(backend))


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dt.date | dt.time):  # instants too
        return value.isoformat()
    return str(value)[:LONGEST_CELL]


def _problem(error: Exception, address: str) -> str:
    """Return the first line of what went wrong, without anything of the address."""
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0] or type(error).__name__
    try:
        url = make_url(address)
    except SQLAlchemyError:
        return "The address cannot be read."
    for secret in (address, url.password, url.username, url.host, url.database):
        if secret:
            said = said.replace(str(secret), "…")
    return said[:300]


if __name__ == "__main__":
    main()
