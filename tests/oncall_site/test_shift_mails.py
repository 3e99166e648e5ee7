"""Mails before a shift and about the week ahead, from beat's task to the mail server."""

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from notifications.models import Message
from notifications.services.delivery import deliver_one
from notifications.services.preferences import update_preferences
from oncall_site import tasks
from people.models import User
from scheduling.services.rotations import create_rotation, join_rotation
from tests.factories import make_runbook

DAY = dt.timedelta(days=1)


@pytest.fixture
def make_shift(a, b, admin, daily_growth):
    """Return a function that gives A a shift starting in some days."""
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    User.objects.filter(pk=admin.pk).update(email="admin@example.org")

    def make(days):
        at = timezone.now()
        weekday = (at + days * DAY).weekday()
        hour = (at + dt.timedelta(hours=1)).time().replace(minute=0, second=0, microsecond=0)
        rotation = create_rotation(
            name="Weekly", engineers=[b, a], handoff_weekday=weekday, handoff_time=hour, by=admin, at=at
        )
        join_rotation(rotation, pipelines=[daily_growth])
        make_runbook(daily_growth, author=b)
        return rotation.weeks.filter(engineer=a, starts_at__gt=at).earliest("starts_at")

    return make


def deliver_due():
    """Deliver what is due; return the subjects by recipient."""
    while deliver_one():
        pass
    return {message.to[0]: message.subject for message in mail.outbox}


def test_the_engineer_gets_a_mail_days_before_and_the_admins_none_yet(make_shift):
    make_shift(4)
    tasks.check_shifts()
    tasks.check_shifts()
    [(address, subject)] = deliver_due().items()
    assert (address, len(mail.outbox)) == ("a@example.org", 1)
    assert subject.startswith("Prepare for your on-call shift on ")
    assert "- Confirm that urgent messages reach you" in mail.outbox[0].body
    assert "- Read the updated runbook of " in mail.outbox[0].body


def test_the_admins_get_a_mail_two_days_before(make_shift):
    make_shift(1)
    tasks.check_shifts()
    sent = deliver_due()
    assert set(sent) == {"a@example.org", "admin@example.org"}
    assert sent["admin@example.org"].startswith("Engineer A is not ready for the shift on ")


def test_the_week_ahead_is_mailed_on_monday_to_those_who_want_it(make_shift, a, monkeypatch):
    make_shift(3)
    update_preferences(a, channels={"week-ahead": ["email"]}, quiet=None)
    now = timezone.now()
    monday = dt.datetime.combine(now.date() + (7 - now.weekday()) * DAY, dt.time(7, 1), dt.UTC)
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: monday)
        tasks.check_shifts()
        tasks.check_shifts()
    Message.objects.exclude(type="week-ahead").delete()
    Message.objects.update(due_at=now, expires_at=now + DAY)
    sent = deliver_due()
    assert list(sent) == ["a@example.org"]
    assert "week" in sent["a@example.org"].lower()
    assert "- On call for Weekly: " in mail.outbox[0].body
