"""`make run`: starts the database, the web server and a worker, restarts processes that die, and stops them all.

The processes are copies of this one, which has loaded everything: they start at once and share its memory
(docs/adr/0041). This process has one thread, so that a copy never inherits a held lock.
"""

import contextlib
import fcntl
import gc
import io
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import django
import psutil
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from oncall_site.local import postgres, programs
from oncall_site.web_server import find_nginx

RUN_VARIABLE = "ONCALL_RUN"
FIRST_PORT = 8000
PORT_ATTEMPTS = 50
GRACE_SECONDS = 8
READY_SECONDS = 120
# The pause between looks at the processes: while something starts or if the system cannot report their end, and otherwise.
POLL_SECONDS, REST_SECONDS = 0.5, 60.0
ANSWER_SECONDS = 1
# A process that dies again and again is restarted after 1, 2, 4 … seconds, and at once after it ran for a minute.
MAX_RESTART_DELAY_SECONDS = 30
STABLE_SECONDS = 60
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The output of processes is read in chunks of this size.
OUTPUT_BYTES = 1 << 16


def main() -> int:
    """Run the site until Ctrl-C; return the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    var = _folder()
    if os.environ.get(RUN_VARIABLE) != str(var):
        # Processes are found by a variable that they were started with. The settings read the others.
        os.execve(sys.executable, [sys.executable, "-m", __spec__.name], {**os.environ, **_environment(var)})  # noqa: S606  # nosec B606  # our own command
    # The system still shows it for copies, which pass it on to what they start. PostgreSQL, which this process starts itself,
    # must not have it.
    del os.environ[RUN_VARIABLE]
    stopped = _handle_signals()
    try:
        programs.metrics_folder(var).mkdir(parents=True, exist_ok=True)
        # Before the site is loaded, so that a second start is refused at once.
        with single_instance(var):
            django.setup()
            # Until everything is loaded, the garbage collector would repeatedly scan objects that stay.
            gc.disable()
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
    return Path(os.environ.get("ONCALL_VAR", Path(__file__).parents[2] / "var")).resolve()


def _environment(var: Path) -> dict[str, str]:
    """Return the variables of the site's processes."""
    port = os.environ.get("PORT", "")
    chosen = int(port) if port.isascii() and port.isdigit() else 0
    # Errors of the port are reported later, by the settings or when it is used.
    with contextlib.suppress(SystemExit, OverflowError):
        chosen = _free_port(chosen)
    return {
        RUN_VARIABLE: str(var),
        "ONCALL_VAR": str(var),
        "SITE_URL": f"http://127.0.0.1:{chosen}",
        "BEHIND_FRONT": "1" if find_nginx() else "",
        "PROMETHEUS_MULTIPROC_DIR": str(programs.metrics_folder(var)),
        "PYTHONUNBUFFERED": "1",
    }


def _run(stopped: threading.Event) -> None:
    from django.conf import settings  # noqa: PLC0415  # importing the settings starts the database
    from django.core.management import call_command  # noqa: PLC0415  # as above

    var = settings.VAR
    processes: list[SupervisedProcess] = []
    try:
        _stop_leftovers(var)
        programs.make_metrics_folder(var)
        say("Preparing the database …")
        call_command("migrate", verbosity=0)
        notes = io.StringIO()
        call_command("create_demo", stdout=notes)
        _free_port(settings.PORT)
        for name, program in programs.site_programs(settings.SITE_URL).items():
            processes.append(SupervisedProcess(name, program))
        programs.load_everything()
        _supervise(processes, stopped, announcement=Announcement(settings.SITE_URL, notes.getvalue(), var), var=var)
    finally:
        # A second Ctrl-C must not leave anything running.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if processes:
            say("Stopping …")
        _stop([process.pid for process in processes if process.pid])
        for process in processes:
            process.read_output()
        programs.remove_folders(var=var)
        postgres.stop(var=var)


def _supervise(
    processes: "list[SupervisedProcess]", stopped: threading.Event, *, announcement: "Announcement", var: Path
) -> None:
    """Start what is not running and print the output of the processes until the site stops."""
    server = ExitWatch()
    while not stopped.is_set():
        if not postgres.is_running(var=var):
            _restart_postgres(processes, stopped, var=var)
        server.watch(postgres.server_pid(var=var))
        for process in processes:
            process.check()
        announcement.check()
        exits = [server, *(process.exit for process in processes)]
        is_at_rest = announcement.is_made and all(one.works for one in exits)
        wait_for_output(processes, seconds=REST_SECONDS if is_at_rest else POLL_SECONDS, exits=exits)


def _restart_postgres(processes: "list[SupervisedProcess]", stopped: threading.Event, *, var: Path) -> None:
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
            # A process blocks if nobody reads its output.
            wait_for_output(processes, seconds=MAX_RESTART_DELAY_SECONDS)
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


