"""The suite leaves nothing behind, even when it is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import servers
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

# What a suite does: start the server, then a process of a test, and give a test a disk of its own.
SUITE = """
import os, signal, subprocess, time
from tests import servers
from tests.waiting import wait_until
# A shell makes its background jobs ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
child = subprocess.Popen(["sleep", "600"])
if os.geteuid() == 0:
    disk = os.path.join(os.environ["ONCALL_VAR"], "disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
print(os.environ["ONCALL_VAR"], child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_an_ended_suite_leaves_no_process_and_no_folder(end):
    names = ("DATABASE_URL", "ONCALL_VAR", servers.SESSION_VARIABLE, "TMPDIR")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    suite = subprocess.Popen(
        [sys.executable, "-c", SUITE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with suite.stdout as output:
        folder, child = output.readline().split()
    server = psutil.Process(int((Path(folder) / "postgres" / "postmaster.pid").read_text().split()[0]))

    suite.send_signal(end)
    suite.wait()

    wait_until(lambda: not Path(folder).exists())
    wait_until(lambda: not server.is_running() and not psutil.pid_exists(int(child)))
