"""Promise 35: steps of notification rules under killed workers: none lost, none after an acknowledgement."""

import contextlib
import datetime as dt
import random

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from incidents.models import Incident
from incidents.services.transitions import NewIncident, acknowledge, open_incident
from notifications.channels.email.mail import message_id
from notifications.domain.rules import Step
from notifications.models import Message
from notifications.services.preferences import update_rules
from tests.factories import make_engineer, make_pipeline
from tests.faults.workers import site
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

# Two steps of each: below the limit of messages per person.
INCIDENTS_PER_PERSON = 4
STEPS = [Step(0, "email"), Step(30, "email")]


def open_incidents(people):
    """Open incidents of people with two-step rules; return them with their owner."""
    owners = [make_engineer(f"Owner {number}", email=f"o{number}@example.org") for number in range(people)]
    stand_in = make_engineer("Stand-in")
    for owner in owners:
        update_rules(owner, rules={"high": STEPS})
    pairs = []
    for number, owner in enumerate(owners):
        pipeline = make_pipeline(f"Pipeline {number}", primary=owner, secondary=stand_in)
        for place in range(INCIDENTS_PER_PERSON):
            what = NewIncident(kind="issue", title=f"No. {place}")
            pairs.append((open_incident(pipeline, what=what, by=None, at=timezone.now()), owner))
    # The chain is not what is tested here.
    Incident.objects.update(next_escalation_at=None)
    return pairs


def steps(delay):
    return Message.objects.filter(type="incident-escalated", delay_minutes=delay)


def wait_for_step(running, delay, *, kills, source):
    """Wait until a step of every incident is done, while senders are killed; return the number of kills."""
    killed = 0

    def is_done():
        nonlocal killed
        running.revive()
        if killed < kills and (senders := running.senders()) and source.random() < 0.5:
            with contextlib.suppress(psutil.Error):
                source.choice(senders).kill()
                killed += 1
        # The pause after a failure is not what is tested.
        Message.objects.filter(state="pending", attempts__gt=0).update(retry_at=timezone.now())
        return not steps(delay).filter(state__in=("pending", "sending")).exists()

    wait_until(is_done, why=lambda: f"{steps(delay).filter(state='pending').count()} still wait", every=0.3)
    return killed


def check_rules(*, people, kills):
    """Every first step is sent; every second step is sent unless its incident is acknowledged in between."""
    source = random.Random(35)
    with site(lease_seconds=6.0) as running:
        running.worker("worker-0")
        running.worker("worker-1")
        running.beat("beat")
        pairs = open_incidents(people)
        killed = wait_for_step(running, 0, kills=kills, source=source)
        taken = {incident.pk for incident, _ in pairs[::2]}
        for incident, owner in pairs[::2]:
            acknowledge(incident, by=owner, at=timezone.now())
        steps(30).update(due_at=timezone.now() - dt.timedelta(seconds=1))
        killed += wait_for_step(running, 30, kills=kills, source=source)
        accepted = {row["id"] for row in running.accepted()}
    second = list(steps(30))
    assert len(second) == len(pairs)
    assert all(message_id(row) in accepted for row in steps(0))
    assert {row.context["incident_id"] for row in second if message_id(row) not in accepted} == taken
    assert {row.state for row in second if row.context["incident_id"] in taken} == {"dropped"}
    return f"{2 * len(pairs):,} steps, {killed} processes killed: none lost, none after an acknowledgement"


@pytest.fixture
def database(transactional_db):
    yield
    connection.close()


def test_steps_survive_killed_workers_and_stop_at_the_acknowledgement(database):
    check_rules(people=5, kills=3)
