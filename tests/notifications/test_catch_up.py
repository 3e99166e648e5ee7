"""After days down: nothing stale is sent, and at most one catch-up mail a person (promise 10)."""

import datetime as dt

from django.core import mail
from django.utils import timezone

from notifications.models import Message
from notifications.services.catch_up import drop_expired, merge_overdue
from notifications.services.delivery import deliver_one
from notifications.services.outbox import Invitation, enqueue
from tests.notifications.news import Page, Secret, enqueue_news, with_mail

DAY = dt.timedelta(days=1)


def sweep():
    drop_expired()
    merge_overdue()
    while deliver_one():
        pass


def test_three_days_down_are_one_mail_a_person_and_nothing_stale(a, b):
    kind("gone", is_still_relevant=lambda message, at: False)
    at = timezone.now()
    for hours in range(10, 70, 10):
        due = at - dt.timedelta(hours=hours)
        enqueue_news([with_mail(a), with_mail(b)], f"useful {hours}", due=due, expires=at + DAY)
        enqueue_news([a], f"stale {hours}", due=due, expires=at - DAY / 24)
        enqueue_news([a], f"untrue {hours}", kind="gone", due=due, expires=at + DAY)
    sweep()
    sweep()
    assert sorted(sent.to[0] for sent in mail.outbox) == [a.email, b.email]
    body = mail.outbox[0].body
    assert body.count("From Monday on.") == 6
    states = {row.occurrence.split()[0]: row.state for row in Message.objects.exclude(kind="catch-up")}
    assert states == {"useful": "merged", "stale": "dropped", "untrue": "dropped"}


def test_a_single_late_message_goes_as_it_is(a):
    enqueue_news([with_mail(a)], due=timezone.now() - 2 * DAY, expires=timezone.now() + DAY)
    assert deliver_one() is None, "no worker is quicker than the catch-up"
    sweep()
    assert [sent.subject for sent in mail.outbox] == ["The week is yours"]


def test_late_invitations_come_with_the_catch_up(a):
    due, expires = timezone.now() - 2 * DAY, timezone.now() + DAY
    enqueue_news([with_mail(a)], "1", due=due, expires=expires)
    enqueue_news([a], "2", due=due, expires=expires, invitation=Invitation("REQUEST", "BEGIN:VCALENDAR"))
    sweep()
    (sent,) = mail.outbox
    last = sent.message().get_payload()[-1]
    assert (last.get_content_type(), last.get_param("method")) == ("text/calendar", "REQUEST")
    assert last.get_filename() == "invitation-1.ics"


def test_what_is_private_is_no_part_of_a_catch_up(a):
    kind("secret", private=True)
    due, expires = timezone.now() - 2 * DAY, timezone.now() + DAY
    for number in range(3):
        enqueue_news([with_mail(a)], f"{number}", due=due, expires=expires)
    enqueue_news([a], "secret", cls=Secret, due=due, expires=expires)
    sweep()
    assert sorted(sent.subject for sent in mail.outbox) == [
        "3 messages that could not be sent in time",
        "The week is yours",
    ]
