"""An e-mail address that the mail server rejects is shown, and reported by another channel."""

import smtplib

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from notifications.models import EmailRejection, Message
from notifications.services.delivery import deliver_one
from notifications.services.email_rejections import report_rejected_addresses
from people.models import User
from tests.factories import add_contact_method, bearer
from tests.notifications.news import enqueue_news, with_mail

NO_MAILBOX = (550, b"5.1.1 No such user")
REASON = "The mail server rejected the message: 550 5.1.1 No such user"


@pytest.fixture
def mailboxes(monkeypatch):
    """Refused addresses with the server's answer; all others accept."""
    refused = {}
    accept = EmailBackend.send_messages

    def send(backend, messages):
        [to] = messages[0].to
        if to in refused:
            raise smtplib.SMTPRecipientsRefused({to: refused[to]})
        return accept(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send)
    return refused


def send_news(person, occurrence="1"):
    enqueue_news([person], occurrence)
    deliver_one()
    return Message.objects.get(type="news", dedup_key=occurrence)


@pytest.fixture
def rejected(a, mailboxes):
    """A's address is rejected."""
    mailboxes[with_mail(a).email] = NO_MAILBOX
    assert send_news(a).state == "failed"
    return EmailRejection.objects.get()


def reports():
    rows = Message.objects.filter(type="email-rejected").order_by("pk")
    return [(row.recipient.username, row.channel, row.subject) for row in rows]


def test_it_is_reported_once_by_another_channel(rejected, a, admin):
    add_contact_method(a, channel="webhook", address="https://hooks.example.org/a")
    assert (report_rejected_addresses(), report_rejected_addresses()) == (1, 0)
    send_news(a, "2")
    assert report_rejected_addresses() == 0
    assert reports() == [("engineer-a", "webhook", "Your e-mail address is rejected")]
    text = Message.objects.get(type="email-rejected").text
    assert text.startswith(f"We cannot send e-mail to engineer-a@example.org.\n\n{REASON}\n\nCorrect the address")


def test_an_sms_is_sent_only_if_there_is_nothing_cheaper(rejected, a):
    sms = add_contact_method(a, channel="webhook", address="https://hooks.example.org/a")
    type(sms).objects.filter(pk=sms.pk).update(channel="sms")
    report_rejected_addresses()
    assert reports() == [("engineer-a", "sms", "Your e-mail address is rejected")]


def test_without_another_channel_the_admins_are_notified(rejected, a, admin):
    with_mail(admin)
    report_rejected_addresses()
    assert reports() == [("admin", "email", "The e-mail address of Engineer A is rejected")]
    deliver_one()
    assert "they have no other contact method" in mail.outbox[0].body


def test_it_is_on_the_notifications_page_and_in_the_api(rejected, a, signed_in, client):
    page = signed_in(a).get("/me/notifications/").content.decode()
    assert REASON in page
    assert client.get("/api/v1/me/notifications/", **bearer(a)).json()["email_problem"] == REASON


def test_an_accepted_message_clears_the_rejection(rejected, a, mailboxes, client):
    mailboxes.clear()
    assert send_news(a, "2").state == "sent"
    assert not EmailRejection.objects.exists()
    assert client.get("/api/v1/me/notifications/", **bearer(a)).json()["email_problem"] == ""


def test_a_new_address_is_not_rejected(rejected, a, mailboxes, client):
    User.objects.filter(pk=a.pk).update(email="new@example.org")
    assert client.get("/api/v1/me/notifications/", **bearer(a)).json()["email_problem"] == ""
    assert report_rejected_addresses() == 0
    mailboxes["new@example.org"] = (553, b"Gone")
    send_news(User.objects.get(pk=a.pk), "2")
    assert EmailRejection.objects.get().address == "new@example.org"


@pytest.mark.parametrize(
    "answer", [(450, b"Greylisted"), (550, b"5.7.1 Relaying denied"), (554, b"5.7.26 This mail is unauthenticated")]
)
def test_a_temporary_or_policy_rejection_does_not_flag_the_address(a, mailboxes, answer):
    mailboxes[with_mail(a).email] = answer
    assert send_news(a).problem
    assert not EmailRejection.objects.exists()
