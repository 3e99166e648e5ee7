"""Send a test message, so that users can check a channel or a contact method."""

import datetime as dt

from django.db.models.functions import Now

from common.exceptions import DomainError, InvalidInputError
from notifications.models import ContactMethod, Message
from notifications.notifications import ChannelTest
from notifications.queries.outbox import database_clock
from notifications.queries.preferences import routes_by_user
from notifications.services.outbox import subject_line
from people.models import User

TEST_LIFETIME = dt.timedelta(minutes=15)
TEST_PAUSE = dt.timedelta(minutes=1)


def send_test(person: User, *, channel: str) -> Message:
    """Enqueue a test message to a user by one channel, to the oldest contact method of it; return it.

    Raises InvalidInputError if the user has no address for the channel, DomainError within a minute of the last one.
    """
    routes = routes_by_user([person])[person.pk]
    if channel not in routes.reachable or (channel == Message.Channel.EMAIL and not person.email):
        raise InvalidInputError({"channel": ["You have no address for this channel."]})
    return _send(person, channel=channel, method=routes.methods.get(channel, [0])[0])


def send_method_test(method: ContactMethod) -> Message:
    """Enqueue a test message to a contact method; return it. Raises DomainError unless it is live, and as `send_test` does."""
    if not method.is_live:
        raise DomainError("Verify this contact method first.")
    return _send(method.person, channel=method.channel, method=method.pk)


def _send(person: User, *, channel: str, method: int) -> Message:
    recent = Message.objects.filter(type=ChannelTest.name, recipient=person, channel=channel, contact_method=method)
    if recent.filter(created_at__gt=Now() - TEST_PAUSE).exists():
        raise DomainError("Wait a minute before you send another test message.")
    at = database_clock()
    test = ChannelTest(channel=str(Message.Channel(channel).label), requested_at=at)
    return Message.objects.create(
        type=test.name,
        dedup_key=test.dedup_key,
        context=test.context,
        recipient=person,
        channel=channel,
        contact_method=method,
        subject=subject_line(test, person),
        text=test.body(person),
        urgent=True,
        due_at=at,
        expires_at=at + TEST_LIFETIME,
    )
