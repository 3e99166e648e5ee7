"""The suite's PostgreSQL and its folder of temporary files, which end with the suite however it ends.

The plugin runs before Django reads its settings; the workers of xdist inherit the addresses. With `--reuse-db` the data folder
of a checkout is used again; else each run has a folder of its own, which is removed.

Workers and the processes of tests share compiled modules: compiling them again takes as long as a worker's whole start.
"""

import atexit
import contextlib
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import psutil
import psycopg2

from oncall_site.local import postgres

# Every process that a test starts inherits this variable, by which the reaper finds it.
SESSION_VARIABLE = "ONCALL_TEST_SESSION"
REAPER_LIMIT_SECONDS = 60
# A test's data need not survive a power cut, and its tables are too small for compiled plans and for several processes.
SERVER_SETTINGS = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "checkpoint_timeout = '1h'",
    "max_wal_size = '2GB'",
    "jit = off",
    "max_parallel_workers_per_gather = 0",
)


def _new_folder(*, keep):
    """Return a folder for this run. The server runs as a user of its own, which must be able to enter it."""
    if keep:
        checkout = zlib.crc32(str(Path(__file__).resolve().parent).encode())
        return Path(tempfile.gettempdir()) / f"oncall-tests-{os.getuid()}-{checkout:08x}"
    folder = Path(tempfile.mkdtemp(prefix="oncall-tests-"))
    folder.chmod(0o755)
    return folder


def _start(var):
    url = postgres.database_url(var=var)
    _configure(url, SERVER_SETTINGS)
    return url


def _configure(url, settings):
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        for setting in settings:
            cursor.execute(f"ALTER SYSTEM SET {setting}")
        cursor.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def durable_commits():
    """Let commits wait until they are logged, as on a real server: else a restart loses those of the last seconds."""
    url = os.environ["DATABASE_URL"]
    _configure(url, ["synchronous_commit = on"])
    yield
    _configure(url, SERVER_SETTINGS)


def _pg_ctl(data, action):
    program = shlex.split((data / "postmaster.opts").read_text())[0]
    command = [Path(program).with_name("pg_ctl"), "-D", data, "-m", "immediate", "-l", data / "log", "-w", action]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=data.stat().st_uid, cwd=data)


def restart():
    """Restart the suite's PostgreSQL while it is in use, as a crash would."""
    _pg_ctl(Path(os.environ["ONCALL_VAR"]) / "postgres", "restart")


def reap(session, folder, keep):
    """Wait until the suite's main process ends; then end what it left running and remove its folder.

    Standard input names the copies of the main process, and ends with it.
    """
    copies = sys.stdin.read().splitlines()
    data = Path(folder) / "postgres"
    if keep != "keep" and (data / "postmaster.pid").exists():
        # The main process was killed. A server that is killed too leaves shared memory behind.
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            _pg_ctl(data, "stop")
    deadline = time.monotonic() + REAPER_LIMIT_SECONDS
    while (leftovers := _processes(session, copies)) and time.monotonic() < deadline:
        for process in leftovers:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(leftovers, timeout=5)
    if keep != "keep":
        # The disks of tests/faults/test_machine.py.
        for partition in psutil.disk_partitions(all=True):
            if Path(partition.mountpoint).is_relative_to(folder):
                subprocess.run(["umount", "--lazy", partition.mountpoint], check=False)
        # A process that was just killed may still have written while the folder was being removed.
        while Path(folder).exists() and time.monotonic() < deadline:
            shutil.rmtree(folder, ignore_errors=True)
            time.sleep(0.1)


def _processes(session, copies):
    """Return the running processes that inherited the session's variable, but this one, and the copies that still run.

    A process inherits the variables when it starts another program; a copy does not.
    """
    leftovers = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            running = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
            if running and (process.environ().get(SESSION_VARIABLE) == session or _identity(process) in copies):
                leftovers.append(process)
    return leftovers


def _identity(process):
    return f"{process.pid} {process.create_time()}"


def _start_reaper(session, folder, *, keep):
    """Start the process that cleans up. It reads a pipe that closes when this process ends, even by SIGKILL."""
    command = [sys.executable, "-m", "tests.servers", session, str(folder), "keep" if keep else "remove"]
    environment = {**os.environ, "DATABASE_URL": "unused"}
    reaper = subprocess.Popen(
        command, stdin=subprocess.PIPE, start_new_session=True, env=environment, cwd=Path(__file__).parent.parent
    )

    # Functions run in reverse order at exit: the server is asked to stop before this.
    atexit.register(_wait_for, reaper)
    return reaper


def _wait_for(reaper):
    reaper.stdin.close()
    reaper.wait(REAPER_LIMIT_SECONDS)


def tell_reaper(pid):
    """Let the reaper end a copy of the main process, which has the variables of the main process's own start only."""
    if _reaper:
        _reaper.stdin.write(f"{_identity(psutil.Process(pid))}\n".encode())
        _reaper.stdin.flush()


def leave_to_main_process():
    """Close a copy's end of the pipe to the reaper, which shall wait for the main process only."""
    if _reaper:
        atexit.unregister(_wait_for)
        _reaper.stdin.close()


def _begin():
    keep = "--reuse-db" in sys.argv
    # Some machines tell Python to write no bytecode. Git ignores it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    var = _new_folder(keep=keep)
    session = secrets.token_hex(8)
    reaper = _start_reaper(session, var, keep=keep)
    if not keep:
        os.environ[SESSION_VARIABLE] = session
        os.environ["TMPDIR"] = str(var)
        tempfile.tempdir = None
    os.environ["ONCALL_VAR"] = str(var)
    try:
        os.environ["DATABASE_URL"] = _start(var)
    except RuntimeError:
        # A data folder damaged by an earlier run that was killed without fsync is worth nothing.
        shutil.rmtree(var, ignore_errors=True)
        os.environ["DATABASE_URL"] = _start(var)
    # After the start: other runs may share a reused server, so this run's reaper leaves it alone.
    os.environ[SESSION_VARIABLE] = session
    return reaper


if __name__ == "__main__":
    reap(*sys.argv[1:])
else:
    _reaper = None if "DATABASE_URL" in os.environ else _begin()
    os.environ.setdefault("SECRET_KEY", "for-tests-only-" + "x" * 50)
    os.environ.setdefault("ONCALL_VAR", tempfile.gettempdir())
    # Tests call as one person as fast as they can.
    os.environ.setdefault("FAIR_USE_PERCENT", "0")
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's own loop runs in the test's thread.
