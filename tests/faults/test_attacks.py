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
from incidents.services.integration_keys import create_integration_key
from people.services.accounts import create_token
from readiness.services.readers import create_link
from tests.factories import make_engineer, make_pipeline, make_runbook
from tests.faults.web import ROOT, web
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.django_db(transaction=True)]

# Connections of each attack, or callers who make requests at the same time with an account.
ATTACKS = {
    "slow headers": 64,
    "slow bodies": 64,
    "slow readers": 64,
    "idle connections": 256,
    "alerts": 8,
    "previews": 8,
    "lists": 8,
    "pages": 8,
    "events": 8,
    "lineage": 8,
    "manifests": 8,
    "readers": 8,
    "hooks": 8,
    "push": 8,
}
CONNECTIONS = ("slow headers", "slow bodies", "slow readers", "idle connections")
GROUPS = (
    CONNECTIONS,
    ("alerts", "previews", "lists", "pages", "push"),
    ("events", "lineage", "manifests", "readers", "hooks"),
)
# Alertmanager gets a 503, after which it tries again.
REFUSED = ("429", "503")
# Further statuses that other attacks may get.
ANSWERS = {
    "events": {"202", "400"},
    "lineage": {"200"},
    "manifests": {"200", "400"},
    "readers": {"200", "404"},
    "hooks": {"403"},
    "push": {"400"},
}
LIST_ROWS = 3_000
MAX_RATIO = 10
MAX_SHARE_WITHOUT_RESPONSE = 0.1
MAX_GROWTH_MB = 300
PAUSE_SECONDS = 0.1
WARM_UP_ROUNDS = 20
ROUNDS = 2
TURNS = 5
MIN_CALLS = 20
CSRF = "a" * 32


@dataclass
class Team:
    """An engineer who works, what an attacker knows, and incidents to acknowledge."""

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
    token = create_token(attacker, name="attack").secret
    known = {
        "token": token,
        "cookie": f"{session_cookie(attacker)}; csrftoken={CSRF}",
        "csrf": CSRF,
        "pipeline": pipeline.slug,
        "routing_key": create_integration_key(
            pipeline, name="Attacked", by=make_engineer("Chief", is_staff=True)
        ).secret,
        "readers_link": create_link(name="Public", pipelines=[pipeline], by=engineer).secret,
    }
    return Team(create_token(engineer, name="team").secret, session_cookie(engineer), known, [row.pk for row in opened])


def session_cookie(user):
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


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
            connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE_SECONDS)
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
def attack(names, team, address):
    """Run attacks in a process of their own; yield the counts of each."""
    host, port = address
    clients = {name: ATTACKS[name] for name in names}
    target = {"host": host, "port": port, **team.attacker}
    process = subprocess.Popen(
        ["nice", "-n", "19", sys.executable, "-m", "tests.faults.attacks", json.dumps(clients), json.dumps(target)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    counts = {name: {} for name in names}

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


def are_under_way(counts):
    """Return True once every connection of each attack is open, or its requests were answered and some refused."""
    return all(
        each.get("connections", 0) >= ATTACKS[name]
        if name in CONNECTIONS
        else any(each.get(status, 0) for status in REFUSED)
        for name, each in counts.items()
    )


def check_answers(counts):
    """Assert that attacks got only the responses that they may get.

    On a busy machine, an attacker can be so slow to send a body that the site closes the connection without a response.
    Such a slow attack has few requests, so their share is taken of all attacks that ran at the same time.
    """
    for name, each in counts.items():
        assert set(each) <= {"connections", "closed", "none", *ANSWERS.get(name, {"200"}), *REFUSED}, (name, each)
    without_response = sum(each.get("none", 0) for each in counts.values())
    assert without_response <= sum(sum(each.values()) for each in counts.values()) * MAX_SHARE_WITHOUT_RESPONSE, counts


def measure(team, address, *, seconds):
    """Make each call again and again; return the p95 of each."""
    probe, until = Probe(team, address), time.monotonic() + seconds
    # A p95 needs some calls, however slow the machine is.
    while time.monotonic() < until or len(probe.seconds["Now"]) < MIN_CALLS:
        probe.round()
        time.sleep(PAUSE_SECONDS)
    assert probe.failures == [], probe.failures
    return probe.p95()


def check_attack(name, team, address, *, seconds, pid):
    """Measure in turns with and without an attack, so that other work on the machine slows both.

    Return the median of the ratios of each call's p95, and by how much memory grew.
    """
    ratios, grown = {}, 0
    for _ in range(TURNS):
        quiet, before = measure(team, address, seconds=seconds / TURNS), memory_mb(pid)
        with attack([name], team, address) as counts:
            wait_until(lambda counts=counts: are_under_way(counts), why=lambda counts=counts: counts)
            attacked = measure(team, address, seconds=seconds / TURNS)
            grown = max(grown, memory_mb(pid) - before)
        check_answers(counts)
        for call, value in attacked.items():
            ratios.setdefault(call, []).append(value / quiet[call])
    assert grown <= MAX_GROWTH_MB, f"{name}: {grown:.0f} MB more"
    return {call: statistics.median(values) for call, values in ratios.items()}, grown


def check_attacks(*, seconds, names=tuple(ATTACKS)):
    """Run each attack in turn; return a sentence with the worst ratios. Raises AssertionError if a call was ten times slower."""
    team = make_team(incidents=12_000)
    worst, slow = {}, []
    with web(workers=2, threads=8, front=True, FAIR_USE_PERCENT="25") as address:
        pid = psutil.Process().children()
        pid = next(child.pid for child in pid if "oncall_site.web_server" in child.cmdline())
        for _ in range(WARM_UP_ROUNDS):
            Probe(team, address).round()
        for name in names:
            ratios, grown = check_attack(name, team, address, seconds=seconds, pid=pid)
            worst[name] = max(ratios.values())
            slow += [f"{name}: {call} {ratio:.1f} ×" for call, ratio in ratios.items() if ratio > MAX_RATIO]
            print(
                f"{name}: " + ", ".join(f"{c} {r:.1f} ×" for c, r in ratios.items()) + f", {grown:.0f} MB", flush=True
            )
    assert slow == [], slow
    return "at most " + ", ".join(f"{name} {ratio:.1f} ×" for name, ratio in worst.items())


def test_the_team_works_while_the_site_is_attacked():
    """The attacks of a group run at the same time. `make faults` measures each attack alone."""
    team = make_team(incidents=len(GROUPS) * ROUNDS, rows=600)
    with web(workers=2, threads=8, front=True, FAIR_USE_PERCENT="25") as address:
        for names in GROUPS:
            probe = Probe(team, address)
            with attack(names, team, address) as counts:
                wait_until(lambda counts=counts: are_under_way(counts), why=lambda counts=counts: counts)
                for _ in range(ROUNDS):
                    probe.round()
            assert probe.failures == [], names
            check_answers(counts)
