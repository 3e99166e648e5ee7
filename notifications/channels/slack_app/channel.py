"""Slack channel: a direct message from the site's Slack app, with buttons if it is about an incident."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from notifications.channels.base import Channel, Sender
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import AddressError, GoneError, UndeliverableError
from notifications.channels.slack_app.client import app_or_error, call
from notifications.domain.slack import Card, escape, link
from notifications.models import Message
from notifications.queries.outbox import absolute_url
from notifications.queries.slack import App, known_slack_id
from notifications.registry import Notification, load

MAX_TEXT_LENGTH = 12_000


class SlackAppChannel(Channel):
    """A member of the Slack workspace, found by e-mail address. Buttons in the message act on its incident."""

    name = Message.Channel.SLACK_DM
    address_help = "The e-mail address of your Slack account."

    def clean_address(self, address: str) -> str:
        return address.strip().lower()

    def check_address(self, address: str) -> str:
        email = self.clean_address(address)
        try:
            validate_email(email)
        except ValidationError as error:
            raise AddressError("Enter the e-mail address of your Slack account.") from error
        return email

    def prepare(self, message: Message, address: str) -> Sender:
        notification = load(message.type, message.context)
        card = notification.slack_card(message.recipient) if notification else None
        return DirectMessage(
            message,
            app=app_or_error(),
            email=address,
            slack_id=known_slack_id(message.recipient, email=address),
            notification=notification,
            card=card or Card(plain_text(message, notification), [], 0),
        )


class DirectMessage(Sender):
    """One direct message, and where Slack put it."""

    def __init__(
        self,
        message: Message,
        *,
        app: App,
        email: str,
        slack_id: str,
        notification: Notification | None,
        card: Card,
    ) -> None:
        self.message, self.app, self.email, self.slack_id = message, app, email, slack_id
        self.notification, self.card = notification, card
        self.place: tuple[str, str] | None = None
        super().__init__(self.send)

    def send(self, deadline: Deadline) -> None:
        """Post the message to the known member, or find it, also if the known one no longer exists: the app may have a new workspace."""
        try:
            self._post(self.slack_id or find_member(self.app, self.email), deadline)
        except GoneError:
            member = find_member(self.app, self.email) if self.slack_id else ""
            if member in ("", self.slack_id):
                raise
            self._post(member, deadline)

    def _post(self, slack_id: str, deadline: Deadline) -> None:
        deadline.check()
        self.place = post_card(self.app, slack_id, self.card)
        self.message.provider_id = self.place[1]

    def record(self) -> None:
        """Store where a message with buttons is, so that it is updated as the state changes."""
        if self.notification is not None and self.card.blocks and self.place is not None:
            channel, ts = self.place
            self.notification.record_slack_post(channel=channel, ts=ts, version=self.card.version)


def find_member(app: App, email: str) -> str:
    """Return the ID of the workspace's member with this e-mail address; raise GoneError if there is none."""
    answer = call(app, "users.lookupByEmail", {"email": email})
    member = answer.get("user")
    slack_id = str(member.get("id", "")) if isinstance(member, dict) else ""
    if not slack_id:
        raise UndeliverableError("Slack’s answer has no member.")
    return slack_id


def post_card(app: App, channel: str, card: Card, *, thread: str = "") -> tuple[str, str]:
    """Post a message to a channel or member, or as a reply; return its channel and timestamp, its ID in Slack."""
    reply = {"thread_ts": thread} if thread else {}
    answer = call(app, "chat.postMessage", {"channel": channel, **card_fields(card), **reply})
    return str(answer.get("channel", ""))[:32], str(answer.get("ts", ""))[:32]


def update_card(app: App, channel: str, ts: str, card: Card) -> None:
    """Replace a message with a newer version."""
    call(app, "chat.update", {"channel": channel, "ts": ts, **card_fields(card)})


def card_fields(card: Card) -> dict[str, object]:
    """Return the fields of a message."""
    blocks = {"blocks": card.blocks} if card.blocks else {}
    return {"text": card.text, "unfurl_links": False, "unfurl_media": False, **blocks}


def plain_text(message: Message, notification: Notification | None) -> str:
    """Return a message without buttons in Slack's markup: subject, text and link."""
    url = absolute_url(notification.delivery_link()) if notification is not None else ""
    parts = [f"*{escape(message.subject)}*", escape(message.text[:MAX_TEXT_LENGTH]), link(url, "Open") if url else ""]
    return "\n\n".join(part for part in parts if part)
