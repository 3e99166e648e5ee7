"""Slack: a message of the site's app to a channel. One about an incident has buttons and follows its state."""

import re

from django.utils import timezone

from notifications.channels.base import Sender
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import AddressError
from notifications.channels.slack_app.channel import post_card
from notifications.channels.slack_app.client import app_or_error
from notifications.domain.slack import MAX_SECTION_LENGTH, Block, Card, escape, escape_within, section
from notifications.domain.slack import link as markup_link
from notifications.queries.slack import App, has_slack_app
from notifications.registry import LiveCards, live_cards
from team_channels.kinds.base import Kind, link
from team_channels.models import ChannelDelivery, TeamChannel

CHANNEL_ID = re.compile(r"\A[CG][A-Z0-9]{5,20}\Z")


class SlackKind(Kind):
    """A channel of the Slack workspace, by its ID."""

    name = TeamChannel.Kind.SLACK
    address_help = (
        "The channel ID, such as C0123ABCD, at the end of the channel’s details. Invite the app to the channel first."
    )

    def is_available(self) -> bool:
        return has_slack_app()

    def check_address(self, address: str) -> str:
        if not CHANNEL_ID.match(address):
            raise AddressError("Enter the ID of a channel, such as C0123ABCD.")
        return address

    def prepare(self, delivery: ChannelDelivery) -> Sender:
        cards, subject, card, thread = live_cards(delivery.event.partition(".")[0]), _subject(delivery), None, ""
        channel = delivery.channel.address
        if cards is not None and subject is not None:
            thread = cards.thread(subject, channel=channel)
            card = None if thread else cards.card(subject, at=timezone.now())
        return ChannelPost(
            delivery,
            app=app_or_error(),
            channel=channel,
            card=card or event_card(delivery),
            thread=thread,
            cards=cards if card is not None else None,
        )


class ChannelPost(Sender):
    """A message to a channel: a live card that follows its subject, a reply to one, or a plain message."""

    def __init__(
        self,
        delivery: ChannelDelivery,
        *,
        app: App,
        channel: str,
        card: Card,
        thread: str,
        cards: LiveCards | None,
    ) -> None:
        self.delivery, self.app, self.channel = delivery, app, channel
        self.card, self.thread, self.cards = card, thread, cards
        self.ts = ""
        super().__init__(self.send)

    def send(self, deadline: Deadline) -> None:
        """Post the message."""
        deadline.check()
        _, self.ts = post_card(self.app, self.channel, self.card, thread=self.thread)
        self.delivery.response_status = 200

    def record(self) -> None:
        """Store where the message is, so that it can follow its subject."""
        subject = _subject(self.delivery)
        if self.cards is not None and subject is not None:
            self.cards.record(subject, channel=self.channel, ts=self.ts, version=self.card.version)


def _subject(delivery: ChannelDelivery) -> int | None:
    """Return the primary key of the subject that a message follows, or None."""
    data = delivery.data.get(delivery.event.partition(".")[0])
    key = data.get("id") if isinstance(data, dict) else None
    return key if isinstance(key, int) else None


def event_card(delivery: ChannelDelivery) -> Card:
    """Return an event as a message without buttons."""
    blocks: list[Block] = [section(f"*{markup_link(link(delivery), delivery.title)}*")]
    if delivery.text:
        blocks.append(section(escape_within(delivery.text, MAX_SECTION_LENGTH)))
    if delivery.fact_pairs:
        facts = [f"*{escape(label)}*\n{escape(value) or '–'}" for label, value in delivery.fact_pairs]
        blocks.append({"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in facts]})
    return Card(escape(delivery.title), blocks, 0)
