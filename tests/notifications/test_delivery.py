"""Delivery: claimed by one, looked at once more, sent within a limit, marked; what fails is tried again and then visible."""

import datetime as dt
import re
import smtplib
import socket
import threading
import time

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from common.exceptions import DomainError, NotAllowedError
from notifications.domain.backoff import MAX_ATTEMPTS, retry_delay
from notifications.models import Message, QuietHours
from notifications.services import delivery as delivering
from notifications.services import leases
from notifications.services.delivery import claim_message, deliver_one, retry_message
from notifications.services.leases import claim_row
from notifications.services.outbox import Invitation
from people.models import User
from tests.notifications.news import News, Page, TimedNews, enqueue_news, with_mail
from tests.waiting import wait_until

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def message(a):
    enqueue_news([with_mail(a)])
    return Message.objects.get()


def test_a_message_is_sent_once_and_says_what_and_where(message, a):
    assert deliver_one().pk == message.pk
    assert deliver_one() is None
    message.refresh_from_db()
    assert (message.state, message.attempts, message.token, message.lease_until) == ("sent", 1, None, None)
    (sent,) = mail.outbox
    assert sent.to == [a.email]
    assert sent.subject == "The week is yours"
    assert "From Monday on." in sent.body
    assert "http://127.0.0.1:8000/schedule/" in sent.body
    parts = [part.get_content_type() for part in sent.message().walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"


def test_html_shows_what_was_typed_as_text(a):
    enqueue_news([with_mail(a)], text="<script>alert(1)</script> & more")
    deliver_one()
    html = mail.outbox[0].alternatives[0].content
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<script>alert(1)</script> & more" in mail.outbox[0].body


@pytest.mark.parametrize(("is_urgent", "colour"), [(True, "#a81e17"), (False, "#2450b8")])
def test_html_has_one_button_and_an_urgent_mail_another_colour(a, monkeypatch, is_urgent, colour):
    monkeypatch.setattr(News, "urgent", is_urgent)
    monkeypatch.setattr(News, "action", "Open schedule")
    enqueue_news([with_mail(a)])
    deliver_one()
    html = mail.outbox[0].alternatives[0].content
    [(address, style, label)] = re.findall(r'<a href="([^"]*)"\s+style="background:(#\w+);[^"]*">([^<]*)</a>', html)
    assert (address, style, label) == ("http://127.0.0.1:8000/schedule/", colour, "Open schedule")


def test_an_invitation_is_the_last_alternative_and_comes_from_its_organizer(a):
    from notifications.queries.outbox import organizer

    calendar = f"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nORGANIZER:mailto:{organizer()}\r\nEND:VCALENDAR\r\n"
    enqueue_news([with_mail(a)], invitation=Invitation("REQUEST", calendar))
    deliver_one()
    message = mail.outbox[0].message()
    assert message.get_content_type() == "multipart/alternative"
    last = message.get_payload()[-1]
    assert [part.get_content_type() for part in message.get_payload()] == ["text/plain", "text/html", "text/calendar"]
    assert last.get_param("method") == "REQUEST"
    assert last.get_content_charset() == "utf-8"
    assert last.get_payload(decode=True).decode().replace("\r\n", "\n") == calendar.replace("\r\n", "\n")
    assert organizer() in message["From"]


def test_every_attempt_has_the_same_message_id(message, monkeypatch):
    seen = []

    def fail(message, *, at):
        from notifications.channels.email.mail import build_mail

        seen.append(build_mail(message, at=at).message()["Message-ID"])
        raise ConnectionError("No route.")

    monkeypatch.setattr(delivering, "send", fail)
    deliver_one()
    Message.objects.update(retry_at=timezone.now())
    deliver_one()
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert seen[0].startswith(f"<oncall.{message.pk}.")


def test_a_message_that_is_not_due_or_has_expired_is_not_claimed(a):
    enqueue_news([with_mail(a)], "later", due=timezone.now() + HOUR)
    enqueue_news([a], "over", expires=timezone.now())
    assert deliver_one() is None
    assert mail.outbox == []


def test_an_obsolete_message_is_dropped_just_before_sending(a):
    enqueue_news([with_mail(a)], "obsolete")
    deliver_one()
    assert Message.objects.get().state == "dropped"
    assert mail.outbox == []


def test_an_inactive_recipient_gets_nothing(message, a):
    User.objects.filter(pk=a.pk).update(is_active=False)
    deliver_one()
    assert Message.objects.get().state == "dropped"
    assert mail.outbox == []


def test_a_recipient_without_an_address_is_a_visible_failure(a):
    enqueue_news([a])
    deliver_one()
    row = Message.objects.get()
    assert row.state == "failed"
    assert row.problem == "Engineer A has no e-mail address."


def test_retries_wait_longer_each_time_and_at_last_fail_visibly(message, monkeypatch):
    def fail(message, *, at):
        raise smtplib.SMTPServerDisconnected("Gone.")

    monkeypatch.setattr(delivering, "send", fail)
    for tries in range(1, MAX_ATTEMPTS + 1):
        assert deliver_one() is not None
        assert deliver_one() is None, "it is tried again only after a while"
        message.refresh_from_db()
        assert message.attempts == tries
        assert message.problem == "Gone."
        Message.objects.filter(state="pending").update(retry_at=timezone.now())
    assert message.state == "failed"
    assert deliver_one() is None


def test_retry_delays_double_up_to_a_cap_and_are_spread():
    assert [retry_delay(tries, jitter=1).total_seconds() for tries in (1, 2, 3, 8, 24)] == [10, 20, 40, 900, 900]
    assert retry_delay(1, jitter=0).total_seconds() == 5


def test_a_message_is_claimed_again_when_the_lease_of_a_lost_worker_is_over(message):
    first = claim_row(claim_message)
    assert deliver_one() is None, "the lease holds"
    Message.objects.update(lease_until=timezone.now())
    second = claim_row(claim_message)
    assert second.row.token != first.row.token
    leases.mark(first, leases.Outcome("sent", columns={"sent_at": timezone.now()}))
    assert Message.objects.get().state == "sending", "who lost the lease marks nothing"


def test_a_message_that_crashes_its_workers_fails(message):
    Message.objects.update(
        state="sending", token="0" * 32, lease_until=timezone.now() - HOUR, attempts=MAX_ATTEMPTS, retry_at=None
    )
    deliver_one()
    assert Message.objects.get().state == "failed"
    assert mail.outbox == []


def test_urgent_messages_go_first(a):
    enqueue_news([with_mail(a)], "old", due=timezone.now() - dt.timedelta(minutes=5))
    enqueue_news([a], "new", cls=Page)
    assert deliver_one().dedup_key == "new"


@pytest.mark.django_db(transaction=True)
def test_two_workers_claim_two_messages_without_waiting(a, b):
    enqueue_news([with_mail(a), with_mail(b)])
    from django.db import transaction

    taken = []

    def other():
        taken.append(claim_row(claim_message))
        connection.close()

    with transaction.atomic():
        mine = claim_row(claim_message)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
        assert taken, "the second waited for the first's lock"
    assert mine.row.pk != taken[0].row.pk


@pytest.mark.django_db(transaction=True)
def test_the_mark_is_retried_until_the_database_is_back(message, monkeypatch):
    claimed = claim_row(claim_message)
    tried = []
    update = type(Message.objects.all()).update

    def away(rows, **columns):
        tried.append(columns)
        if len(tried) < 3:
            from django.db import OperationalError

            raise OperationalError("The server is restarting.")
        return update(rows, **columns)

    monkeypatch.setattr(type(Message.objects.all()), "update", away)
    monkeypatch.setattr(leases, "MARK_PAUSE_SECONDS", 0.01)
    leases.mark(claimed, leases.Outcome("dropped"))
    assert len(tried) == 3
    assert Message.objects.get().state == "dropped"


def test_only_the_clock_of_the_database_counts(message, monkeypatch):
    for hours in (-5, 5):
        monkeypatch.setattr(timezone, "now", lambda hours=hours: dt.datetime.now(dt.UTC) + hours * HOUR)
        claimed = claim_row(claim_message)
        assert abs(claimed.at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
        Message.objects.update(state="pending", token=None, lease_until=None, attempts=0)


def test_only_admins_retry_and_only_failed_messages(message, a, admin):
    with pytest.raises(DomainError, match="failed"):
        retry_message(message, by=admin)
    Message.objects.update(state="failed", attempts=MAX_ATTEMPTS, problem="550")
    with pytest.raises(NotAllowedError):
        retry_message(message, by=a)
    retry_message(message, by=admin)
    deliver_one()
    assert Message.objects.get().state == "sent"
    Message.objects.update(state="failed", sent_at=None, expires_at=timezone.now() - HOUR)
    with pytest.raises(DomainError, match="expired"):
        retry_message(message, by=admin)


# Time zones


def test_the_text_is_in_the_time_zone_that_the_recipient_has_when_it_is_sent(a):
    noon = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
    enqueue_news([with_mail(a)], cls=TimedNews, text=noon.isoformat())
    assert Message.objects.get().text == "At Tue 1 Dec 2026, 12:00 UTC."
    User.objects.filter(pk=a.pk).update(time_zone="Asia/Tokyo")
    deliver_one()
    assert "At Tue 1 Dec 2026, 21:00 JST." in mail.outbox[0].body
    assert Message.objects.get().text == "At Tue 1 Dec 2026, 21:00 JST."


def test_a_message_of_a_type_that_changed_is_sent_as_it_was_written(message, caplog):
    Message.objects.update(context={"gone": 1})
    deliver_one()
    assert "From Monday on." in mail.outbox[0].body
    assert "does not fit its class" in caplog.text


# Quiet hours


def test_non_urgent_messages_wait_until_quiet_hours_end(a):
    User.objects.filter(pk=a.pk).update(time_zone="Europe/Berlin")
    a = with_mail(a)
    QuietHours.objects.create(person=a, starts_at=dt.time(22), ends_at=dt.time(7))
    night = dt.datetime(2026, 12, 1, 23, 30, tzinfo=dt.UTC)
    enqueue_news([a], "may wait", due=night)
    enqueue_news([a], "may not", cls=Page, due=night)
    due = dict(Message.objects.values_list("dedup_key", "due_at"))
    assert due == {"may wait": dt.datetime(2026, 12, 2, 6, tzinfo=dt.UTC), "may not": night}


def test_quiet_hours_set_after_enqueueing_count_too(message, a):
    at = timezone.now()
    QuietHours.objects.create(person=a, starts_at=(at - HOUR).time(), ends_at=(at + HOUR).time())
    deliver_one()
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("pending", 0)
    assert message.due_at > at
    assert mail.outbox == []


# A slow server


@pytest.fixture
def dripping():
    """A server that greets, letter by letter, for ever."""
    server = socket.create_server(("127.0.0.1", 0))
    closed = []

    def drip(connected):
        with connected:
            try:
                while True:
                    connected.sendall(b"2")
                    time.sleep(0.1)
            except OSError:
                closed.append(time.monotonic())

    def serve():
        while True:
            try:
                connected, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connected,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1], closed
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_a_dripping_server_is_cut_off_at_the_limit(message, settings, dripping):
    port, closed = dripping
    settings.EMAIL_BACKEND = "notifications.channels.email.smtp.WatchedBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MESSAGE_SEND_SECONDS = "127.0.0.1", port, 1.0
    # Without the limit this would never return.
    deliver_one()
    message.refresh_from_db()
    assert message.state == "pending"
    assert message.problem == "No answer within 1 s."
    sending = lambda: any(thread.name == "send" for thread in threading.enumerate())  # noqa: E731
    wait_until(lambda: closed and not sending(), why="the connection is left behind")
