"""Beat starts a frequent sweep if it has something to do, once a minute, and whenever the database does not answer."""

import datetime as dt
import threading

import pytest
from celery.beat import PersistentScheduler, ScheduleEntry
from celery.schedules import schedule
from django.db import OperationalError, connection

from incidents.queries.sweeps import slack_sweep_is_due
from notifications.models import Message, SlackAnswer
from oncall_site import celery_hooks
from oncall_site.celery import SWEEP_PROBES, app
from oncall_site.celery_hooks import (
    ANSWER_SECONDS,
    BEAT_SECONDS,
    MAX_PAUSE_SECONDS,
    SLACK_SECONDS,
    STEP_SECONDS,
    AlignedEntry,
    HeartbeatScheduler,
)
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
    """Make entries due now, after other facts were stored; return those that the scheduler sends."""
    sent.clear()
    beat.answers_end_at = float("-inf")
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
    clock[0] += MAX_PAUSE_SECONDS - STEP_SECONDS
    assert start(beat, sent, MESSAGES) == []
    clock[0] += STEP_SECONDS - SLACK_SECONDS
    assert start(beat, sent, MESSAGES, MESSAGES) == [MESSAGES]


def test_other_tasks_start_each_time(beat, sent, clock):
    assert start(beat, sent, "heartbeat", "heartbeat") == ["heartbeat", "heartbeat"]


@pytest.mark.parametrize("error", [OperationalError("no server"), TypeError("a mistake in a probe")])
def test_after_an_error_all_sweeps_start_until_the_next_heartbeat(beat, sent, clock, monkeypatch, error):
    start(beat, sent, *SWEEP_PROBES)
    asked = []

    def fail(**_):
        asked.append(clock[0])
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(beat.probes, "ask", fail)
        assert start(beat, sent, MESSAGES, "sweep channels", MESSAGES) == [MESSAGES, "sweep channels", MESSAGES]
        assert len(asked) == 1
        clock[0] += BEAT_SECONDS
        assert start(beat, sent, "sweep channels") == ["sweep channels"]
        assert len(asked) == 2
    clock[0] += BEAT_SECONDS
    assert start(beat, sent, MESSAGES) == []


def test_a_probe_that_fails_does_not_stop_beat(beat, sent, clock, monkeypatch):
    start(beat, sent, *SWEEP_PROBES)
    SlackAnswer.objects.create(response_url="https://x", text="Done")

    def fail():
        raise TypeError("a mistake")

    with monkeypatch.context() as patch:
        patch.setattr(slack_sweep_is_due, "needs", fail)
        assert start(beat, sent, MESSAGES, "sweep Slack") == [MESSAGES, "sweep Slack"]
    clock[0] += BEAT_SECONDS
    assert start(beat, sent, MESSAGES, "sweep Slack") == [], "the site has no Slack app"


def test_sweeps_that_are_due_together_ask_once(beat, sent, clock, django_assert_num_queries):
    start(beat, sent, *SWEEP_PROBES)
    start(beat, sent, *SWEEP_PROBES)
    with django_assert_num_queries(1):
        assert start(beat, sent, *SWEEP_PROBES) == []
    clock[0] += ANSWER_SECONDS
    with django_assert_num_queries(1):
        for name in SWEEP_PROBES:
            beat.apply_entry(beat.schedule[name])


def test_each_probe_answers_for_its_own_sweep(beat, sent, clock, a):
    start(beat, sent, *SWEEP_PROBES)
    enqueue_news([with_mail(a)])
    assert start(beat, sent, *SWEEP_PROBES) == [MESSAGES]


def test_a_database_that_cannot_be_reached_holds_beat_up_once_every_ten_seconds(beat, sent, clock, monkeypatch):
    start(beat, sent, *SWEEP_PROBES)
    waited = []

    def wait(**_):
        waited.append(clock[0])
        clock[0] += 30
        raise OperationalError

    monkeypatch.setattr(beat.probes, "ask", wait)
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


@pytest.mark.parametrize(
    ("name", "table"), [(MESSAGES, "notifications_message"), ("sweep Slack", "notifications_slackapp")]
)
def test_a_table_that_is_locked_does_not_stop_beat(beat, sent, clock, monkeypatch, name, table):
    monkeypatch.setattr(celery_hooks, "PROBE_SECONDS", 1)
    # The sweep of Slack asks for the app only if it has rows.
    SlackAnswer.objects.create(response_url="https://x", text="Done")
    start(beat, sent, name)
    is_locked, is_done = threading.Event(), threading.Event()

    def lock():
        with connection.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {table}")
            is_locked.set()
            is_done.wait(PATIENCE_SECONDS)
            cursor.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=lock)
    thread.start()
    try:
        assert is_locked.wait(PATIENCE_SECONDS)
        assert start(beat, sent, name) == [name]
        assert not is_done.is_set()
    finally:
        is_done.set()
        thread.join()
    clock[0] += BEAT_SECONDS
    assert start(beat, sent, name) == []
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",), "the limit ends with the transaction"


