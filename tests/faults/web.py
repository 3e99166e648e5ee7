"""Real web processes on the test's database."""

import contextlib
import os
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.faults.caller import close_callers
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def database_url():
    """Return the address of the database that Django uses now: the test's own, not the one in the settings."""
    parts = urllib.parse.urlsplit(settings.DATABASE_URL)
    return parts._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def answers(port):
    """Return True if something listens at the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60):
        return True
    return False


@contextlib.contextmanager
def web(*, workers=4, threads=6, front=False, application="oncall_site.wsgi", **environment):
    """Run gunicorn with real processes on the database in use; yield its host and port.

    With `front` it runs as `make run` and Docker run it, behind nginx.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "PYTHONWARNINGS": "ignore",
        "DJANGO_SETTINGS_MODULE": "oncall_site.settings",
        "LOG_LEVEL": "ERROR",
        "LOG_FORMAT": "line",
        **environment,
    }
    # Without the front, the code is loaded once for all processes.
    program = ["oncall_site.web_server"] if front else ["gunicorn", application, "--preload"]
    command = [sys.executable, "-m", *program, "--bind", f"127.0.0.1:{port}"]
    sizes = ["--workers", str(workers), "--threads", str(threads), "--log-level", "error", "--timeout", "60"]
    process = subprocess.Popen([*command, *sizes], cwd=ROOT, env=variables)
    try:
        wait_until(lambda: process.poll() is not None or answers(port), why="gunicorn does not answer")
        assert process.poll() is None, "gunicorn stopped"
        yield "127.0.0.1", port
    finally:
        close_callers()
        process.terminate()
        process.wait()
