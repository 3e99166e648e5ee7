"""At most ten incident messages in ten minutes, then one summary."""

import datetime as dt

import pytest
from django.core import mail
from django.db.models import F

from notifications.models import Message
from notifications.services.delivery import deliver_one
from tests.notifications.news import Incident, Page, enqueue_news, with_mail

MINUTE = dt.timedelta(minutes=1)


def deliver():
    while deliver_one():
        pass


def let_pass(span):
    """Move everything that was sent or waits into the past."""
    Message.objects.update(due_at=F("due_at") - span, sent_at=F("sent_at") - span)


@pytest.fixture
def storm(a):
    """Thirteen incidents at once."""
    for number in range(13):
        enqueue_news([with_mail(a)], f"{number:02}", cls=Incident)
    deliver()
    return a


def test_the_messages_beyond_the_limit_become_one_summary(storm):
    assert len(mail.outbox) == 10
    summary = Message.objects.get(type="summary")
    assert (summary.state, summary.urgent, summary.merged.count()) == ("pending", True, 3)
    let_pass(MINUTE)
    deliver()
    assert len(mail.outbox) == 11
    assert mail.outbox[-1].subject == "3 more incident messages"
    assert mail.outbox[-1].body.count("http://127.0.0.1:8000/schedule/") == 3


def test_the_next_summary_comes_when_the_window_is_over(storm):
    let_pass(MINUTE)
    deliver()
    enqueue_news([storm], "later", cls=Incident)
    deliver()
    let_pass(8 * MINUTE)
    deliver()
    assert len(mail.outbox) == 11
    let_pass(2 * MINUTE)
    deliver()
    assert [sent.subject for sent in mail.outbox[10:]] == ["3 more incident messages", "1 more incident message"]
    enqueue_news([storm], "after the storm", cls=Incident)
    deliver()
    assert mail.outbox[-1].subject == "The week is yours"


def test_a_summary_leaves_out_what_is_acknowledged_and_is_dropped_if_nothing_is_left(storm):
    held_back = list(Message.objects.filter(state="merged").order_by("pk"))
    obsolete = {"occurrence": "obsolete", "text": ""}
    Message.objects.filter(pk=held_back[0].pk).update(context=obsolete)
    let_pass(MINUTE)
    deliver()
    assert mail.outbox[-1].subject == "2 more incident messages"
    enqueue_news([storm], "obsolete soon", cls=Incident)
    Message.objects.filter(dedup_key="obsolete soon").update(context={"occurrence": "1", "text": ""})
    deliver()
    Message.objects.filter(dedup_key="obsolete soon").update(context=obsolete)
    let_pass(10 * MINUTE)
    deliver()
    assert Message.objects.filter(type="summary").latest("pk").state == "dropped"


def test_other_messages_and_other_people_do_not_count(storm, b):
    enqueue_news([storm], cls=Page)
    enqueue_news([with_mail(b)], cls=Incident)
    deliver()
    assert [sent.to for sent in mail.outbox[10:]] == [[storm.email], [b.email]]
