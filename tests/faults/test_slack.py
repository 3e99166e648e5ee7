"""Promise 40: while workers are killed, each message in Slack finally shows the last state of its incident."""

import contextlib
import random

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from incidents.models import Incident, SlackPost
from incidents.services.transitions import NewIncident, acknowledge, open_incident, reassign, resolve
from notifications.domain.rules import Step
from notifications.models import Message, SlackMember
from notifications.services.preferences import update_rules
from tests.factories import add_contact_method, make_engineer, make_pipeline
from tests.faults.workers import site
from tests.notifications.channels.slack import SECRET, TOKEN, FakeSlack
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.xdist_group("messages")]

# One message of each: below the limit of messages per person.
INCIDENTS_PER_PERSON = 4


def open_incidents(slack, people):
    """Open incidents of people with Slack; return them with their owners."""
    incidents = []
    for number in range(people):
        pair = [make_engineer(f"{name} {number}", email=f"{name}{number}@example.org") for name in ("first", "second")]
        for place, owner in enumerate(pair):
            slack.join(owner, f"U{number}X{place}")
            member = {"email": owner.email, "slack_id": f"U{number}X{place}", "looked_up_at": timezone.now()}
            SlackMember.objects.create(person=owner, **member)
            add_contact_method(owner, channel="slack_dm", address=owner.email)
            update_rules(owner, rules={"high": [Step(0, "slack_dm"), Step(60, "email")]})
        pipeline = make_pipeline(f"Pipeline {number}", primary=pair[0], secondary=pair[1])
        for place in range(INCIDENTS_PER_PERSON):
            what = NewIncident(kind="issue", title=f"No. {place}")
            incidents.append((open_incident(pipeline, what=what, by=None, at=timezone.now()), pair))
    # The chain is not tested here.
    Incident.objects.update(next_escalation_at=None)
    return incidents


def wait_for(running, condition, *, kills, source):
    """Wait for a condition while senders are killed; return the number of kills."""
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
        SlackPost.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now())
        return condition()

    wait_until(is_done, why="messages do not show the last state", every=0.3)
    return killed


def check_slack(*, people, kills):
    """Every incident changes several times while workers are killed; every message shows its last state."""
    source = random.Random(39)
    slack = FakeSlack()
    slack.delay_seconds = 0.05
    variables = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET}
    try:
        with pytest.MonkeyPatch.context() as patch, site() as running:
            for name, value in variables.items():
                patch.setenv(name, value)
                patch.setattr(f"django.conf.settings.{name}", value)
            incidents = open_incidents(slack, people)
            running.worker("worker-0")
            running.worker("worker-1")
            running.beat("beat")
            waiting = Message.objects.filter(type="incident-escalated", channel="slack_dm").exclude(state="sent")
            killed = wait_for(running, lambda: not waiting.exists(), kills=kills, source=source)
            slack.failures["chat.update"] = [(429, {"Retry-After": "1"}, {}), (503, {}, {})]
            for number, (incident, pair) in enumerate(incidents):
                acknowledge(incident, by=pair[0], at=timezone.now())
                if number % 2:
                    reassign(incident, to=pair[1], by=pair[0], at=timezone.now())
                if number % 3 == 0:
                    resolve(incident, by=pair[1], at=timezone.now())
            Incident.objects.update(next_escalation_at=None)
            stale = SlackPost.objects.stale()
            killed += wait_for(running, lambda: not waiting.exists() and not stale.exists(), kills=kills, source=source)
    finally:
        slack.stop()
    posts = list(SlackPost.objects.select_related("incident"))
    assert {post.incident_id for post in posts} == {incident.pk for incident, _ in incidents}
    for post in posts:
        text = str(slack.messages[post.channel, post.ts]["blocks"])
        assert f"*State*\\n{post.incident.get_state_display()}" in text
        assert str(post.incident.assignee) in text
    updates = slack.names().count("chat.update")
    return f"{len(posts)} messages, {updates} updates, {killed} processes killed: each shows the last state"


@pytest.fixture
def database(transactional_db):
    yield
    connection.close()


def test_messages_in_slack_show_the_last_state_under_killed_workers(database):
    check_slack(people=3, kills=3)