class ExitWatch:
    """A descriptor that becomes readable when a process ends. `works` is False without a process or on a system other than Linux."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.descriptor: int | None = None

    @property
    def works(self) -> bool:
        """Return True if the end of the process will be noticed."""
        return self.descriptor is not None

    def watch(self, pid: int | None) -> None:
        """Watch this process instead of the one before; None for no process."""
        if pid == self.pid:
            return
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.pid, self.descriptor = pid, None
        if pid is not None and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self.descriptor = os.pidfd_open(pid)


class SupervisedProcess:
    """A process of the site, a copy of this one; its output is printed line by line with its name."""

    def __init__(self, name: str, program: programs.Program) -> None:
        self.name = name
        self.program = program
        self.delay = 0
        self.started_at = 0.0
        self.restart_at = 0.0
        self.pid: int | None = None
        self.exit = ExitWatch()
        self.output: int | None = None
        self.partial_line = b""

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.started_at = time.monotonic()
        self.output, pipe = os.pipe()
        os.set_blocking(self.output, False)
        # Otherwise, the copy would handle a signal as if it were the supervisor.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self.pid = os.fork()
        if self.pid == 0:
            _run_as_process(self.name, self.program.run, output=pipe)
        self.exit.watch(self.pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(pipe)

    def read_output(self) -> None:
        """Print the complete lines that the process has written."""
        if self.output is None:
            return
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.output, OUTPUT_BYTES):
                *lines, self.partial_line = (self.partial_line + piece).split(b"\n")
                for line in lines:
                    say(f"{self.name:<6} | {line.decode(errors='replace').rstrip()}")
            # The process and everything that it started have ended.
            os.close(self.output)
            self.output = None

    def check(self) -> None:
        """If the process died, print why and restart it after a delay."""
        now = time.monotonic()
        if self.pid is not None and (ended := os.waitpid(self.pid, os.WNOHANG)) != (0, 0):
            code = os.waitstatus_to_exitcode(ended[1])
            reason = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
            self.delay = (
                1 if now - self.started_at > STABLE_SECONDS else min(self.delay * 2 or 1, MAX_RESTART_DELAY_SECONDS)
            )
            self.read_output()
            say(f"The {self.name} process {reason}. Restarting it in {self.delay} s.")
            _stop_session(self.pid)
            self.read_output()
            self.pid, self.restart_at = None, now + self.delay
            self.exit.watch(None)
        if self.pid is None and now >= self.restart_at and self.program.can_start():
            self.start()


def _run_as_process(name: str, run: Callable[[], int], *, output: int) -> None:
    """Turn this copy of the supervisor into one of the site's processes. Never returns."""
    code = 1
    try:
        os.setsid()
        os.environ[RUN_VARIABLE] = str(_folder())
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, output + 1)
        with contextlib.suppress(OSError):
            # The name that `top` and `ps` show.
            Path("/proc/self/comm").write_text(f"oncall-{name}", encoding="ascii")
        code = run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # nothing may return to the supervisor's code
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        # Skip the supervisor's exit functions: they would stop the database.
        os._exit(code)


def wait_for_output(processes: list[SupervisedProcess], *, seconds: float, exits: Iterable[ExitWatch] = ()) -> None:
    """Print the output of the processes for at most this long, or until a process of `exits` ends."""
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for process in processes:
            if process.output is not None:
                selector.register(process.output, selectors.EVENT_READ, process)
        for one in exits:
            if one.descriptor is not None:
                selector.register(one.descriptor, selectors.EVENT_READ)
        has_ended = False
        while (left := until - time.monotonic()) > 0 and not has_ended:
            if not selector.get_map():
                time.sleep(left)
                return
            for key, _ in selector.select(left):
                process = key.data
                if process is None:
                    has_ended = True
                    continue
                process.read_output()
                if process.output is None:
                    selector.unregister(key.fd)


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
    """Stop the processes that a killed supervisor left running, and any that they start in the meantime."""
    stopped = 0
    while leftovers := _leftovers(var):
        stopped += len(leftovers)
        _stop(leftovers)
    if stopped:
        say(f"Stopped {stopped} processes of an earlier run.")


def _leftovers(var: Path) -> list[int]:
    """Return the processes of an earlier run, found by the variable that they inherited."""
    leftovers = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(RUN_VARIABLE) == str(var):
                leftovers.append(process.pid)
    return leftovers


def _free_port(chosen: int) -> int:
    for port in [chosen] if chosen else range(FIRST_PORT, FIRST_PORT + PORT_ATTEMPTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    if chosen:
        sys.exit(f"Port {chosen} is in use or not allowed. Choose another: PORT=8123 make run")
    sys.exit(f"No free port between {FIRST_PORT} and {FIRST_PORT + PORT_ATTEMPTS - 1}. Choose one: PORT=9000 make run")


class Announcement:
    """Prints the site's address and the new passwords of the demo once the site responds."""

    def __init__(self, address: str, notes: str, var: Path) -> None:
        self.address, self.notes, self.var = address, notes, var
        self.until = time.monotonic() + READY_SECONDS
        self.is_made = False

    def check(self) -> None:
        """Announce the address once the site responds, or report that it does not respond in time."""
        if self.is_made:
            return
        if self._responds():
            address_text = (
                f"The site is running at {self.address}/\nPress Ctrl-C to stop it. Its data stays in {self.var}."
            )
            say(f"{self.notes}\n{address_text}")
        elif time.monotonic() < self.until:
            return
        else:
            say(
                f"The site did not respond at {self.address}/ within {READY_SECONDS} s. See its output above.\n{self.notes}"
            )
        self.is_made = True

    def _responds(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/healthz", timeout=ANSWER_SECONDS):  # noqa: S310  # nosec B310  # our own server
            return True
        return False


if __name__ == "__main__":
    sys.exit(main())
