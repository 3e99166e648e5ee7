"""Promise 32: while somebody attacks the site, /healthz, Now and acknowledging an incident still work, and not ten times slower."""

import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import psutil
import pytest
from django.test import Client
from django.utils import timezone

from incidents.models import Alert, Incident
from people.services.accounts import create_token
from tests.factories import make_engineer, make_pipeline, make_runbook
from tests.faults.web import ROOT, web
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.django_db(transaction=True)]

# Connections, or callers, of each attack; those that make requests need an account.
ATTACKS = {
    "slow headers": 64,
    "slow bodies": 64,
    "slow readers": 64,
    "idle connections": 256,
    "alerts": 8,
    "previews": 8,
    "lists": 8,
    "pages": 8,
}
LIST_ROWS = 3_000
MAX_RATIO = 10
# The attacker comes from another address than the team.
TIMEOUT_SECONDS = 60
ROUNDS = 5


@dataclass
class Team:
    """Two engineers, one of whom turns on the site, and what both know."""

    token: str
    cookie: str
    attacker: dict
    incidents: list = field(default_factory=list)


def make_team(*, incidents, rows=LIST_ROWS):
    """Create a pipeline with a runbook, incidents to acknowledge, and long lists."""
    engineer, attacker = make_engineer("Engineer"), make_engineer("Attacker")
    pipeline = make_pipeline("Orders", primary=engineer, secondary=attacker)
    make_runbook(pipeline)
    at = timezone.now()
    common = {
        "pipeline": pipeline,
        "kind": "issue",
        "severity": "low",
        "source": "person",
        "opened_at": at,
        "last_seen_at": at,
    }
    opened = Incident.objects.bulk_create(Incident(title=f"No. {number}", **common) for number in range(incidents))
    Alert.objects.bulk_create(
        Alert(
            fingerprint=f"list-{number}", name="Late", summary="Late. " * 50, pipeline=pipeline,
            is_firing=True, starts_at=at, received_at=at,
        )
        for number in range(rows)
    )  # fmt: skip
    Incident.objects.bulk_create(
        Incident(title=f"Old {number}", state="resolved", resolved_at=at, **common) for number in range(rows)
    )
    session, _ = _cookie(attacker)
    own, _ = _cookie(engineer)
    token = create_token(attacker, name="attack").secret
    known = {"token": token, "cookie": f"{session}; csrftoken={CSRF}", "csrf": CSRF, "pipeline": pipeline.slug}
    return Team(create_token(engineer, name="team").secret, own, known, [row.pk for row in opened])


CSRF = "a" * 32


def _cookie(user):
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}", client


class Probe:
    """What the team does meanwhile: each call is made on a connection of its own."""

    def __init__(self, team, address):
        self.team, self.address = team, address
        self.seconds = {"/healthz": [], "Now": [], "acknowledge": []}
        self.failures = []

    def round(self):
        """Make each call once."""
        self._call("/healthz", "GET", "/healthz")
        self._call("Now", "GET", "/", cookie=self.team.cookie)
        incident = self.team.incidents.pop()
        path = f"/api/v1/incidents/{incident}/acknowledge/"
        self._call("acknowledge", "POST", path, authorization=f"Bearer {self.team.token}")

    def _call(self, name, method, path, **headers):
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT_SECONDS)
            with contextlib.closing(connection):
                connection.request(method, path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append((name, answer.status))
        except (OSError, http.client.HTTPException) as error:
            self.failures.append((name, repr(error)))
        self.seconds[name].append(time.monotonic() - began)

    def p95(self):
        return {name: statistics.quantiles(values, n=20)[-1] for name, values in self.seconds.items()}


@contextlib.contextmanager
def attack(name, team, address, *, clients):
    """Run an attack in a process of its own; yield a function that returns its counts."""
    host, port = address
    target = {"attack": name, "host": host, "port": port, "clients": clients, **team.attacker}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.attacks", json.dumps(target)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    counts = {}

    def read():
        for line in process.stdout:
            counts.update(json.loads(line))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield counts
    finally:
        process.stdin.close()
        process.wait()
        reader.join()
        process.stdout.close()


def memory_mb(pid):
    """Return the memory of a process and its children that is their own, in MB."""
    total = 0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().uss
    return total / 1e6


def measure(name, team, address, *, quiet, seconds, pid=None):
    """Attack for as long as wanted; return the ratios to the quiet p95, failures and the counts."""
    probe = Probe(team, address)
    before = memory_mb(pid) if pid else 0
    with attack(name, team, address, clients=ATTACKS[name]) as counts:
        wait_until(lambda: counts.get("connections", 0) >= ATTACKS[name] or sum(counts.values()) > ATTACKS[name])
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            probe.round()
            time.sleep(0.05)
        grown = memory_mb(pid) - before if pid else 0
    p95 = probe.p95() if len(probe.seconds["Now"]) > 1 else {n: v[0] for n, v in probe.seconds.items()}
    return {
        "ratios": {key: round(p95[key] / quiet[key], 1) for key in p95},
        "p95": {key: round(value * 1000) for key, value in p95.items()},
        "failures": probe.failures[:3],
        "failed": len(probe.failures),
        "rounds": len(probe.seconds["Now"]),
        "memory": round(grown),
        "counts": dict(counts),
    }


def quiet_p95(team, address, *, rounds):
    """Return the p95 of each call on a quiet site, after a first round that loads everything."""
    Probe(team, address).round()
    probe = Probe(team, address)
    for _ in range(rounds):
        probe.round()
        time.sleep(0.05)
    assert probe.failures == []
    return probe.p95()
