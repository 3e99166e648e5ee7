"""Starts the real PostgreSQL of the suite before Django reads its settings; the workers of xdist inherit its address."""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

import psycopg2

from oncall_site.local import postgres

# One server a checkout, so that the suites of two may run at once.
CHECKOUT = zlib.crc32(str(Path(__file__).resolve().parent).encode())
VAR = Path(tempfile.gettempdir()) / f"oncall-tests-{os.getuid()}-{CHECKOUT:08x}"


def _start():
    url = postgres.database_url(var=VAR)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        # A test's data need not survive a power cut.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            cursor.execute(f"ALTER SYSTEM SET {setting}")
        cursor.execute("SELECT pg_reload_conf()")
    return url


def restart():
    """Restart the suite's PostgreSQL in the midst of what it does, as a crash would; only where nobody else uses it."""
    data = VAR / "postgres"
    program = shlex.split((data / "postmaster.opts").read_text())[0]
    command = [Path(program).with_name("pg_ctl"), "-D", data, "-m", "immediate", "-l", data / "log", "-w", "restart"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=data.stat().st_uid, cwd=data)


if "DATABASE_URL" not in os.environ:
    try:
        os.environ["DATABASE_URL"] = _start()
    except RuntimeError:
        # A data folder damaged by an earlier run that was killed without fsync is worth nothing: begin anew.
        shutil.rmtree(VAR, ignore_errors=True)
        os.environ["DATABASE_URL"] = _start()
os.environ.setdefault("SECRET_KEY", "for-tests-only-" + "x" * 50)
os.environ.setdefault("ONCALL_VAR", str(VAR))
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's own loop runs in the test's thread.
