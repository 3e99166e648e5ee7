"""The message sweep first runs one statement, which finds every kind of work. Beat runs the same before it starts the sweep."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from notifications import tasks
from notifications.models import ContactMethod, EmailRejection, Message, PushDevice
from notifications.queries.sweep import sweep_is_due
from people.models import User
from tests.notifications.news import enqueue_news, with_mail

DAY = dt.timedelta(days=1)
DEVICE = {"name": "Phone", "endpoint": "x", "service": "x", "p256dh": "x", "auth": "x", "endpoint_digest": "x"}


def change_message(person, **fields):
    enqueue_news([with_mail(person)])
    Message.objects.update(**fields)


def add_device(person, **fields):
    PushDevice.objects.create(person=person, **DEVICE, **fields)


def reactivate(person):
    add_device(person)
    User.objects.filter(pk=person.pk).update(reactivated_at=timezone.now() + DAY)


def add_method(person):
    fields = {"address": "x", "address_digest": "x", "switched_off_at": timezone.now()}
    ContactMethod.objects.create(person=person, channel="webhook", **fields)


def reject_address(person):
    with_mail(person)
    EmailRejection.objects.create(person=person, address=person.email, problem="550", rejected_at=timezone.now())


WORK = {
    "due": lambda person, at: change_message(person),
    "late": lambda person, at: change_message(person, due_at=at - DAY, expires_at=at + DAY),
    "to retry": lambda person, at: change_message(person, attempts=1, retry_at=at),
    "expired": lambda person, at: change_message(person, due_at=at - DAY, expires_at=at),
    "of a dead sender": lambda person, at: change_message(
        person, state="sending", token=uuid.uuid4(), lease_until=at - DAY
    ),
    "of a dead sender, expired": lambda person, at: change_message(
        person, state="sending", token=uuid.uuid4(), lease_until=at - DAY, due_at=at - 2 * DAY, expires_at=at - DAY
    ),
    "a device that was turned off": lambda person, at: add_device(person, switched_off_at=at),
    "a device of before the reactivation": lambda person, at: reactivate(person),
    "a contact method that was turned off": lambda person, at: add_method(person),
    "a rejected address": lambda person, at: reject_address(person),
}


@pytest.mark.parametrize("work", WORK)
def test_the_statement_finds_every_kind_of_work(a, monkeypatch, work):
    monkeypatch.setattr(tasks.deliver, "delay", lambda: None)
    at = timezone.now()
    assert not sweep_is_due(at=at)
    WORK[work](a, at)
    assert sweep_is_due(at=at)


def test_a_sweep_without_work_is_one_statement(a, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(tasks.deliver, "delay", lambda: None)
    change_message(a, state="sent", sent_at=timezone.now())
    tasks.sweep()
    with django_assert_num_queries(1):
        tasks.sweep()


def test_messages_that_are_being_sent_or_not_due_are_no_work(a):
    at = timezone.now()
    change_message(a, state="sending", token=uuid.uuid4(), lease_until=at + DAY)
    assert not sweep_is_due(at=at)
    Message.objects.update(due_at=at - 2 * DAY, expires_at=at - DAY)
    assert not sweep_is_due(at=at), "the worker that sends it knows whether it arrived"
    assert Message.objects.drop_expired() == 0
    Message.objects.update(state="pending", token=None, lease_until=None, due_at=at + DAY, expires_at=at + 2 * DAY)
    assert not sweep_is_due(at=at)
    # The sweep reads the database's clock: another one must not start it early.
    assert not sweep_is_due(at=at + 2 * DAY)
