"""Beat starts the sweeps of evidence, Slack and escalations if they have something to do."""

import datetime as dt
import uuid

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from incidents.models import Evidence, Incident, QueryApproval, SlackPost
from incidents.queries.sweeps import escalation_sweep_is_due, evidence_sweep_is_due, slack_sweep_is_due
from incidents.services.drills import start_drill
from incidents.services.escalation import escalate_due
from incidents.services.evidence import claim_evidence, request_evidence
from incidents.services.maintenance import schedule_maintenance
from incidents.services.transitions import acknowledge, resolve, snooze
from incidents.tasks import escalate
from notifications.models import SlackAnswer, SlackApp
from notifications.queries.slack import ANSWER_LIFETIME
from people.models import User
from tests.incidents.test_incidents import MINUTE, make_incident
from validation.models import DataSource

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def incident(pipeline, now):
    return make_incident(pipeline, at=now)


@pytest.fixture
def evidence(incident, now):
    """Evidence that waits for an approval. Its incident needs no other."""
    request_evidence(at=now)
    fields = {"incident": incident, "revision": 1, "step": 1, "kind": "sql", "name": "Warehouse", "key": "key"}
    source = DataSource.objects.create(name="Warehouse", address="sqlite:///x")
    return Evidence.objects.create(
        **fields, source=source, query="SELECT 1", requested_at=now, round=1, state="waiting"
    )


def test_evidence_is_requested_for_a_new_incident(pipeline, now):
    assert not evidence_sweep_is_due(at=now)
    incident = make_incident(pipeline, at=now)
    assert evidence_sweep_is_due(at=now)
    request_evidence(at=now)
    assert not evidence_sweep_is_due(at=now)
    Incident.objects.filter(pk=incident.pk).update(round=2)
    assert evidence_sweep_is_due(at=now)
    resolve(incident, by=None, at=now)
    assert not evidence_sweep_is_due(at=now)


def test_waiting_evidence_is_due_once_it_is_approved(evidence, incident, admin, now):
    other = DataSource.objects.create(name="Other", address="sqlite:///y")
    approval = {"query": "SELECT 1", "digest": "x", "approved_by": admin, "approved_at": now}
    QueryApproval.objects.create(source=other, **approval)
    assert not evidence_sweep_is_due(at=now)
    QueryApproval.objects.create(source=evidence.source, **approval)
    assert evidence_sweep_is_due(at=now)
    resolve(incident, by=None, at=now)
    assert not evidence_sweep_is_due(at=now)


def test_waiting_evidence_without_its_data_source_is_due(evidence, now):
    evidence.source.delete()
    assert evidence_sweep_is_due(at=now)


def test_due_evidence_is_claimed_and_claimed_again_after_its_lease(evidence, now):
    Evidence.objects.update(state="pending", due_at=now)
    assert not evidence_sweep_is_due(at=now - MINUTE)
    assert claim_evidence(at=now - MINUTE) == []
    assert evidence_sweep_is_due(at=now)
    assert len(claim_evidence(at=now)) == 1
    assert not evidence_sweep_is_due(at=now)
    assert evidence_sweep_is_due(at=now + HOUR)
    assert len(claim_evidence(at=now + HOUR)) == 1


@pytest.fixture
def slack(db):
    SlackApp.objects.create(pk=1, bot_token="x", signing_secret="x")


def is_slack_due():
    return slack_sweep_is_due(at=timezone.now())


def test_slack_answers_are_due_until_they_are_posted_or_expire(slack):
    assert not is_slack_due()
    SlackAnswer.objects.create(response_url="https://x", text="Done")
    assert is_slack_due()
    SlackAnswer.objects.update(token=uuid.uuid4(), lease_until=Now() + HOUR)
    assert not is_slack_due(), "a worker posts it"
    SlackAnswer.objects.update(created_at=Now() - ANSWER_LIFETIME)
    assert is_slack_due(), "nobody waits for it any more"
    SlackAnswer.objects.update(created_at=Now(), lease_until=Now() - MINUTE)
    assert is_slack_due(), "the worker died"
    SlackAnswer.objects.update(token=None, lease_until=None, retry_at=Now() + HOUR)
    assert not is_slack_due(), "it waits for another attempt"


def test_slack_messages_are_due_until_they_show_the_newest_state(slack, incident):
    newest = incident.timeline.latest("pk").pk
    post = SlackPost.objects.create(incident=incident, channel="C1", ts="1", shown_entry=newest)
    assert not is_slack_due()
    acknowledge(incident, by=incident.escalation_steps.get().engineer, at=timezone.now())
    assert is_slack_due()
    SlackPost.objects.filter(pk=post.pk).update(stopped_at=Now())
    assert not is_slack_due()


def test_nothing_is_due_without_a_slack_app(db, settings):
    SlackAnswer.objects.create(response_url="https://x", text="Done")
    assert not is_slack_due()
    settings.SLACK_BOT_TOKEN = "xoxb-1"
    assert is_slack_due()


def test_an_escalation_is_due_at_its_time_and_not_once_acknowledged(incident, now, a):
    assert not escalation_sweep_is_due(at=now + 14 * MINUTE)
    assert escalation_sweep_is_due(at=now + 15 * MINUTE)
    assert escalate_due(at=now + 15 * MINUTE) == 1
    assert not escalation_sweep_is_due(at=now + 15 * MINUTE)
    acknowledge(incident, by=a, at=now + 16 * MINUTE)
    assert not escalation_sweep_is_due(at=now + 10 * HOUR)


def test_a_snooze_ends_and_a_deactivated_assignee_is_replaced(incident, now, a):
    acknowledge(incident, by=a, at=now)
    snooze(incident, until=now + HOUR, by=a, at=now)
    assert not escalation_sweep_is_due(at=now + 59 * MINUTE)
    assert escalation_sweep_is_due(at=now + HOUR)
    Incident.objects.update(snoozed_until=None)
    assert not escalation_sweep_is_due(at=now + HOUR)
    User.objects.filter(pk=a.pk).update(is_active=False)
    assert escalation_sweep_is_due(at=now + HOUR)


def test_maintenance_holds_an_incident_and_releases_it(incident, pipeline, now, admin):
    schedule_maintenance(pipeline, starts_at=now + MINUTE, ends_at=now + HOUR, reason="Upgrade", by=admin, at=now)
    assert not escalation_sweep_is_due(at=now)
    assert escalation_sweep_is_due(at=now + MINUTE)
    escalate_due(at=now + MINUTE)
    assert not escalation_sweep_is_due(at=now + 2 * MINUTE)
    assert escalation_sweep_is_due(at=now + HOUR)


def test_an_incident_that_is_held_upstream_always_starts_the_sweep(incident, now):
    Incident.objects.update(hold="upstream", next_escalation_at=None)
    assert escalation_sweep_is_due(at=now)


def test_a_drill_ends_after_four_hours(pipeline, now, b):
    start_drill(pipeline, by=b, at=now)
    Incident.objects.update(next_escalation_at=None)
    assert not escalation_sweep_is_due(at=now + 3 * HOUR)
    assert escalation_sweep_is_due(at=now + 4 * HOUR)
    escalate()
    assert not escalation_sweep_is_due(at=now + 4 * HOUR)