def test_each_fifth_step_has_a_heartbeat(beat, sent, clock, monkeypatch):
    beaten = []
    monkeypatch.setattr(celery_hooks.services, "record_beat", lambda: beaten.append(clock[0] - 1000))
    beat.schedule.clear()
    for step in range(11):
        # One step is on time, the next one a little late.
        clock[0] = 1000.0 + step * STEP_SECONDS + 0.3 * (step % 2)
        beat.tick()
    assert [round(seconds) for seconds in beaten] == [0, 15, 30]


def test_the_heartbeats_share_a_connection(beat, sent):
    beat._beat()
    first = connection.connection
    beat._beat()
    assert connection.connection is first is not None


@pytest.fixture
def sky(monkeypatch):
    """The instant for Celery, in seconds. Waiting moves it on."""
    instant = [1_000_000.25]
    monkeypatch.setattr(app, "now", lambda: dt.datetime.fromtimestamp(instant[0], tz=dt.UTC))
    return instant


def run_beat(beat, sky, *, seconds, work=0.003):
    """Run beat for this long, and return the instants at which it woke up. Each look at the schedule takes `work` seconds."""
    woken, end = [], sky[0] + seconds
    while sky[0] < end:
        pause = beat.tick()
        sky[0] += work
        if pause:
            sky[0] += pause
            woken.append(sky[0])
    return woken


def test_tasks_that_are_due_together_wake_beat_up_once(beat, sent, sky):
    """Celery counts each interval from the moment at which it sent the task, so soon all tasks are due at different times."""
    beat.schedule.clear()
    beat._beat = lambda: None
    for name, interval in {"three": 3.0, "six": 6.0, "also six": 6.0, "fifteen": 15.0}.items():
        beat.add(name=name, task=name, schedule=interval)
    woken = run_beat(beat, sky, seconds=90)
    assert [round(instant) for instant in woken] == list(range(1_000_002, 1_000_002 + 3 * len(woken), 3))
    assert {name: sent.count(name) for name in sent} == {"three": 30, "six": 15, "also six": 15, "fifteen": 6}


def test_a_task_is_started_after_each_interval_if_beat_is_slow(beat, sent, sky):
    beat.schedule.clear()
    beat._beat = lambda: None
    beat.add(name="three", task="three", schedule=3.0)
    run_beat(beat, sky, seconds=90, work=0.7)
    assert 29 <= sent.count("three") <= 30


@pytest.mark.parametrize("step", [-3600, -5, 3600])
def test_tasks_keep_their_intervals_when_the_clock_is_set(beat, sent, sky, step):
    beat.schedule.clear()
    beat._beat = lambda: None
    for name, interval in {"three": 3.0, "fifteen": 15.0}.items():
        beat.add(name=name, task=name, schedule=interval)
    run_beat(beat, sky, seconds=90)
    sent.clear()
    sky[0] += step
    run_beat(beat, sky, seconds=90)
    assert {name: abs(sent.count(name) - count) <= 1 for name, count in {"three": 30, "fifteen": 6}.items()} == {
        "three": True,
        "fifteen": True,
    }


def test_a_stored_schedule_of_another_clock_or_version_is_corrected(beat, sent, sky):
    now = app.now()
    late = ScheduleEntry(MESSAGES, "task", now + dt.timedelta(hours=1), 0, schedule(15.0))
    early = ScheduleEntry("sweep channels", "task", now - dt.timedelta(seconds=2, milliseconds=100), 7, schedule(3.0))
    beat.schedule |= {entry.name: entry for entry in (late, early)}
    beat.close()
    beat.setup_schedule()
    rows = [beat.schedule[entry.name] for entry in (late, early)]
    aligned = dt.datetime.fromtimestamp(999_999, tz=dt.UTC)
    assert [(type(row), row.last_run_at, row.total_run_count) for row in rows] == [
        (AlignedEntry, aligned, 0),
        (AlignedEntry, aligned - dt.timedelta(seconds=3), 7),
    ]


def test_all_intervals_are_multiples_of_one_step(beat):
    """Beat is due at these times only, so another interval would keep it busy."""
    intervals = [entry.schedule.seconds for entry in beat.schedule.values() if type(entry.schedule) is schedule]
    assert intervals
    assert [seconds for seconds in intervals if seconds % STEP_SECONDS] == []
