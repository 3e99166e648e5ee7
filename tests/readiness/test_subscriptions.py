"""Subscriptions by e-mail: confirmed twice, ended by one click, at most one message a day and pipeline."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from notifications.services.leases import claim_row
from readiness.domain.verdict import Readiness, Verdict
from readiness.models import Publication, ReaderMessage, ReaderNotification, Subscription
from readiness.queries import readers as reader_queries
from readiness.queries.sweeps import message_sweep_is_due
from readiness.services import delivery, subscriptions
from readiness.services.delivery import deliver_reader_message, purge_finished
from readiness.services.readers import create_link, revoke_link
from readiness.services.subscriptions import notify_subscribers, purge_unconfirmed
from readiness.tasks import deliver_reader_messages

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ADDRESS = "reader@example.org"


@pytest.fixture
def link(pipeline, a):
    return create_link(name="Investor numbers", pipelines=[pipeline], by=a)


@pytest.fixture
def verdict(pipeline, monkeypatch):
    """Return the verdict on the published day, to be changed by the test."""
    now = timezone.now()
    Publication.objects.create(pipeline=pipeline, day=now.date() - DAY, published_at=now)
    state = {"now": Verdict.SAFE}

    def readiness(pipelines, *, at, day=None):
        return {row.pk: Readiness(day, state["now"], (), 1, None) for row in pipelines}

    monkeypatch.setattr(reader_queries, "readiness_by_pipeline", readiness)
    return state


@pytest.fixture
def subscription(link, pipeline):
    now = timezone.now()
    return Subscription.objects.create(
        link=link.link, pipeline=pipeline, email=ADDRESS, created_at=now, confirmed_at=now
    )


def subscribe(link, email=ADDRESS, pipelines=("orders",)):
    return Client().post(f"/readers/{link.secret}/subscribe/", {"email": email, "pipelines": list(pipelines)})


def deliver():
    """Send what is due; return the mails."""
    mail.outbox.clear()
    while deliver_reader_message() is not None:
        pass
    return list(mail.outbox)


def path(text):
    return re.search(r"https?://[^/]+(/readers/\S+)", text).group(1)


def test_an_address_is_subscribed_when_it_confirms(link, pipeline):
    assert "Confirm your address" in subscribe(link).content.decode()
    [row] = Subscription.objects.all()
    assert (row.email, row.pipeline, row.confirmed_at) == (ADDRESS, pipeline, None)
    [message] = deliver()
    assert (message.to, message.subject) == ([ADDRESS], "Confirm your subscription to Orders")
    url = path(message.body)
    # Programs that check mail for viruses open links.
    assert "Confirm subscription" in Client().get(url).content.decode()
    row.refresh_from_db()
    assert row.confirmed_at is None
    assert "Subscription confirmed" in Client().post(url).content.decode()
    row.refresh_from_db()
    assert row.confirmed_at is not None


@pytest.mark.parametrize(("email", "pipelines"), [("nobody", ["orders"]), (ADDRESS, []), (ADDRESS, ["unknown"])])
def test_an_invalid_form_is_a_400_and_sends_nothing(link, email, pipelines):
    response = subscribe(link, email, pipelines)
    assert (response.status_code, ReaderMessage.objects.count()) == (400, 0)
    assert email in response.content.decode()


def test_the_page_does_not_tell_who_has_subscribed(link, subscription):
    assert subscribe(link).content == subscribe(link, "new@example.org").content.replace(b"new@", b"reader@")
    assert [message.to for message in deliver()] == [["new@example.org"]]


def test_a_form_sent_again_sends_one_message_a_day(link):
    for _ in range(3):
        subscribe(link)
    assert len(deliver()) == 1


def test_a_link_sends_mail_to_a_limited_number_of_strangers(link, monkeypatch):
    monkeypatch.setattr(subscriptions, "MAX_UNCONFIRMED", 2)
    assert [subscribe(link, f"{number}@example.org").status_code for number in range(3)] == [200, 200, 409]


def test_the_limit_does_not_tell_who_has_subscribed(link, subscription, monkeypatch):
    monkeypatch.setattr(subscriptions, "MAX_UNCONFIRMED", 1)
    assert subscribe(link).status_code == 200
    assert subscribe(link, "new@example.org").status_code == 409


def test_a_confirmation_is_valid_for_three_days(link, monkeypatch):
    subscribe(link)
    url = path(deliver()[0].body)
    monkeypatch.setattr(subscriptions, "CONFIRM_DAYS", -1)
    assert Client().post(url).status_code == 404
    assert Client().post("/readers/confirm/forged/").status_code == 404


def test_one_message_when_numbers_become_wrong_and_one_when_they_are_right_again(subscription, verdict):
    now = timezone.now()
    assert notify_subscribers(at=now) == 0
    verdict["now"] = Verdict.WRONG
    assert [notify_subscribers(at=now), notify_subscribers(at=now)] == [1, 0]
    [message] = deliver()
    assert message.subject.startswith("Orders: numbers for ")
    assert message.subject.endswith("are wrong")
    verdict["now"] = Verdict.SAFE
    # At most one message a day: the good news waits.
    assert notify_subscribers(at=now + 23 * HOUR) == 0
    assert notify_subscribers(at=now + 24 * HOUR) == 1
    ReaderMessage.objects.update(due_at=now)
    assert [message.subject for message in deliver()] == ["Orders: numbers are right again"]
    # For auditors, without the address; it stays when the subscription ends.
    Subscription.objects.all().delete()
    assert list(ReaderNotification.objects.values_list("pipeline__slug", "subscriber", "at")) == [
        ("orders", subscription.pk, now)
    ]


def test_a_change_that_is_reversed_within_the_day_sends_nothing(subscription, verdict):
    now = timezone.now()
    for hours, state in ((0, Verdict.DOUBTFUL), (2, Verdict.SAFE), (4, Verdict.WRONG), (25, Verdict.WRONG)):
        verdict["now"] = state
        notify_subscribers(at=now + hours * HOUR)
    assert list(ReaderMessage.objects.values_list("kind", flat=True)) == ["alert"]


def test_not_yet_is_no_news(subscription, verdict):
    verdict["now"] = Verdict.NOT_YET
    assert notify_subscribers(at=timezone.now()) == 0


def test_obsolete_news_is_dropped(subscription, verdict):
    verdict["now"] = Verdict.WRONG
    notify_subscribers(at=timezone.now())
    Subscription.objects.update(is_alerted=False)
    assert deliver() == []
    assert ReaderMessage.objects.get().state == "dropped"


def test_one_click_in_the_mail_program_ends_the_subscription(subscription, verdict):
    """RFC 8058: a POST without a cookie or a form token."""
    verdict["now"] = Verdict.WRONG
    notify_subscribers(at=timezone.now())
    [message] = deliver()
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = path(message.extra_headers["List-Unsubscribe"].strip("<>"))
    assert url in message.body
    browser = Client(enforce_csrf_checks=True)
    assert "Stop e-mail updates" in browser.get(url).content.decode()
    assert Subscription.objects.count() == 1
    assert browser.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert (Subscription.objects.count(), ReaderMessage.objects.count()) == (0, 0)
    assert browser.post(url).status_code == 200


def test_a_revoked_link_notifies_nobody(subscription, verdict, link, a):
    verdict["now"] = Verdict.WRONG
    notify_subscribers(at=timezone.now())
    revoke_link(link.link, by=a, at=timezone.now())
    assert (deliver(), notify_subscribers(at=timezone.now() + 2 * DAY)) == ([], 0)


def test_a_failed_attempt_is_repeated_with_the_same_message_id(subscription, verdict, monkeypatch):
    verdict["now"] = Verdict.WRONG
    notify_subscribers(at=timezone.now())
    sent = []

    def refuse(message, *, seconds):
        sent.append(message.extra_headers["Message-ID"])
        raise OSError("no route")

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "send_mail", refuse)
        deliver_reader_message()
    row = ReaderMessage.objects.get()
    assert (row.state, row.problem, row.attempts) == ("pending", "no route", 1)
    assert deliver() == []  # not before the next attempt
    ReaderMessage.objects.update(retry_at=timezone.now() - HOUR)
    [message] = deliver()
    assert [message.extra_headers["Message-ID"]] == sent


def test_a_message_of_a_dead_worker_is_sent_when_its_lease_ends(subscription, verdict):
    verdict["now"] = Verdict.WRONG
    notify_subscribers(at=timezone.now())
    claimed = claim_row(delivery.claim_reader_message)  # like a worker that dies after it
    assert deliver() == []
    ReaderMessage.objects.filter(pk=claimed.row.pk).update(lease_until=timezone.now() - HOUR)
    assert len(deliver()) == 1
    assert ReaderMessage.objects.get().state == "sent"


def test_old_messages_and_unconfirmed_addresses_are_deleted(link, subscription, verdict):
    now = timezone.now()
    subscribe(link, "new@example.org")
    deliver()
    assert purge_unconfirmed(at=now + DAY) == 0
    ReaderMessage.objects.update(expires_at=now - 91 * DAY)
    assert purge_finished() == 1
    assert purge_unconfirmed(at=now + 4 * DAY) == 1
    assert [row.email for row in Subscription.objects.all()] == [ADDRESS]


def test_beat_starts_the_sweep_if_a_message_is_due_or_expired(link, pipeline):
    is_due = lambda: message_sweep_is_due(at=timezone.now())  # noqa: E731
    assert not is_due()
    subscribe(link)
    assert is_due()
    assert claim_row(delivery.claim_reader_message) is not None
    assert not is_due(), "a worker sends it"
    ReaderMessage.objects.update(lease_until=timezone.now() - HOUR)
    assert is_due(), "the worker died"
    deliver()
    assert not is_due()
    ReaderMessage.objects.update(state="pending", sent_at=None, retry_at=timezone.now() + HOUR)
    assert not is_due(), "it waits for another attempt"
    ReaderMessage.objects.update(due_at=timezone.now() - 2 * DAY, expires_at=timezone.now() - DAY)
    assert is_due(), "it has expired"
    deliver_reader_messages()
    assert not is_due()
