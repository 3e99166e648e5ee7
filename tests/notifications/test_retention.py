"""The outbox does not grow for ever: old finished messages are deleted, and nothing else."""

import datetime as dt

import pytest
from django.utils import timezone

from notifications import outbox_row, tasks
from notifications.models import Message
from tests.notifications.news import enqueue_news
from tests.statements import plan

DAY = dt.timedelta(days=1)
State = Message.State


@pytest.fixture
def left(a):
    """Return a function that creates a message in a state that expired some days ago."""

    def leave(state, days, **fields):
        over = timezone.now() - days * DAY
        name = f"{Message.objects.count()}"
        enqueue_news([a], name, due=over - DAY, expires=over)
        row = Message.objects.get(dedup_key=name)
        held = {"sent_at": over - DAY} if state == State.SENT else {}
        Message.objects.filter(pk=row.pk).update(state=state, **held, **fields)
        return row

    return leave


def purge_finished():
    return Message.objects.purgeable().delete_batch()


def kept():
    return set(Message.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("state", [State.SENT, State.DROPPED])
def test_a_finished_message_is_deleted_ninety_days_after_it_expired(left, state):
    old, young = left(state, 91), left(state, 89)
    assert purge_finished() == 1
    assert old.pk not in kept()
    assert kept() == {young.pk}
    assert purge_finished() == 0


@pytest.mark.parametrize("state", [State.PENDING, State.FAILED])
def test_failed_and_waiting_messages_are_never_deleted(left, state):
    row = left(state, 4000)
    assert purge_finished() == 0
    assert kept() == {row.pk}


def test_a_sent_message_stays_until_it_expires_so_that_it_is_not_sent_twice(a):
    at = timezone.now()
    times = {"due": at - 200 * DAY, "expires": at + DAY}
    assert enqueue_news([a], "long", **times) == 1
    Message.objects.update(state=State.SENT, sent_at=at - 200 * DAY)
    assert purge_finished() == 0
    assert enqueue_news([a], "long", **times) == 0


def test_a_digest_stays_until_its_messages_are_gone(left):
    catch_up = left(State.SENT, 300)
    left(State.MERGED, 200, merged_into=catch_up)
    young = left(State.MERGED, 50, merged_into=catch_up)
    assert purge_finished() == 1
    assert kept() == {catch_up.pk, young.pk}
    Message.objects.filter(pk=young.pk).update(expires_at=timezone.now() - 91 * DAY)
    assert [purge_finished(), purge_finished(), purge_finished()] == [1, 1, 0]
    assert kept() == set()


def test_the_setting_decides_how_long(left, settings):
    settings.MESSAGE_RETENTION_DAYS = 10
    left(State.SENT, 11)
    left(State.SENT, 9)
    assert purge_finished() == 1


def test_the_nightly_task_deletes_in_batches_within_its_time(left, monkeypatch):
    monkeypatch.setattr(outbox_row, "PURGE_BATCH_SIZE", 2)
    for _ in range(5):
        left(State.SENT, 100)
    monkeypatch.setattr(tasks, "PURGE_SECONDS", -1)
    tasks.purge_finished()
    assert Message.objects.count() == 3
    monkeypatch.setattr(tasks, "PURGE_SECONDS", 60)
    tasks.purge_finished()
    assert Message.objects.count() == 0


def test_the_purge_runs_every_night():
    from oncall_site.celery import app

    [entry] = [one for one in app.conf.beat_schedule.values() if one["task"] == tasks.purge_finished.name]
    assert entry["schedule"].hour == {3}
    assert len(entry["schedule"].minute) == 1


def test_the_purge_uses_an_index(db):
    assert "message_finished" in plan(Message.objects.purgeable().order_by("expires_at"))
