"""`make run`: starts the database, the web server, a worker and beat, restarts what dies, and stops all of it."""

import contextlib
import fcntl
import io
import os
import shlex
import signal
import socket
import subprocess  # nosec B404  # our own commands only, never a shell
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import django
import psutil
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from oncall_site.local import postgres

MARKER = "ONCALL_RUN"
# nginx overwrites its environment, and with it the marker.
NGINX_PID = "nginx.pid"
FIRST_PORT = 8000
PORTS = 50
GRACE_SECONDS = 8
READY_SECONDS = 120
POLL_SECONDS = 0.5
# A process that dies again and again is restarted after 1, 2, 4 … seconds, and at once after it ran for a minute.
MAX_RESTART_DELAY_SECONDS = 30
STABLE_SECONDS = 60


def main() -> int:
    """Run the site until Ctrl-C; return the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    stopped = _handle_signals()
    try:
        django.setup()
        _run(stopped)
    except KeyboardInterrupt:
        return 130 if stopped.is_set() else 1
    except (ImproperlyConfigured, postgres.LocalSetupError) as error:
        sys.exit(str(error))
    except DatabaseError as error:
        if not postgres.is_full_disk(error):
            raise
        sys.exit(postgres.full_disk(_folder()))
    except OSError as error:
        sys.exit(postgres.storage_problem(error, var=_folder()))
    return 0


def _folder() -> Path:
    """Return the site's folder, not from the settings: they may be what failed."""
    return Path(os.environ.get("ONCALL_VAR", "var")).resolve()


def _run(stopped: threading.Event) -> None:
    from django.conf import settings  # noqa: PLC0415  # importing the settings starts the database
    from django.core.management import call_command  # noqa: PLC0415  # as above

    var = settings.VAR
    with single_instance(var):
        processes: list[SupervisedProcess] = []
        try:
            _stop_leftovers(var)
            say("Preparing the database …")
            call_command("migrate", verbosity=0)
            notes = io.StringIO()
            call_command("create_demo", stdout=notes)
            address = f"http://127.0.0.1:{_free_port(settings.PORT)}"
            environment = {
                **os.environ,
                "DATABASE_URL": settings.DATABASE_URL,
                "SECRET_KEY": settings.SECRET_KEY,
                "SITE_URL": address,
                "ONCALL_VAR": str(var),
                "LOG_FORMAT": settings.LOG_FORMAT,
                "PYTHONUNBUFFERED": "1",
                MARKER: str(var),
            }
            commands = _commands(address, var=var)
            processes += [SupervisedProcess(name, line, environment) for name, line in commands.items()]
            for process in processes:
                process.start()
            threading.Thread(target=_announce, args=(address, notes.getvalue(), var), daemon=True).start()
            while not stopped.wait(POLL_SECONDS):
                if not postgres.is_running(var=var):
                    _restart_postgres(stopped, var=var)
                for process in processes:
                    process.check()
        finally:
            # A second Ctrl-C must not leave anything running.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if processes:
                say("Stopping …")
            _stop([process.pid for process in processes if process.pid])
            postgres.stop(var=var)


def _restart_postgres(stopped: threading.Event, *, var: Path) -> None:
    """Restart PostgreSQL, however long it takes: what keeps it from starting, such as a full disk, may end."""
    say("PostgreSQL stopped. Restarting it.")
    reported = ""
    while not stopped.is_set():
        try:
            if not postgres.is_running(var=var):
                postgres.restart(var=var)
            postgres.check_connection(var=var)
        except postgres.LocalSetupError as error:
            if str(error) != reported:
                reported = str(error)
                say(f"{reported}\nTrying again every {MAX_RESTART_DELAY_SECONDS} s.")
            stopped.wait(MAX_RESTART_DELAY_SECONDS)
        else:
            say("PostgreSQL is running again.")
            return


def _handle_signals() -> threading.Event:
    """Return an event that is set by Ctrl-C, SIGTERM and SIGHUP: Python drops a KeyboardInterrupt raised in a finalizer."""
    stopped = threading.Event()

    def interrupt(*_: object) -> None:
        stopped.set()
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    return stopped


def say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


