"""Beat starts a frequent sweep if it has something to do, once a minute, and whenever the database does not answer."""

import threading
import time

import pytest
from celery.beat import PersistentScheduler
from django.db import OperationalError, connection

from notifications.models import Message
from oncall_site import celery_hooks
from oncall_site.celery import SWEEP_PROBES, app
from oncall_site.celery_hooks import BEAT_SECONDS, MAX_PAUSE_SECONDS, HeartbeatScheduler
from tests.notifications.news import enqueue_news, with_mail
from tests.waiting import PATIENCE_SECONDS

MESSAGES = "sweep messages"


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets, in seconds."""
    seconds = [1000.0]
    monkeypatch.setattr(celery_hooks.time, "monotonic", lambda: seconds[0])
    return seconds


@pytest.fixture
def sent(monkeypatch):
    """The names of the entries that the scheduler sends."""
    names = []
    monkeypatch.setattr(PersistentScheduler, "apply_entry", lambda self, entry, producer=None: names.append(entry.name))
    return names


@pytest.fixture
def beat(tmp_path, sent, transactional_db):
    scheduler = HeartbeatScheduler(app, schedule_filename=str(tmp_path / "beat"))
    yield scheduler
    scheduler.close()


def start(beat, sent, *names):
    """Make entries due now; return those that the scheduler sends."""
    sent.clear()
    for name in names:
        beat.apply_entry(beat.schedule[name])
    return list(sent)


def test_every_probe_has_a_schedule_entry_and_is_false_on_an_empty_site(beat, sent, clock):
    assert SWEEP_PROBES.keys() <= beat.schedule.keys()
    assert start(beat, sent, *SWEEP_PROBES) == list(SWEEP_PROBES), "beat has just started"
    assert start(beat, sent, *SWEEP_PROBES) == []


def test_a_sweep_with_something_to_do_starts_each_time(beat, sent, clock, a):
    start(beat, sent, MESSAGES)
    enqueue_news([with_mail(a)])
    assert start(beat, sent, MESSAGES, MESSAGES) == [MESSAGES, MESSAGES]
    Message.objects.all().delete()
    assert start(beat, sent, MESSAGES) == []


def test_a_sweep_without_anything_to_do_starts_once_a_minute(beat, sent, clock):
    start(beat, sent, MESSAGES)
    clock[0] += MAX_PAUSE_SECONDS - 1
    assert start(beat, sent, MESSAGES) == []
    clock[0] += 1
    assert start(beat, sent, MESSAGES, MESSAGES) == [MESSAGES]


def test_other_tasks_start_each_time(beat, sent, clock):
    assert start(beat, sent, "heartbeat", "heartbeat") == ["heartbeat", "heartbeat"]


@pytest.mark.parametrize("error", [OperationalError("no server"), TypeError("a mistake in a probe")])
def test_after_an_error_all_sweeps_start_for_ten_seconds(beat, sent, clock, monkeypatch, error):
    start(beat, sent, *SWEEP_PROBES)
    asked = []

    def fail(*, at):
        asked.append(at)
        raise error

    monkeypatch.setitem(beat.probes, MESSAGES, fail)
    assert start(beat, sent, MESSAGES, "sweep channels", MESSAGES) == [MESSAGES, "sweep channels", MESSAGES]
    assert len(asked) == 1
    clock[0] += BEAT_SECONDS
    assert start(beat, sent, "sweep channels") == []
    assert start(beat, sent, MESSAGES) == [MESSAGES]
    assert len(asked) == 2


def test_a_database_that_cannot_be_reached_holds_beat_up_once_every_ten_seconds(beat, sent, clock, monkeypatch):
    start(beat, sent, *SWEEP_PROBES)
    waited = []

    def wait(**_):
        waited.append(clock[0])
        clock[0] += 30
        raise OperationalError

    monkeypatch.setattr(beat, "probes", dict.fromkeys(SWEEP_PROBES, wait))
    assert start(beat, sent, *SWEEP_PROBES) == list(SWEEP_PROBES)
    assert len(waited) == 1
    monkeypatch.setattr(celery_hooks.services, "record_beat", wait)
    for _ in range(3):
        beat.tick()
    assert len(waited) == 2


def test_after_a_failed_heartbeat_all_sweeps_start(beat, sent, clock, monkeypatch):
    def fail():
        raise OperationalError

    start(beat, sent, MESSAGES)
    with monkeypatch.context() as patch:
        patch.setattr(celery_hooks.services, "record_beat", fail)
        beat._beat()
    assert start(beat, sent, MESSAGES) == [MESSAGES]
    clock[0] += BEAT_SECONDS
    assert start(beat, sent, MESSAGES) == []


def test_beat_asks_again_after_the_database_restarted(beat, sent, clock):
    start(beat, sent, MESSAGES)
    assert start(beat, sent, MESSAGES) == []
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert start(beat, sent, MESSAGES) == [MESSAGES]
    clock[0] += BEAT_SECONDS
    beat._beat()
    assert start(beat, sent, MESSAGES) == []


def test_a_table_that_is_locked_does_not_stop_beat(beat, sent, clock, monkeypatch):
    monkeypatch.setattr(celery_hooks, "PROBE_SECONDS", 1)
    start(beat, sent, MESSAGES)
    is_locked, is_done = threading.Event(), threading.Event()

    def lock():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE notifications_message")
            is_locked.set()
            is_done.wait(PATIENCE_SECONDS)
            cursor.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=lock)
    thread.start()
    try:
        assert is_locked.wait(PATIENCE_SECONDS)
        assert start(beat, sent, MESSAGES) == [MESSAGES]
        assert not is_done.is_set()
    finally:
        is_done.set()
        thread.join()
    clock[0] += BEAT_SECONDS
    assert start(beat, sent, MESSAGES) == []
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",), "the limit ends with the transaction"


def test_the_heartbeats_share_a_connection(beat, sent):
    beat._beat()
    first = connection.connection
    beat._beat()
    assert connection.connection is first is not None


def test_beat_wakes_up_once_for_a_task(beat, sent):
    """Celery would wake up 10 ms early, and then look at its schedule again and again until the task is due."""
    beat.schedule.clear()
    beat.add(name="soon", task="soon", schedule=0.2)
    beat._beat = lambda: None
    while (pause := beat.tick()) == 0:
        pass
    time.sleep(pause)
    beat.tick()
    assert sent == ["soon"]
