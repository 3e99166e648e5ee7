"""The subprocess that queries warehouses: `python -m validation.warehouse_worker`. It imports no Django and may be killed.

It reads requests as JSON frames until its input ends. It answers each with the ID of the server's backend process, then
the columns, then batches of rows, then their number or the problem. An answer never contains the address.
"""

import datetime as dt
import decimal
import os
import re
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection, CursorResult, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from common.worker_process import read_frame, send_frame, start_worker

BATCH_ROWS = 1000
MAX_CELL_LENGTH = 1000
MAX_PROBLEM_LENGTH = 300
CONNECT_SECONDS = 10
# The name of our connections in the server's list of connections.
APPLICATION_NAME = "oncall-site check"
# Statements that return the ID of this connection's backend process, and that end one.
BACKEND_ID = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT connection_id()",
    "mariadb": "SELECT connection_id()",
}
# The tables by which a database of this site is recognised, whatever its address, also if it is a copy.
POSTGRESQL_GUARD = """
SELECT
  (SELECT count(DISTINCT relname) FROM pg_class WHERE relname IN ('people_user', 'validation_datasource')) = 2,
  (SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user)
  OR EXISTS (
    SELECT FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'f') AND relpersistence <> 't'
    AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))
    AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
  )
"""
WRITING_GRANT = re.compile(r"\b(?:ALL|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FILE|SUPER|GRANT OPTION)\b")
END_BACKEND = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}", "mariadb": "KILL {}"}


def main() -> None:
    """Answer requests until the input or the parent process ends."""
    threading.Thread(target=_exit_with_parent, args=(os.getppid(),), daemon=True).start()
    start_worker()
    while (request := read_frame(sys.stdin.buffer)) is not None:
        address = request["address"]
        try:
            if request["do"] == "end":
                _end_backend(address, int(request["backend"]))
                send_frame({"done": 0})
            else:
                _read(
                    address,
                    query=request["query"],
                    seconds=request["seconds"],
                    cap=request["cap"],
                    enough=request["enough"],
                    is_guarded=request["guarded"],
                )
        except (SQLAlchemyError, sqlite3.Error, MemoryError, ImportError, ValueError, OSError) as error:
            send_frame({"problem": _problem(error, address), "from_server": True})


def _exit_with_parent(parent: int) -> None:
    """Exit when the parent process has ended, so that no query outlives its run."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def parse_address(address: str) -> URL:
    """Return an address as a URL with the installed driver; raises what SQLAlchemy raises for an invalid one."""
    url = make_url(address)
    # Without a driver in the URL, SQLAlchemy uses psycopg 3, which is not installed. "postgres" is an old name.
    return url.set(drivername="postgresql+psycopg2") if url.drivername in ("postgres", "postgresql") else url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        path = f"file:{quote(url.database or '')}?mode=ro"
        return create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(path, uri=True, timeout=CONNECT_SECONDS, check_same_thread=False),
            poolclass=NullPool,
        )
    options = {"connect_timeout": CONNECT_SECONDS} if url.get_backend_name() in BACKEND_ID else {}
    return create_engine(url, connect_args=options, poolclass=NullPool)


def _read(address: str, *, query: str, seconds: float, cap: int, enough: int, is_guarded: bool) -> None:
    url = parse_address(address)
    kind = url.get_backend_name()
    with _engine(url).connect() as connection:
        timer = _set_limits(connection, kind=kind, seconds=seconds)
        backend = connection.exec_driver_sql(BACKEND_ID[kind]).scalar() if kind in BACKEND_ID else None
        connection.rollback()
        send_frame({"backend": backend})
        refusal = _refusal(connection, kind=kind) if is_guarded else ""
        if refusal:
            send_frame({"problem": refusal, "refused": True})
            return
        connection.rollback()
        streamed = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS, no_parameters=True)
        try:
            with closing(streamed.exec_driver_sql(query)) as result:
                send_frame({"columns": [str(name)[:MAX_CELL_LENGTH] for name in result.keys()]})  # noqa: SIM118  # not a dict
                send_frame(_send_rows(result, cap=cap, enough=enough))
        finally:
            if timer:
                timer.cancel()


def _refusal(connection: Connection, *, kind: str) -> str:
    """Return why a data source must not be used: it is a database of this site, or its role can change data."""
    if kind == "postgresql":
        is_site, can_write = connection.exec_driver_sql(POSTGRESQL_GUARD).one()
        if is_site:
            return "This is the database of an on-call site, which cannot be a data source."
    elif kind in BACKEND_ID:
        can_write = grants_writing([str(row[0]) for row in connection.exec_driver_sql("SHOW GRANTS")])
    else:  # SQLite files are opened read-only
        return ""
    return "This role can change data. Use a role that can only read." if can_write else ""


def grants_writing(grants: Iterable[str]) -> bool:
    """Return True if a line of MySQL's SHOW GRANTS allows changes."""
    return any(WRITING_GRANT.search(grant.partition(" ON ")[0]) for grant in grants)


def _send_rows(result: CursorResult[Any], *, cap: int, enough: int) -> dict[str, object]:
    """Send rows in batches, as they arrive, until there are `enough`; return the final frame."""
    count = 0
    for rows in result.partitions(BATCH_ROWS):
        count += len(rows)
        if count > cap:
            return {"problem": f"The query returns more than {cap:,} rows."}
        send_frame({"rows": [[_cell(cell) for cell in row] for row in rows]})
        if count >= enough:
            break
    return {"done": count}


def _set_limits(connection: Connection, *, kind: str, seconds: float) -> threading.Timer | None:
    """Make the connection read-only and time-limited on the server; return a timer if the server has no limit."""
    if kind == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        driver: Any = connection.connection.driver_connection
        timer = threading.Timer(seconds, driver.interrupt)
        timer.daemon = True
        timer.start()
        return timer
    if kind == "postgresql":
        connection.exec_driver_sql(f"SET application_name = '{APPLICATION_NAME}'")
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.exec_driver_sql(f"SET statement_timeout = {int(seconds * 1000)}")
        connection.commit()
        with suppress(SQLAlchemyError):  # from version 14 on
            connection.exec_driver_sql("SET client_connection_check_interval = 1000")
            connection.commit()
        connection.rollback()
    elif kind in BACKEND_ID:
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.commit()
    return None


def _end_backend(address: str, backend: int) -> None:
    url = parse_address(address)
    with _engine(url).connect() as connection:
        connection.exec_driver_sql(END_BACKEND[url.get_backend_name()].format(backend))


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dt.date | dt.time):  # instants too
        return value.isoformat()
    return str(value)[:MAX_CELL_LENGTH]


def _problem(error: Exception, address: str) -> str:
    """Return the first line of an error message, without any part of the address."""
    message = str(getattr(error, "orig", None) or error).strip().partition("\n")[0] or "The query failed."
    try:
        url = make_url(address)
    except SQLAlchemyError:
        return "Invalid database URL."
    for secret in (address, url.password, url.username, url.host, url.database):
        if secret:
            message = message.replace(str(secret), "…")
    return message[:MAX_PROBLEM_LENGTH]


if __name__ == "__main__":
    main()
