"""Escalation under killed workers, two beats and a lost broker: every due step happens exactly once."""

import contextlib
import datetime as dt
import random
import time
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from incidents.models import EscalationStep, Incident, TimelineEntry
from incidents.services.transitions import NewIncident, acknowledge, open_incident
from notifications.models import Message
from pipelines.models import Pipeline
from tests.factories import make_engineer, make_pipeline
from tests.faults.workers import site
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.xdist_group("messages")]

FIFTEEN = dt.timedelta(minutes=15)
ACKNOWLEDGED_EVERY = 10


def make_incidents(count):
    """Open incidents 15 minutes ago, so that each is due; every tenth is acknowledged."""
    people = [make_engineer(f"Engineer {number}", email=f"e{number}@example.org") for number in range(2)]
    admins = [make_engineer(f"Boss {number}", email=f"b{number}@example.org", is_staff=True) for number in range(2)]
    pipeline = make_pipeline("Orders", primary=people[0], secondary=people[1])
    at = timezone.now() - FIFTEEN
    for number in range(count):
        incident = open_incident(pipeline, what=NewIncident(kind="issue", title=f"No. {number}"), by=None, at=at)
        if number % ACKNOWLEDGED_EVERY == 0:
            acknowledge(incident, by=people[0], at=at)
    assert Pipeline.objects.count() == 1
    return people, admins


def make_due():
    """Make the next step of every incident due now."""
    Incident.objects.filter(next_escalation_at__isnull=False).update(next_escalation_at=timezone.now())


def due():
    return Incident.objects.due(at=timezone.now()).count()


def check_notified(*, incidents, acknowledged, people):
    """Every incident notified `people` engineers, acknowledged ones one, and nobody twice: in rows, messages and timeline."""
    steps = Counter(EscalationStep.objects.values_list("incident", flat=True))
    messages = Counter(Message.objects.filter(type="incident-escalated").values_list("context__incident_id", flat=True))
    entries = Counter(TimelineEntry.objects.filter(kind="notified").values_list("incident", flat=True))
    expected = Counter({people: incidents - acknowledged, 1: acknowledged})
    assert Counter(steps.values()) == Counter(messages.values()) == Counter(entries.values()) == +expected
    pairs = Counter(EscalationStep.objects.values_list("incident", "engineer"))
    assert set(pairs.values()) == {1}


def wait_until_done(running, *, killing, kills, source):
    killed, until = 0, time.monotonic() + PATIENCE_SECONDS
    while due():
        assert time.monotonic() < until, f"{due()} still due"
        running.revive()
        time.sleep(source.uniform(0.1, 0.8))
        if killing and killed < kills and (senders := running.senders()):
            with contextlib.suppress(Exception):
                source.choice(senders).kill()
                killed += 1
    return killed


def check_escalation(*, incidents, kills):
    """Two workers and two beats, first under kills, then with a broker that was lost and came back empty."""
    source = random.Random(8)
    make_incidents(incidents)
    acknowledged = -(-incidents // ACKNOWLEDGED_EVERY)
    with site(often=["escalate incidents"]) as running:
        for number in range(2):
            running.worker(f"worker-{number}")
            running.beat(f"beat-{number}")
        killed = wait_until_done(running, killing=True, kills=kills, source=source)
        check_notified(incidents=incidents, acknowledged=acknowledged, people=2)
        running.kill("broker")
        make_due()
        time.sleep(1)
        running.start_broker()
        wait_until_done(running, killing=False, kills=0, source=source)
        # The admins come last, both at once.
        check_notified(incidents=incidents, acknowledged=acknowledged, people=4)
        assert not Incident.objects.filter(next_escalation_at__isnull=False).exists()
        wait_until(lambda: not running.senders() or due() == 0, why="a step is due again")
    return (
        f"{incidents} incidents, {killed} processes killed, {running.revived} workers started again, two beats, the broker"
        " lost once: each step happened once"
    )


@pytest.fixture
def database(transactional_db):
    yield
    connection.close()


def test_escalation_survives_killed_workers_two_beats_and_a_lost_broker(database):
    check_escalation(incidents=40, kills=5)
