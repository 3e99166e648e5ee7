"""Post events to channels: deliveries are stored in the transaction of the change they report."""

import datetime as dt
from collections.abc import Iterable

from team_channels.domain.events import (
    MAX_FACT_LENGTH,
    MAX_FACTS,
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    ChannelEvent,
    shorten,
)
from team_channels.models import ChannelDelivery, TeamChannel

# After a day, a message is no longer worth posting.
DELIVERY_LIFETIME = dt.timedelta(days=1)


def post_event(channels: Iterable[TeamChannel], event: ChannelEvent, *, at: dt.datetime) -> None:
    """Add a delivery of an event for each of the channels, in the caller's transaction.

    A channel gets an event once, however often this is called.
    """
    rows = [new_delivery(channel, event, at=at) for channel in channels]
    if rows:
        ChannelDelivery.objects.bulk_create(rows, ignore_conflicts=True)


def new_delivery(channel: TeamChannel, event: ChannelEvent, *, at: dt.datetime) -> ChannelDelivery:
    """Return an unsaved delivery that is due now."""
    return ChannelDelivery(
        channel=channel,
        event=event.type,
        event_id=event.id,
        occurred_at=event.occurred_at,
        title=shorten(" ".join(event.title.split()), length=MAX_TITLE_LENGTH),
        text=shorten(event.text, length=MAX_TEXT_LENGTH),
        path=event.path,
        facts=[[label, shorten(value, length=MAX_FACT_LENGTH)] for label, value in event.facts[:MAX_FACTS]],
        data=dict(event.data),
        due_at=at,
        expires_at=at + DELIVERY_LIFETIME,
    )
