"""After days of downtime: nothing stale is sent, and at most one digest per person (promise 10)."""

import datetime as dt

from django.core import mail
from django.utils import timezone

from notifications.models import Message
from notifications.services.catch_up import merge_overdue
from notifications.services.delivery import deliver_one
from notifications.services.outbox import Invitation
from tests.notifications.news import Secret, enqueue_news, with_mail

DAY = dt.timedelta(days=1)


def sweep():
    Message.objects.drop_expired()
    merge_overdue()
    while deliver_one():
        pass


def test_three_days_of_downtime_are_one_mail_per_person_and_nothing_stale(a, b):
    at = timezone.now()
    for hours in range(10, 70, 10):
        due = at - dt.timedelta(hours=hours)
        enqueue_news([with_mail(a), with_mail(b)], f"useful {hours}", due=due, expires=at + DAY)
        enqueue_news([a], f"stale {hours}", due=due, expires=at - DAY / 24)
        enqueue_news([a], f"obsolete {hours}", due=due, expires=at + DAY)
    sweep()
    sweep()
    assert sorted(sent.to[0] for sent in mail.outbox) == [a.email, b.email]
    body = mail.outbox[0].body
    assert body.count("From Monday on.") == 6
    states = {row.dedup_key.split()[0]: row.state for row in Message.objects.exclude(type="digest")}
    assert states == {"useful": "merged", "stale": "dropped", "obsolete": "dropped"}


def test_a_single_late_message_is_sent_as_it_is(a):
    enqueue_news([with_mail(a)], due=timezone.now() - 2 * DAY, expires=timezone.now() + DAY)
    assert deliver_one() is None, "no worker is quicker than the catch-up"
    sweep()
    assert [sent.subject for sent in mail.outbox] == ["The week is yours"]


def test_late_invitations_are_attached_to_the_digest(a):
    due, expires = timezone.now() - 2 * DAY, timezone.now() + DAY
    enqueue_news([with_mail(a)], "1", due=due, expires=expires)
    enqueue_news([a], "2", due=due, expires=expires, invitation=Invitation("REQUEST", "BEGIN:VCALENDAR"))
    sweep()
    (sent,) = mail.outbox
    last = sent.message().get_payload()[-1]
    assert (last.get_content_type(), last.get_param("method")) == ("text/calendar", "REQUEST")
    assert last.get_filename() == "invitation-1.ics"


def test_a_private_message_is_not_merged(a):
    due, expires = timezone.now() - 2 * DAY, timezone.now() + DAY
    for number in range(3):
        enqueue_news([with_mail(a)], f"{number}", due=due, expires=expires)
    enqueue_news([a], "secret", cls=Secret, due=due, expires=expires)
    sweep()
    assert sorted(sent.subject for sent in mail.outbox) == [
        "3 delayed notifications",
        "The week is yours",
    ]


def test_a_digest_lists_what_is_still_relevant_when_it_is_sent(a):
    due, expires = timezone.now() - 2 * DAY, timezone.now() + DAY
    for number in range(3):
        enqueue_news([with_mail(a)], f"{number}", text=f"Text {number}.", due=due, expires=expires)
    merge_overdue()
    Message.objects.filter(dedup_key="1").update(context={"occurrence": "obsolete", "text": ""})
    deliver_one()
    (sent,) = mail.outbox
    assert sent.subject == "2 delayed notifications"
    assert [f"Text {number}." in sent.body for number in range(3)] == [True, False, True]


def test_a_digest_is_dropped_only_if_nothing_in_it_is_relevant(a):
    due, expires = timezone.now() - 2 * DAY, timezone.now() + DAY
    for number in range(3):
        enqueue_news([with_mail(a)], f"{number}", due=due, expires=expires)
    merge_overdue()
    Message.objects.filter(type="news").update(context={"occurrence": "obsolete", "text": ""})
    deliver_one()
    assert Message.objects.get(type="digest").state == "dropped"
    assert mail.outbox == []
