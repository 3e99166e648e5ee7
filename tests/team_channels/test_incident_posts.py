"""Posts about incidents: one for each step that a channel wants, in the transaction of the step."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from incidents.models import Incident
from incidents.services.alerts import ingest_alerts
from incidents.services.escalation import escalate_due
from incidents.services.transitions import NewIncident, acknowledge, open_incident, reassign, reopen, resolve
from scheduling.models import PipelineRotation
from team_channels.models import ChannelDelivery
from team_channels.services.delivery import deliver_one
from tests.security.permission_matrix import ALERT, ALERTS
from validation.importers.alertmanager import read_alerts

MINUTE = dt.timedelta(minutes=1)
WHAT = NewIncident(kind="delay", title="Orders are late", text="Since *midnight* @channel")


def posted(channel=None):
    rows = ChannelDelivery.objects.order_by("pk")
    return list((rows.filter(channel=channel) if channel else rows).values_list("event", flat=True))


def test_each_step_is_posted_once(make_channel, pipeline, a, b):
    make_channel()
    at = timezone.now()
    incident = open_incident(pipeline, what=WHAT, by=a, at=at)
    assert posted() == ["incident.opened"]
    assert escalate_due(at=at + 16 * MINUTE) == 1
    reassign(incident, to=a, by=b, at=at + 17 * MINUTE)
    acknowledge(incident, by=a, at=at + 18 * MINUTE)
    resolve(incident, by=a, at=at + 19 * MINUTE, text="Restarted the loader.")
    reopen(incident, by=a, at=at + 20 * MINUTE, text="It is back.")
    assert posted() == [
        "incident.opened",
        "incident.escalated",
        "incident.reassigned",
        "incident.acknowledged",
        "incident.resolved",
        "incident.reopened",
    ]
    assert ChannelDelivery.objects.values("event_id").distinct().count() == 6
    resolved = ChannelDelivery.objects.get(event="incident.resolved")
    assert resolved.text == "Restarted the loader."
    assert dict(resolved.fact_pairs)["By"] == "Engineer A"


def test_a_webhook_gets_the_incident_as_the_api_names_it(make_channel, pipeline, a, peer):
    make_channel()
    incident = open_incident(pipeline, what=WHAT, by=a, at=timezone.now())
    deliver_one()
    [(_, _, body)] = peer.requests
    entry = incident.timeline.get(kind="opened")
    assert {name: body[name] for name in ("version", "id", "type", "title", "url")} == {
        "version": 1,
        "id": f"incident-{incident.pk}-{entry.pk}",
        "type": "incident.opened",
        "title": "Opened: Orders: Orders are late",
        "url": f"http://127.0.0.1:8000/incidents/{incident.pk}/",
    }
    row = body["data"]["incident"]
    assert (row["id"], row["pipeline"], row["state"], row["severity"]) == (incident.pk, "orders", "open", "high")
    assert row["notified"] == ["engineer-a"]
    assert body["data"]["by"] == "engineer-a"


def test_channels_get_chosen_events_and_rotations_those_of_their_pipelines(make_channel, pipeline, rotation, a):
    PipelineRotation.objects.create(pipeline=pipeline, rotation=rotation)
    subscriber = make_channel(events=["incident.opened"])
    not_wanting = make_channel(events=["incident.resolved"])
    of_rotation = make_channel(rotation=rotation)
    open_incident(pipeline, what=WHAT, by=a, at=timezone.now())
    assert [posted(channel) for channel in (subscriber, not_wanting, of_rotation)] == [
        ["incident.opened"],
        [],
        ["incident.opened"],
    ]


def test_a_storm_is_one_post(make_channel, pipeline):
    make_channel()
    alerts = [
        {**ALERT, "labels": {"alertname": f"Late {number}", "pipeline": "orders"}, "fingerprint": f"{number:x}"}
        for number in range(100)
    ]
    ingest_alerts(read_alerts({**ALERTS, "alerts": alerts}), at=timezone.now())
    assert (Incident.objects.count(), posted()) == (1, ["incident.opened"])


def test_a_step_that_is_rolled_back_is_not_posted(make_channel, pipeline, a):
    make_channel()
    with transaction.atomic():
        open_incident(pipeline, what=WHAT, by=a, at=timezone.now())
        transaction.set_rollback(True)
    assert (Incident.objects.count(), posted()) == (0, [])


def test_the_second_message_of_an_escalation_names_everyone_notified(make_channel, pipeline, a, b):
    make_channel()
    at = timezone.now()
    open_incident(pipeline, what=WHAT, by=None, at=at)
    escalate_due(at=at + 16 * MINUTE)
    row = ChannelDelivery.objects.get(event="incident.escalated")
    assert dict(row.fact_pairs)["Notified"] == "Engineer A, Engineer B"
