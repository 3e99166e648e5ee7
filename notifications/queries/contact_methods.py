"""Queries for contact methods: their codes, their digests, and which channels the site has."""

from collections.abc import Iterable

from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac

from notifications.models import ContactMethod, EmailRejection, Message
from notifications.queries.phone_account import phone_account
from notifications.queries.slack import has_slack_app
from people.models import User

PHONE_CHANNELS = (Message.Channel.SMS, Message.Channel.VOICE)
CODE_DIGITS = 6


def is_available(channel: str) -> bool:
    """Return True unless the channel needs an account at a provider that the site does not have."""
    if channel == Message.Channel.SLACK_DM:
        return has_slack_app()
    return channel not in PHONE_CHANNELS or phone_account() is not None


def address_digest(channel: str, address: str) -> str:
    """Return the keyed digest by which an address is found, because its ciphertext differs each time."""
    return salted_hmac("notifications.contact_method", f"{channel} {address}", algorithm="sha256").hexdigest()


def contact_code(method: ContactMethod) -> str:
    """Return the six digits that were last sent to a contact method. They are not stored."""
    digest = salted_hmac("notifications.contact_code", f"{method.pk} {method.code_nonce}", algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def people_by_number(channel: str, number: str) -> list[int]:
    """Return the people with a live contact method with this number."""
    rows = ContactMethod.objects.live().filter(channel=channel, address_digest=address_digest(channel, number))
    return list(rows.order_by("person").values_list("person", flat=True))


def has_number(message: Message) -> bool:
    """Return True if the recipient still has the number that was called, verified."""
    rows = ContactMethod.objects.filter(pk=message.contact_method, person=message.recipient_id)
    return rows.filter(verified_at__isnull=False).exists()


def email_rejections(people: Iterable[User | int]) -> QuerySet[EmailRejection]:
    """Return the rejections of these users' current e-mail addresses."""
    return EmailRejection.objects.filter(person__in=people, address=F("person__email"))