class SupervisedProcess:
    """A process of the site; its output is printed line by line with its name."""

    def __init__(self, name: str, command: str, environment: dict[str, str]) -> None:
        self.name = name
        self.command = shlex.split(command)
        self.environment = environment
        self.delay = 0
        self.started_at = 0.0
        self.restart_at = 0.0
        self.process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The process ID, or None if it is not running."""
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  # nosec B603  # our own command, no shell
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._print_output, args=(self.process,), daemon=True).start()

    def _print_output(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None  # noqa: S101  # nosec B101  # it is a pipe
        for line in process.stdout:
            say(f"{self.name:<6} | {line.rstrip()}")

    def check(self) -> None:
        """If the process died, print why and restart it after a delay."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            reason = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
            self.delay = (
                1 if now - self.started_at > STABLE_SECONDS else min(self.delay * 2 or 1, MAX_RESTART_DELAY_SECONDS)
            )
            say(f"The {self.name} process {reason}. Restarting it in {self.delay} s.")
            _stop_session(self.process.pid)
            self.process, self.restart_at = None, now + self.delay
        if self.process is None and now >= self.restart_at:
            self.start()


def _session(leader: int) -> list[int]:
    """Return the processes that a dead session leader left behind."""
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != leader and os.getsid(process.pid) == leader:
                members.append(process.pid)
    return members


def _stop_session(leader: int) -> None:
    """Stop the processes that a dead session leader left behind, and those that they start meanwhile."""
    while members := _session(leader):
        _stop(members)


def _stop(pids: list[int]) -> None:
    """Terminate processes and their children; kill those that do not end in time."""
    processes: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(pid)
            processes += [parent, *parent.children(recursive=True)]
    for process in processes:
        # Children of a master that handles the signal end with it.
        if process.pid in pids:
            with contextlib.suppress(psutil.Error):
                process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=GRACE_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=GRACE_SECONDS)


def _commands(address: str, *, var: Path) -> dict[str, str]:
    python = shlex.quote(sys.executable)
    web = f"--bind 127.0.0.1:{address.rpartition(':')[2]} --pid-file {shlex.quote(str(var / NGINX_PID))}"
    celery = f"{python} -W ignore -m celery --quiet -A oncall_site"
    return {
        "web": f"{python} -W ignore -m oncall_site.web_server {web} --workers 2 --threads 8 --log-level warning",
        "worker": f"{celery} worker --concurrency 2 --loglevel WARNING",
        "beat": f"{celery} beat --loglevel WARNING --pidfile=",
    }


@contextlib.contextmanager
def single_instance(var: Path) -> Iterator[None]:
    """Hold the lock of the running site; exit with a sentence if another process holds it."""
    with (var / "run.lock").open("w") as lock:
        try:
            # A POSIX record lock: child processes do not inherit it and cannot hold it after a kill.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            sys.exit(f"The site is already running from {var}. Stop it first, or set ONCALL_VAR to another folder.")
        yield


def _stop_leftovers(var: Path) -> None:
    """Stop the processes that a killed supervisor left running, found by their marker or, for nginx, its process group."""
    group, leftovers = _nginx_group(var), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            is_marked = process.environ().get(MARKER) == str(var)
            is_nginx = process.name().startswith("nginx") and os.getpgid(process.pid) == group
            if process.pid != os.getpid() and (is_marked or is_nginx):
                leftovers.append(process.pid)
    _stop(leftovers)
    if leftovers:
        say(f"Stopped {len(leftovers)} processes of an earlier run.")


def _nginx_group(var: Path) -> int | None:
    """Return the process group of the last nginx, from a file that exists until nginx exits normally."""
    with contextlib.suppress(OSError, ValueError):
        return int((var / NGINX_PID).read_text())
    return None


def _free_port(chosen: int) -> int:
    for port in [chosen] if chosen else range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    if chosen:
        sys.exit(f"Port {chosen} is in use or not allowed. Choose another: PORT=8123 make run")
    sys.exit(f"No free port between {FIRST_PORT} and {FIRST_PORT + PORTS - 1}. Choose one: PORT=9000 make run")


def _announce(address: str, notes: str, var: Path) -> None:
    """Wait until the site responds, then print its URL and the new passwords of the demo."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310  # nosec B310  # our own server
                break
        except OSError:
            time.sleep(0.2)
    else:
        say(f"The site did not respond at {address}/ within {READY_SECONDS} s. See its output above.\n{notes}")
        return
    say(f"{notes}\nThe site is running at {address}/\nPress Ctrl-C to stop it. Its data stays in {var}.")


if __name__ == "__main__":
    sys.exit(main())
