"""Send a test message, so that users can check a contact method."""

import datetime as dt

from django.db.models.functions import Now

from common.exceptions import DomainError, InvalidInputError
from notifications.models import Message
from notifications.notifications import ChannelTest
from notifications.queries.outbox import database_clock
from notifications.queries.preferences import reachable_channels
from notifications.services.outbox import subject_line
from people.models import User

TEST_LIFETIME = dt.timedelta(minutes=15)
PAUSE = dt.timedelta(minutes=1)


def send_test(person: User, *, channel: str) -> Message:
    """Enqueue a test message to a user by one channel; return it.

    Raises InvalidInputError if the user has no address for the channel, DomainError within a minute of the last one.
    """
    if channel not in reachable_channels([person])[person.pk] or (
        channel == Message.Channel.EMAIL and not person.email
    ):
        raise InvalidInputError({"channel": ["You have no address for this channel."]})
    recent = Message.objects.filter(type=ChannelTest.name, recipient=person, channel=channel)
    if recent.filter(created_at__gt=Now() - PAUSE).exists():
        raise DomainError("Wait a minute before you send another test message.")
    at = database_clock()
    test = ChannelTest(channel=str(Message.Channel(channel).label), requested_at=at)
    return Message.objects.create(
        type=test.name,
        dedup_key=test.dedup_key,
        context=test.context,
        recipient=person,
        channel=channel,
        subject=subject_line(test, person),
        text=test.body(person),
        urgent=True,
        due_at=at,
        expires_at=at + TEST_LIFETIME,
    )
