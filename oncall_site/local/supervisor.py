"""`make run`: starts and stops the database, the web server and a worker with beat."""

import contextlib
import fcntl
import io
import os
import shlex
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import django
import psutil
from django.conf import settings
from django.core.management import call_command
from honcho.manager import Manager

MARKER = "ONCALL_RUN"
FIRST_PORT = 8000
PORTS = 50
GRACE_SECONDS = 5
READY_SECONDS = 60


def main() -> int:
    """Run the site until Ctrl-C; return the exit code of the first process that stopped."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    django.setup()
    interrupted = _handle_interrupts()
    with _single_instance(settings.VAR):
        _stop_leftovers(settings.VAR)
        say("Preparing the database …")
        call_command("migrate", verbosity=0)
        notes = io.StringIO()
        call_command("create_demo", stdout=notes)
        address = f"http://127.0.0.1:{_free_port()}"
        manager = Manager()
        for name, command in _processes(address).items():
            manager.add_process(name, command, env=_environment(address), quiet=False)
        if interrupted.is_set():
            raise KeyboardInterrupt
        threading.Thread(target=_announce, args=(address, notes.getvalue()), daemon=True).start()
        manager.loop()
    return manager.returncode or 0


def _handle_interrupts() -> threading.Event:
    """Return an event that Ctrl-C sets: Python drops a KeyboardInterrupt that is raised in a finalizer."""
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    return interrupted


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _processes(address: str) -> dict[str, str]:
    python = shlex.quote(sys.executable)
    port = address.rpartition(":")[2]
    return {
        "web": f"exec {python} -m gunicorn oncall_site.wsgi --bind 127.0.0.1:{port} --workers 2 --threads 4 --log-level warning",
        "worker": f"exec {python} -W ignore -m celery --quiet -A oncall_site worker --beat --concurrency 2 --loglevel WARNING",
    }


def _environment(address: str) -> dict[str, str]:
    """Return the environment of the processes, with a marker by which a later start finds them."""
    return {
        **os.environ,
        "DATABASE_URL": settings.DATABASE_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "SITE_URL": address,
        "ONCALL_VAR": str(settings.VAR),
        MARKER: str(settings.VAR),
    }


@contextlib.contextmanager
def _single_instance(var: Path) -> Iterator[None]:
    with (var / "run.lock").open("w") as lock:
        try:
            # A POSIX record lock: child processes do not inherit it and cannot hold it after a kill.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            sys.exit(f"The site is already running from {var}. Stop it first, or set ONCALL_VAR to another folder.")
        yield


def _stop_leftovers(var: Path) -> None:
    """Stop the processes that a killed supervisor left running, found by their marker."""
    leftovers = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARKER) == str(var):
                leftovers.append(process)
    for process in leftovers:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(leftovers, timeout=GRACE_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    if leftovers:
        say(f"Stopped {len(leftovers)} processes of an earlier run.")


def _free_port() -> int:
    chosen = settings.PORT
    for port in [chosen] if chosen else range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    sys.exit(f"Port {chosen} is in use. Choose another: PORT=8123 make run" if chosen else "No free port found.")


def _announce(address: str, notes: str) -> None:
    """Wait until the site responds, then print its URL and the new passwords of the demo."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310  # nosec B310  # our own server
                break
        except OSError:
            time.sleep(0.2)
    else:
        say(f"The site did not respond at {address}/ within {READY_SECONDS} s. See its output above.")
        return
    say(f"{notes}\nThe site is running at {address}/\nPress Ctrl-C to stop it. Its data stays in {settings.VAR}.")


if __name__ == "__main__":
    sys.exit(main())
