"""/healthz, /readyz and heartbeats. Those of real workers are in test_compose.py and test_supervisor.py."""

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from notifications.models import Message
from oncall_site import queries, services
from oncall_site.celery import app
from oncall_site.celery_hooks import HeartbeatScheduler
from oncall_site.models import Heartbeat
from oncall_site.tasks import record_heartbeat

ROOT = Path(__file__).parents[2]


def test_healthz_answers_without_sign_in(client, db):
    assert client.get("/healthz").json() == {"alive": True}


def test_readyz_names_the_part_that_is_down(client, db):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert parts["database"]["ok"]
    assert parts["broker"]["ok"]
    assert parts["worker"] == parts["beat"] == {"ok": False, "detail": "no heartbeat yet"}


def test_readyz_is_200_after_a_heartbeat_of_worker_and_beat(client, db):
    record_heartbeat()
    assert not client.get("/readyz").json()["ready"]
    services.record_beat()
    assert client.get("/readyz").json()["ready"]


@pytest.mark.parametrize("part", ["worker", "beat"])
def test_an_old_heartbeat_counts_as_down(client, db, part):
    services.record_heartbeat(worker="celery@one")
    services.record_beat()
    Heartbeat.objects.filter(part__startswith=part).update(seen_at=Now() - queries.STALE_AFTER * 2)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [name for name, health in answer.json()["parts"].items() if not health["ok"]] == [part]
    assert "last heartbeat" in answer.json()["parts"][part]["detail"]


def test_one_of_two_workers_is_enough_and_old_heartbeats_are_deleted(client, db):
    services.record_beat()
    services.record_heartbeat(worker="celery@one")
    Heartbeat.objects.filter(part="worker celery@one").update(seen_at=Now() - queries.STALE_AFTER * 2)
    services.record_heartbeat(worker="celery@two")
    assert client.get("/readyz").json()["parts"]["worker"]["ok"]
    Heartbeat.objects.filter(part="worker celery@one").update(seen_at=Now() - services.HEARTBEAT_RETENTION * 2)
    services.record_heartbeat(worker="celery@two")
    assert [part for part, _ in queries.heartbeats()] == ["beat", "worker celery@two"]


def test_the_health_check_command_fails_without_a_heartbeat(db, capsys):
    with pytest.raises(CommandError, match="beat: no heartbeat yet"):
        call_command("healthy", "beat")
    services.record_beat()
    call_command("healthy", "beat")
    assert "beat: last heartbeat" in capsys.readouterr().out


def test_an_unreachable_broker_counts_as_down(client, db, monkeypatch):
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {"socket_connect_timeout": 1})
    assert not client.get("/readyz").json()["parts"]["broker"]["ok"]


def test_only_the_heartbeat_is_due_when_beat_starts(tmp_path):
    scheduler = HeartbeatScheduler(app, schedule_filename=str(tmp_path / "beat"))
    due = [name for name, entry in scheduler.schedule.items() if entry.is_due().is_due]
    scheduler.close()
    assert due == ["heartbeat"]


def test_admins_are_notified_once_when_delivery_works_again(admin, a):
    services.record_heartbeat(worker="celery@one")
    services.record_heartbeat(worker="celery@one")
    assert Message.objects.count() == 0
    stopped_at = timezone.now() - dt.timedelta(minutes=12)
    Heartbeat.objects.update(seen_at=stopped_at)
    for worker in ("celery@one", "celery@two", "celery@one"):
        services.record_heartbeat(worker=worker)
    [message] = Message.objects.all()
    assert (message.recipient, message.type) == (admin, "delivery-resumed")
    assert message.subject == "Notifications were not delivered for 12 min"
