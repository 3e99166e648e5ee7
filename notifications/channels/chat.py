"""Chat channel: sends through Apprise, to permitted public services only."""

import logging
import re
from importlib import import_module
from typing import Any

from common.crypto import DecryptionError, decrypt
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import UndeliverableError
from notifications.models import ChatAddress, Message
from notifications.queries.outbox import message_link
from people.models import User

# Services with a host fixed in Apprise: an address names a key or a channel, never a machine, so it cannot
# reach the internal network. Self-hosted services are left out for that reason.
SERVICES = {
    "discord": "Discord",
    "gchat": "Google Chat",
    "opsgenie": "Opsgenie",
    "pagerduty": "PagerDuty",
    "pover": "Pushover",
    "slack": "Slack",
    "tgram": "Telegram",
    "wxteams": "Webex",
}
SCHEME = re.compile(r"\A([a-z]+)://[!-~]+\Z")
MAX_ADDRESS_LENGTH = 1_000

# Apprise's log messages about failures can contain the address.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


class ChatAddressError(Exception):
    """The text is not an address of a permitted service; the message says why."""


def service_of(address: str) -> str:
    """Return the scheme of a permitted address; raise ChatAddressError otherwise."""
    scheme = SCHEME.match(address) if len(address) <= MAX_ADDRESS_LENGTH else None
    if scheme is None or scheme[1] not in SERVICES:
        known = ", ".join(f"{prefix}:// ({name})" for prefix, name in SERVICES.items())
        raise ChatAddressError(f"Enter an address that starts with one of {known}.")
    if not _apprise().Apprise.instantiate(address, suppress_exceptions=True):
        raise ChatAddressError(f"Invalid {SERVICES[scheme[1]]} address. See Apprise’s documentation for its format.")
    return scheme[1]


def encrypted_address(person: User) -> str:
    """Return a user's encrypted chat address; raise UndeliverableError if there is none."""
    address = ChatAddress.objects.filter(person=person).values_list("address", flat=True).first()
    if address is None:
        raise UndeliverableError(f"{person} no longer has a chat address.")
    return address


def send_chat(message: Message, encrypted: str, *, deadline: Deadline) -> None:
    """Send a message; raise UndeliverableError if the address is invalid, ConnectionError if sending fails."""
    try:
        address = decrypt(encrypted)
        service_of(address)
    except (DecryptionError, ChatAddressError) as error:
        raise UndeliverableError(f"The chat address cannot be used. {error}") from error
    client = _apprise().Apprise()
    client.add(address)
    deadline.check()
    body = "\n\n".join(part for part in (message.text, message_link(message)) if part)
    if not client.notify(title=message.subject, body=body):
        raise ConnectionError("The chat service did not accept the message.")


def _apprise() -> Any:
    """Import Apprise on first use, because it loads over a hundred services and takes a second."""
    return import_module("apprise")
