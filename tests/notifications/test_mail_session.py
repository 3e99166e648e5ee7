"""The e-mails of a delivery run share a connection, and an error in one does not affect the others."""

import contextlib
import socket

import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import tasks
from notifications.channels.email import smtp
from notifications.models import Message
from notifications.services.delivery import deliver_one
from tests.notifications.news import enqueue_news, with_mail
from tests.waiting import wait_until


class MailServer:
    """A mail server that counts connections, and refuses mails or hangs up as a test requires."""

    def __init__(self):
        self.connections = self.quits = 0
        self.mails = []
        self.rejected = ""
        self.mails_a_connection = 1000
        self.hangs_up_on = ""

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802  # aiosmtpd looks for these names
        self.connections += 1
        session.mails = 0
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        session.mails += 1
        if session.mails > self.mails_a_connection:
            server.transport.close()
            return "421 4.7.0 Too many messages for this connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address == self.rejected:
            return "550 5.1.1 No such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails += envelope.rcpt_tos
        if self.hangs_up_on in envelope.rcpt_tos:
            server.transport.close()
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        self.quits += 1
        return "221 Bye"


@pytest.fixture
def server(settings):
    handler = MailServer()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    settings.EMAIL_BACKEND = "notifications.channels.email.smtp.WatchedBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    controller.start()
    # The controller connects once to check that it runs.
    handler.connections = 0
    yield handler
    controller.stop()


@pytest.fixture
def people(a, b, c):
    return [with_mail(person) for person in (a, b, c)]


def addresses(people):
    return sorted(person.email for person in people)


def states():
    return dict(Message.objects.values_list("recipient__email", "state"))


def test_the_messages_of_a_run_share_a_connection_that_ends_with_it(server, people):
    enqueue_news(people)
    tasks.deliver()
    assert (server.connections, server.quits, sorted(server.mails)) == (1, 1, addresses(people))
    enqueue_news(people, "2")
    tasks.deliver()
    assert (server.connections, server.quits) == (2, 2)


@pytest.mark.parametrize(("name", "value"), [("MAX_MAILS", 1), ("MAX_IDLE_SECONDS", 0.0)])
def test_a_connection_is_used_for_a_limited_number_of_messages_and_while_it_is_fresh(
    server, people, monkeypatch, name, value
):
    monkeypatch.setattr(smtp, name, value)
    enqueue_news(people)
    tasks.deliver()
    assert (server.connections, sorted(server.mails)) == (3, addresses(people))


def test_a_server_that_takes_one_message_a_connection_gets_each_at_once(server, people):
    server.mails_a_connection = 1
    enqueue_news(people)
    tasks.deliver()
    assert set(states().values()) == {"sent"}
    assert (server.connections, sorted(server.mails)) == (3, addresses(people))
    assert set(Message.objects.values_list("attempts", flat=True)) == {1}


def test_a_rejected_recipient_does_not_affect_the_others(server, people):
    server.rejected = people[1].email
    enqueue_news(people)
    tasks.deliver()
    assert states() == {people[0].email: "sent", people[1].email: "failed", people[2].email: "sent"}
    assert sorted(server.mails) == addresses([people[0], people[2]])


def test_a_message_that_the_server_may_have_is_not_sent_again_at_once(server, people):
    server.hangs_up_on = people[1].email
    enqueue_news(people)
    tasks.deliver()
    assert states() == {people[0].email: "sent", people[1].email: "pending", people[2].email: "sent"}
    assert server.mails.count(people[1].email) == 1


def test_a_message_that_the_server_accepted_in_the_last_moment_is_sent(server, people, monkeypatch):
    deadlines, send = [], smtp.WatchedBackend.send_messages

    def send_in_the_last_moment(backend, mails):
        count = send(backend, mails)
        backend.deadline.expire()
        deadlines.append(backend.deadline)
        return count

    monkeypatch.setattr(smtp.WatchedBackend, "send_messages", send_in_the_last_moment)
    enqueue_news(people)
    tasks.deliver()
    assert set(states().values()) == {"sent"}
    assert sorted(server.mails) == addresses(people)
    # A connection that was shut down is not used again.
    assert (len(deadlines), server.connections) == (3, 3)


def test_outside_a_run_a_message_has_a_connection_of_its_own(server, people):
    enqueue_news(people)
    deliver_one()
    assert (server.connections, server.quits, len(server.mails)) == (1, 1, 1)


def test_a_server_that_does_not_answer_quit_delays_nothing(server, people, monkeypatch):
    monkeypatch.setattr(smtp, "QUIT_SECONDS", 0.01)
    monkeypatch.setattr(smtp.WatchedBackend, "close", lambda backend: backend.connection.getreply())
    enqueue_news(people)
    tasks.deliver()
    assert set(states().values()) == {"sent"}
    wait_until(lambda: server.connections == 1, why="there was no connection")


@pytest.mark.parametrize("count", [1, 30])
def test_a_message_takes_two_statements(server, people, count):
    for number in range(count):
        enqueue_news(people[:1], f"{number}")
    with CaptureQueriesContext(connection) as captured:
        for _ in range(count):
            deliver_one()
    assert set(states().values()) == {"sent"}
    assert len(captured) == 2 * count
