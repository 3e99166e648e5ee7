"""A webhook with many alerts: the same incidents as alert by alert, in a bounded number of statements, up to a limit."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.models import Alert, Incident
from incidents.services import alerts as service
from notifications.models import Message
from tests.factories import bearer
from tests.security.permission_matrix import ALERT, ALERTS

pytestmark = pytest.mark.django_db
# What one alert takes; a hundred in one group take no more.
MAX_STORM_STATEMENTS = 60


@pytest.fixture
def send(client, daily_growth, a):
    headers = bearer(a)

    def post(numbers, *, status="firing", **more):
        labels = {"alertname": "Late", "pipeline": daily_growth.slug}
        rows = [
            {**ALERT, "labels": labels, "fingerprint": f"f{number}", "status": status, **more.get("fields", {})}
            for number in numbers
        ]
        body = {**ALERTS, "groupKey": more.get("group", "g"), "alerts": rows}
        return client.post("/api/v1/integrations/alertmanager/", body, content_type="application/json", **headers)

    return post


RESOLVED = {"status": "resolved", "fields": {"endsAt": "2026-11-25T10:00:00Z"}}


def entries():
    return [(row.kind, row.data.get("times")) for row in Incident.objects.get().timeline.order_by("pk")]


@pytest.fixture
def small_batches(monkeypatch):
    """Batches of ten alerts, so that few alerts need several."""
    monkeypatch.setattr(service, "ALERTS_PER_BATCH", 10)


def test_a_group_opens_one_incident_and_its_last_alert_resolves_it(send, small_batches):
    assert send(range(25)).json() == {"firing": 25, "closed": 0, "unmapped": [], "ignored": []}
    incident = Incident.objects.get()
    assert Alert.objects.filter(incident=incident, is_firing=True).count() == 25
    assert entries()[-1] == ("alert_added", 24)
    assert send(range(24), **RESOLVED).json() == {"firing": 0, "closed": 0, "unmapped": [], "ignored": []}
    assert entries()[-1] == ("alert_resolved", 24)
    assert send(range(24, 25), **RESOLVED).json() == {"firing": 0, "closed": 1, "unmapped": [], "ignored": []}
    assert entries()[-2:] == [("alert_resolved", 24), ("resolved", None)]


def test_sending_a_webhook_twice_changes_nothing(send, small_batches):
    send(range(15))
    before = entries()
    assert send(range(15)).json() == {"firing": 15, "closed": 0, "unmapped": [], "ignored": []}
    assert entries()[: len(before)] == before
    assert Incident.objects.count() == 1


def test_an_alert_twice_in_a_webhook_takes_its_last_state(send, client, daily_growth, a):
    labels = {"alertname": "Late", "pipeline": daily_growth.slug}
    first = {**ALERT, "labels": labels, "fingerprint": "f"}
    last = {**first, "status": "resolved", "endsAt": "2026-11-25T10:00:00Z"}
    body = {**ALERTS, "alerts": [first, last]}
    answer = client.post("/api/v1/integrations/alertmanager/", body, content_type="application/json", **bearer(a))
    assert answer.json() == {"firing": 1, "closed": 1, "unmapped": [], "ignored": []}
    assert Incident.objects.get().state == "resolved"


def test_the_statements_of_a_batch_do_not_grow_with_its_alerts(send):
    counts = []
    for first, number in ((0, 5), (1000, service.ALERTS_PER_BATCH)):
        send([first])
        with CaptureQueriesContext(connection) as captured:
            send(range(first + 1, first + 1 + number - 1))
        counts.append(len(captured))
    assert counts[1] <= counts[0]


def test_a_storm_of_100_alerts_opens_one_incident_and_sends_one_message_in_few_statements(send):
    with CaptureQueriesContext(connection) as captured:
        assert send(range(100)).json()["firing"] == 100
    assert (Incident.objects.count(), Message.objects.count()) == (1, 1)
    assert Alert.objects.filter(incident=Incident.objects.get()).count() == 100
    assert len(captured) <= MAX_STORM_STATEMENTS


def test_too_many_alerts_are_refused_and_change_nothing(send, monkeypatch):
    monkeypatch.setattr(service, "MAX_ALERTS", 3)
    answer = send(range(4))
    assert (answer.status_code, list(answer.json())) == (400, ["alerts"])
    assert Alert.objects.count() == 0
