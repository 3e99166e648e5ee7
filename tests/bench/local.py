"""`python -m tests.bench local`: the processor time, memory and processes of `make run`, at the start and at rest."""

import contextlib
import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from tests.bench.aims import against

ROOT = Path(__file__).parents[2]
# After a minute without a query, the processes that query the warehouse have ended.
SETTLE_SECONDS, REST_SECONDS = 80, 60
MEGABYTES, PROCESSES, PERCENT_OF_A_CORE, INSTALLED_MEGABYTES = 450, 12, 3.0, 300
START_SECONDS = {"on an empty var": 10.0, "again": 5.0}


def measure():
    """Start the site twice and print the resources it used."""
    measure_installed()
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder) / "var"
        var.mkdir()
        for path in (Path(folder), var):
            path.chmod(0o755)
        for name, aim in START_SECONDS.items():
            began = time.monotonic()
            site = subprocess.Popen(
                [sys.executable, "-m", "oncall_site.local.supervisor"],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "HOME": folder, "ONCALL_VAR": str(var)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                _wait_for_address(site)
                took, needed = time.monotonic() - began, spent(tree(site.pid, var))
                print(
                    f"| `make run` {name} | {took:.1f} s{against(took, aim, ' s')} | {needed:.1f} s of processor time |"
                )
                if name == "again":
                    _measure_rest(site.pid, var)
            finally:
                site.send_signal(signal.SIGTERM)
                site.wait()


def measure_installed():
    """Print the installed size of the production packages."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if "==" in line and not line.startswith((" ", "#"))]
    # A package with two lines has one for each version of Python.
    names = {re.split(r"[=\[]", line)[0] for line in pinned}
    total = 0
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            total += sum(_bytes_on_disk(path) for path in importlib.metadata.files(name) or ())
    size = total / 2**20
    print(f"| installed production packages | {size:.0f} MB{against(size, INSTALLED_MEGABYTES, ' MB')} | |")


def _bytes_on_disk(path):
    """Return the size of an installed file, 0 if it is missing."""
    with contextlib.suppress(OSError):
        return path.locate().stat().st_size
    return 0


def _wait_for_address(site):
    for line in site.stdout:
        if re.search("The site is running at", line):
            threading.Thread(target=site.stdout.read, daemon=True).start()
            return
    raise AssertionError("the site did not start")


def _measure_rest(pid, var):
    time.sleep(SETTLE_SECONDS)
    before = spent(tree(pid, var))
    time.sleep(REST_SECONDS)
    processes = tree(pid, var)
    percent = (spent(processes) - before) / REST_SECONDS * 100
    memory = sum(map(megabytes, processes))
    print(f"| at rest: processor time | {percent:.1f} % of a core{against(percent, PERCENT_OF_A_CORE, ' %')} | |")
    print(f"| at rest: memory with PostgreSQL | {memory:.0f} MB PSS{against(memory, MEGABYTES, ' MB')} | |")
    print(f"| at rest: processes with PostgreSQL | {len(processes)}{against(len(processes), PROCESSES)} | |")


def tree(pid, var):
    """Return the supervisor, PostgreSQL and all that they started."""
    processes = set()
    with contextlib.suppress(psutil.Error, OSError, ValueError):
        server = int((var / "postgres" / "postmaster.pid").read_text().split()[0])
        for root in (psutil.Process(pid), psutil.Process(server)):
            processes |= {root, *root.children(recursive=True)}
    return processes


def spent(processes):
    """Return the processor time of processes and their ended children, in seconds."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def megabytes(process):
    """Return a process's memory; shared memory counts in proportion (PSS)."""
    with contextlib.suppress(psutil.Error, OSError):
        return process.memory_full_info().pss / 2**20
    return 0.0
