"""`make run`: a start that cannot work says why in a sentence. That what dies is restarted is in tests/faults/test_machine.py."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from django.core.exceptions import ImproperlyConfigured

from oncall_site import settings
from oncall_site.local import postgres, supervisor
from oncall_site.local.programs import Program
from oncall_site.web_server import configuration, find_nginx, nginx_command
from tests.faults.test_machine import is_alive, start
from tests.faults.test_make_run import ROOT
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.timeout(1800)


def test_an_invalid_port_is_one_sentence(tmp_path):
    # With a database of its own, no server starts only to stop again.
    code, output = start(tmp_path, PORT="x", DATABASE_URL="postgresql:///unused")
    assert code == 1
    assert output == "PORT is “x”. It must be a number from 1 to 65535."


@pytest.mark.parametrize("port", ["-1", "99999", "8000 ", "٨"])
def test_a_port_is_a_number_from_1_to_65535(monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(ImproperlyConfigured, match=f"PORT is “{port}”"):
        settings._port()


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"two words " * 8])
def test_a_damaged_secret_key_is_one_sentence_and_is_not_replaced(tmp_path, content):
    (tmp_path / "secret-key").write_bytes(content)
    with pytest.raises(postgres.LocalSetupError, match="is damaged"):
        postgres.secret_key(var=tmp_path)
    assert (tmp_path / "secret-key").read_bytes() == content


def test_the_secret_key_is_created_once_and_private(tmp_path):
    key = postgres.secret_key(var=tmp_path)
    assert postgres.secret_key(var=tmp_path) == key
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "var").write_text("x")
    code, output = start(tmp_path / "var")
    assert code == 1
    assert output.startswith("Cannot use ")
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "No space left for /x. Free some disk space, then start again."),
        (errno.EROFS, "Cannot write to /x. Make the folder writable, or set ONCALL_VAR to another folder."),
        (errno.EACCES, "Cannot write to /x. Make the folder writable, or set ONCALL_VAR to another folder."),
    ],
)
def test_a_storage_problem_is_one_sentence(number, sentence):
    assert postgres.storage_problem(OSError(number, os.strerror(number)), var="/x") == sentence


def test_root_finds_useradd_with_a_short_path(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    postgres._extend_path()
    assert "/usr/sbin" in os.environ["PATH"].split(":")


def test_manage_py_uses_the_python_of_the_site(tmp_path):
    """A Python without Django, like a newcomer's."""
    command = [sys.executable, "-S", "-E", "manage.py", "check"]
    # -S leaves out site-packages, and the environment names no other folder. Without a key, the settings are the last that is loaded.
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql:///unused", "ONCALL_VAR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if (ROOT / ".venv" / "bin" / "python").exists():
        assert "SECRET_KEY is not set" in done.stderr
    else:
        assert "incomplete" in done.stderr


def test_a_copy_that_ends_is_reported_and_restarted_and_its_output_printed(capsys):
    def run():
        os.write(1, b"one\ntwo")
        raise SystemExit(3)

    process = supervisor.SupervisedProcess("copy", Program(run, can_start=lambda: True))
    texts = []

    def restarted():
        process.check()
        supervisor.wait_for_output([process], seconds=0.05)
        texts.append(capsys.readouterr().out)
        return "".join(texts).count("one") == 2

    wait_until(restarted)
    assert "copy   | one\n" in "".join(texts)
    assert "The copy process exited with code 3. Restarting it in 1 s.\n" in "".join(texts)
    os.waitpid(process.pid, 0)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux reports the end of a process")
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_a_web_process_that_is_stuck_is_ended(tmp_path):
    """Nothing else would notice: the supervisor restarts only a process that ended. A quiet process is not ended."""
    stuck = (
        "import time; from gunicorn.workers.gthread import ThreadWorker; from oncall_site.local.programs import run_gunicorn;"
        "ThreadWorker.wait_for_and_dispatch_events = lambda _, timeout: "
        f"(print(timeout, flush=True), time.sleep({PATIENCE_SECONDS}));"
        "run_gunicorn('127.0.0.1:0')"
    )
    variables = {"GUNICORN_CMD_ARGS": "--timeout=2", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
    variables |= {"DATABASE_URL": "postgresql:///unused", "SECRET_KEY": "unused"}
    done = subprocess.run(
        [sys.executable, "-c", stuck],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, timeout=3 * PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (-signal.SIGALRM, "")
    assert float(done.stdout) < 2


def test_the_supervisor_wakes_up_when_a_process_ends():
    count = psutil.Process().num_fds()
    process = supervisor.SupervisedProcess("copy", Program(lambda: 0))
    process.check()
    assert process.exit.works
    supervisor.wait_for_output([process], seconds=PATIENCE_SECONDS * 2, exits=[process.exit])
    process.check()
    assert (process.pid, process.exit.works) == (None, False)
    assert psutil.Process().num_fds() == count


def test_a_program_waits_until_it_can_start():
    process = supervisor.SupervisedProcess("copy", Program(lambda: 0, can_start=lambda: False))
    process.check()
    assert process.pid is None


@pytest.fixture
def start_nginx(monkeypatch):
    """Return a function that starts the nginx of a site's folder, without a PID file, and returns its process ID."""
    started = []

    def start_in(var):
        var.mkdir(exist_ok=True)
        # Nothing connects to it.
        # nginx removes its PID file when it ends.
        address, pid_file = f"unix:{var}/front.sock", var / "nginx.pid"
        text = configuration(bind=address, folder=var, pid_file=pid_file, behind_proxy=False, is_one_process=True)
        (var / "nginx.conf").write_text(text)
        command = nginx_command(find_nginx(), folder=var)
        monkeypatch.setenv("ONCALL_VAR", str(var))
        process = supervisor.SupervisedProcess("nginx", Program(lambda: os.execv(command[0], command)))  # noqa: S606
        process.start()
        started.append(process.pid)
        wait_until(pid_file.exists, why="nginx does not start")
        pid_file.unlink()
        return process.pid

    yield start_in
    for pid in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


@pytest.mark.skipif(find_nginx() is None, reason="no nginx package for this machine")
def test_a_leftover_nginx_is_stopped_without_its_pid_file_and_only_that_of_this_folder(start_nginx, capsys):
    # The path of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory() as folder:
        own, other = start_nginx(Path(folder, "own")), start_nginx(Path(folder, "other"))
        supervisor._stop_leftovers(Path(folder, "own"))

    assert capsys.readouterr().out == "Stopped 1 processes of an earlier run.\n"
    assert not psutil.pid_exists(own)
    assert is_alive(psutil.Process(other))


def test_postgresql_is_configured_once(tmp_path):
    (tmp_path / "postgresql.conf").write_text("jit = on\n")
    for _ in range(2):
        postgres._configure(tmp_path)
    assert (tmp_path / "postgresql.conf").read_text() == f"jit = on\n{postgres.SERVER_SETTINGS}"
