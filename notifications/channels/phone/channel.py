"""What SMS and voice calls have in common: numbers, limits, and the account at the provider."""

import datetime as dt
import re
from abc import abstractmethod
from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from common.crypto import DecryptionError
from notifications.channels.base import Channel, Sender
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import AddressError, UndeliverableError
from notifications.channels.phone.twilio import create
from notifications.models import Message
from notifications.queries.contact_methods import PHONE_CHANNELS
from notifications.queries.outbox import absolute_url
from notifications.queries.phone_account import Account, phone_account
from notifications.registry import Notification, load

E164 = re.compile(r"\A\+[1-9][0-9]{7,14}\Z")
SEPARATORS = re.compile(r"[\s().\-/]")
CALLBACK_SALT = "notifications.phone"
CALLBACK_LIFETIME = dt.timedelta(days=2)
DAY, MONTH = dt.timedelta(days=1), dt.timedelta(days=30)


class PhoneChannel(Channel):
    """A channel to a phone number. A provider other than Twilio replaces `create` and the views that it calls back."""

    # Twilio's resource.
    resource: str

    def clean_address(self, address: str) -> str:
        number = SEPARATORS.sub("", address)
        return f"+{number[2:]}" if number.startswith("00") else number

    def check_address(self, address: str) -> str:
        number = self.clean_address(address)
        if not E164.match(number):
            raise AddressError("Enter a number with its country code, such as +49 151 23456789.")
        return f"{number[:3]} … {number[-3:]}"

    def prepare(self, message: Message, address: str) -> Sender:
        account = _account()
        check_limits(message)
        fields = self.fields(message, load(message.type, message.context))

        def send(deadline: Deadline) -> None:
            deadline.check()
            message.provider_id = create(account, self.resource, {"To": address, **fields})

        return Sender(send)

    @abstractmethod
    def fields(self, message: Message, notification: Notification | None) -> Mapping[str, str]:
        """Return the fields of the message or call, besides its numbers."""


def _account() -> Account:
    try:
        account = phone_account()
    except DecryptionError as error:
        raise UndeliverableError(f"The site’s account for SMS and calls cannot be used. {error}") from error
    if account is None:
        raise UndeliverableError("The site has no account for SMS and calls.")
    return account


def callback_url(path: str, message: Message) -> str:
    """Return the URL at which the provider reports on a message."""
    return f"{absolute_url(path)}?message={signing.dumps(message.pk, salt=CALLBACK_SALT)}"


def callback_message(code: str) -> Message | None:
    """Return the message of a callback, or None if the code is not of one of the last days."""
    try:
        key = signing.loads(code, salt=CALLBACK_SALT, max_age=CALLBACK_LIFETIME)
    except signing.BadSignature:
        return None
    return Message.objects.select_related("recipient").filter(pk=key, channel__in=PHONE_CHANNELS).first()


def check_limits(message: Message) -> None:
    """Raise UndeliverableError if a person or the site has reached a limit on SMS and calls or their cost."""
    rows = Message.objects.filter(channel__in=PHONE_CHANNELS).exclude(provider_id="").exclude(pk=message.pk)
    for name, used, most_per_day, most_cost in (
        (
            f"{message.recipient} has",
            rows.filter(recipient=message.recipient_id),
            settings.PHONE_MAX_PER_PERSON_PER_DAY,
            settings.PHONE_MAX_COST_PER_PERSON,
        ),
        ("The site has", rows, settings.PHONE_MAX_PER_DAY, settings.PHONE_MAX_COST),
    ):
        if used.filter(created_at__gt=Now() - DAY).count() >= most_per_day:
            raise UndeliverableError(f"{name} reached the limit of {most_per_day} SMS and calls per day.")
        if most_cost and cost(used) >= most_cost:
            raise UndeliverableError(f"{name} reached the cost limit of {most_cost:g} for SMS and calls in 30 days.")


def cost(rows: QuerySet[Message]) -> float:
    """Return what the SMS and calls of the last 30 days cost, by the prices in the settings."""
    recent = rows.filter(created_at__gt=Now() - MONTH).order_by()
    counts = recent.aggregate(
        sms=Count("pk", filter=Q(channel=Message.Channel.SMS)),
        calls=Count("pk", filter=Q(channel=Message.Channel.VOICE)),
    )
    return float(counts["sms"] * settings.SMS_PRICE + counts["calls"] * settings.CALL_PRICE)
