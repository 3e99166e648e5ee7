"""Promise 35: while workers are killed, no step of a rule is lost, and none is sent after an acknowledgement."""

import contextlib
import datetime as dt
import random
from collections import Counter

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from incidents.models import Incident
from incidents.services.transitions import NewIncident, acknowledge, open_incident
from notifications.domain.rules import Step
from notifications.models import Message, NotificationRule
from tests.factories import make_engineer, make_pipeline
from tests.faults.providers import CHANNELS, TITLE, Providers
from tests.faults.workers import site
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.xdist_group("messages")]

# Two steps per person and channel: below the limit of messages per person.
INCIDENTS_PER_PERSON = 4
ALL_CHANNELS = ("email", *CHANNELS)
STEPS = [Step(delay, channel) for delay in (0, 30) for channel in ALL_CHANNELS]
STEPS_PER_PERSON = INCIDENTS_PER_PERSON * len(STEPS)


def open_incidents(people, providers):
    """Open incidents of people with two steps for every channel; return them with their owner."""
    owners = [make_engineer(f"Owner {number}", email=f"o{number}@example.org") for number in range(people)]
    stand_in = make_engineer("Stand-in")
    for owner in owners:
        providers.add_contact_methods(owner, at=timezone.now())
        # More than the five that a person may set.
        NotificationRule.objects.bulk_create(
            NotificationRule(person=owner, urgency="high", channel=step.channel, delay_minutes=step.delay_minutes)
            for step in STEPS
        )
    pairs = []
    for number, owner in enumerate(owners):
        pipeline = make_pipeline(f"Pipeline {number}", primary=owner, secondary=stand_in)
        for place in range(INCIDENTS_PER_PERSON):
            what = NewIncident(kind="issue", title=f"No. {number}-{place}")
            pairs.append((open_incident(pipeline, what=what, by=None, at=timezone.now()), owner))
    # The chain is not tested here.
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
        # The pause after a failure is not tested here.
        Message.objects.filter(state="pending", attempts__gt=0).update(retry_at=timezone.now())
        return not steps(delay).filter(state__in=("pending", "sending")).exists()

    wait_until(is_done, why=lambda: f"{steps(delay).filter(state='pending').count()} still wait", every=0.3)
    return killed


def check_rules(*, people, kills):
    """Every channel sends every first step, and every second step unless its incident is acknowledged in between."""
    source = random.Random(35)
    with (
        contextlib.closing(Providers()) as providers,
        site(variables=providers.settings()) as running,
    ):
        running.worker("worker-0")
        running.worker("worker-1")
        running.beat("beat")
        pairs = open_incidents(people, providers)
        killed = wait_for_step(running, 0, kills=kills // 2, source=source)
        first = accepted(running, providers)
        taken = {incident.title for incident, _ in pairs[::2]}
        for incident, owner in pairs[::2]:
            acknowledge(incident, by=owner, at=timezone.now())
        steps(30).update(due_at=timezone.now() - dt.timedelta(seconds=1))
        killed += wait_for_step(running, 30, kills=kills - killed, source=source)
        second = accepted(running, providers) - first
    titles = {incident.title for incident, _ in pairs}
    assert steps(0).count() == steps(30).count() == len(pairs) * len(ALL_CHANNELS)
    every = {(channel, title) for channel in ALL_CHANNELS for title in titles}
    assert set(first) == every
    assert set(second) == {(channel, title) for channel, title in every if title not in taken}
    assert {row.state for row in steps(30) if row.context["title"] in taken} == {"dropped"}
    copies = (first + second).total() - len(first) - len(second)
    assert copies <= killed, f"{copies} extra copies"
    text = ", ".join(f"{channel} {len(titles) * 2:,}" for channel in ALL_CHANNELS)
    count = people * STEPS_PER_PERSON
    return f"{count:,} steps ({text}), {killed} processes killed: none lost, none after an acknowledgement, {copies} extra copies"


def accepted(running, providers):
    """Return how often each channel's service accepted a message, by channel and title."""
    mails = Counter(("email", TITLE.search(row["subject"])[0]) for row in running.accepted())
    with providers.lock:
        return mails + providers.accepted


@pytest.fixture
def database(transactional_db):
    yield
    connection.close()


def test_steps_survive_killed_workers_and_stop_at_the_acknowledgement(database):
    check_rules(people=1, kills=3)
