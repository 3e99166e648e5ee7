"""Promise 26: `make run`, killed with -9 at any moment, starts again with nothing lost. The suite does so in test_machine.py."""

import contextlib
import http.cookiejar
import os
import queue
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[2]
# Below the ports of outgoing connections. Not the first free port from 8000: while a killed nginx is down, another site on this
# machine could take it.
PORTS = range(20_000, 32_000)
# More than nginx waits for an answer of the site.
CALL_SECONDS = 150

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]


class Site:
    """A `make run` of its own, in a folder of its own."""

    def __init__(self, var):
        self.var = var
        self.output = ""
        # Nothing of the suite's own environment but where programs are: as a newcomer's shell. By the last variable,
        # tests/servers.py finds what is left running if the suite is killed.
        environment = {"PATH": os.environ["PATH"], "HOME": str(var), "ONCALL_VAR": str(var), "PYTHONWARNINGS": "ignore"}
        environment["ONCALL_TEST_SESSION"] = os.environ.get("ONCALL_TEST_SESSION", "")
        environment["PORT"] = str(free_port())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "oncall_site.local.supervisor"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.process.stdout:
            for line in self.process.stdout:
                self.lines.put(line)

    def address(self):
        return self.says(r"The site is running at (http://\S+)/")[1]

    def says(self, words):
        """Wait until it has said these words, a pattern; return the match."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                self.output += self.lines.get(timeout=0.5)
            if actual := re.search(words, self.output):
                return actual
            assert self.process.poll() is None, self.output
        raise AssertionError(f"no “{words}” within {PATIENCE_SECONDS} s:\n{self.output}")

    def text(self):
        """Return the output that no call of `says` has consumed."""
        return self.output + "".join(self.lines.queue)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=PATIENCE_SECONDS)


def free_port():
    """Return a port on which nothing listens."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.choice(PORTS)))
            return probe.getsockname()[1]


def marked(var, *names):
    """Return the processes of a site, found by one of these variables of their environment."""
    names, actual = names or ("ONCALL_RUN",), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            if any(environment.get(name) == str(var) for name in names):
                actual.append(process)
    return actual


def postmaster(var):
    """Return the process of the site's PostgreSQL."""
    return psutil.Process(int((var / "postgres" / "postmaster.pid").read_text().split()[0]))


def is_alive(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@contextlib.contextmanager
def cleaned_up(var):
    """Leave nothing of a site running, whatever happens."""
    try:
        yield
    finally:
        processes = marked(var, "ONCALL_RUN", "ONCALL_VAR")
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            processes.append(postmaster(var))
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)


def signed_in_browser(address, password):
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(f"{address}/sign-in/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    fields = {"username": "engineer-a", "password": password, "csrfmiddlewaretoken": token}
    browser.open(f"{address}/sign-in/", urllib.parse.urlencode(fields).encode())
    return browser


def ready(address):
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(f"{address}/readyz", timeout=CALL_SECONDS).status == 200
    return False


def check_that_a_second_is_refused(var):
    second = Site(var)
    second.process.wait(timeout=PATIENCE_SECONDS)
    time.sleep(0.5)
    output = "".join(second.lines.queue)
    assert "already running" in output
    assert second.process.returncode == 1


def check_kills(var, *, kills):
    """Kill a running site that many times, at moments of its start and of its life; each time all of it comes back."""
    with cleaned_up(var):
        site, _ = kill_and_start_again(var, kills=kills)
        site.stop()
        wait_until(lambda: not marked(var), why=lambda: marked(var))


def kill_and_start_again(var, *, kills):
    """Start a site, and kill and start it that many times; return the last one, ready, and its address."""
    site = Site(var)
    # Even while the first is still creating its database.
    site.says("Preparing the database")
    check_that_a_second_is_refused(var)
    address = site.address()
    password = re.search(r"engineer-a\s+(\S+)", site.output)[1]
    wait_until(lambda: ready(address))
    check_that_a_second_is_refused(var)
    for number in range(kills):
        # The web process is killed too, every other time.
        web = [process for process in marked(var) if process.name() == "oncall-web"]
        left = [process for process in marked(var) if process.name() == "nginx"]
        for process in [site.process, *(web if number % 2 == 0 else [])]:
            process.kill()
        site.process.wait(timeout=PATIENCE_SECONDS)
        if number % 2 == 0:
            hurt = Site(var)  # killed again while it starts
            time.sleep(random.uniform(0.2, 4))
            hurt.process.kill()
            hurt.process.wait(timeout=PATIENCE_SECONDS)
        site = Site(var)
        address = site.address()
        assert len(left) == 1, left
        assert not any(process.is_running() for process in left), left
        assert "shown only once" not in site.output
        page = signed_in_browser(address, password).open(f"{address}/").read().decode()
        assert "Daily growth" in page
    wait_until(lambda: ready(address))
    return site, address


def test_a_signal_during_the_start_leaves_nothing_running(tmp_path):
    """Twice Ctrl-C; SIGTERM and SIGHUP are handled by the same function."""
    with cleaned_up(tmp_path):
        site = Site(tmp_path)
        site.says("Preparing the database")
        server = postmaster(tmp_path)
        for number in (signal.SIGHUP, signal.SIGINT):
            with contextlib.suppress(ProcessLookupError):
                site.process.send_signal(number)
        site.process.wait(timeout=PATIENCE_SECONDS)
        assert not is_alive(server)
        wait_until(lambda: not marked(tmp_path), why=lambda: marked(tmp_path))
