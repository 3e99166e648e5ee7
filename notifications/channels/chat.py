"""Chat channel: sends through Apprise, to permitted public services only."""

import logging
import re
from importlib import import_module
from typing import Any

from django.conf import settings

from common.crypto import DecryptionError, decrypt
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import UndeliverableError
from notifications.models import ChatAddress, Message
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
LONGEST = 1_000

# Apprise's log messages about failures can contain the address.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


class NotAChatAddress(Exception):  # noqa: N818  # it is read as a sentence
    """The text is not an address of a permitted service; the message says why."""


def service_of(address: str) -> str:
    """Return the scheme of a permitted address; raise NotAChatAddress otherwise."""
    found = SCHEME.match(address) if len(address) <= LONGEST else None
    if found is None or found[1] not in SERVICES:
        known = ", ".join(f"{scheme}:// ({name})" for scheme, name in SERVICES.items())
        raise NotAChatAddress(f"Give an address that begins with one of {known}.")
    if not _apprise().Apprise.instantiate(address, suppress_exceptions=True):
        raise NotAChatAddress(f"{SERVICES[found[1]]} addresses look different: see Apprise's documentation.")
    return found[1]


def sealed_address_of(person: User) -> str:
    """Return a user's encrypted chat address; raise UndeliverableError if there is none."""
    address = ChatAddress.objects.filter(person=person).values_list("address", flat=True).first()
    if address is None:
        raise UndeliverableError(f"{person} has no chat address any more.")
    return address


def send_chat(message: Message, sealed: str, *, deadline: Deadline) -> None:
    """Send a message; raise UndeliverableError if the address is invalid, ConnectionError if sending fails."""
    try:
        address = decrypt(sealed)
        service_of(address)
    except (DecryptionError, NotAChatAddress) as error:
        raise UndeliverableError(f"The chat address cannot be used. {error}") from error
    client = _apprise().Apprise()
    client.add(address)
    deadline.check()
    where = f"\n\n{settings.SITE_URL}{message.path}" if message.path else ""
    if not client.notify(title=message.subject, body=f"{message.text}{where}"):
        raise ConnectionError("The chat service did not take it.")


def _apprise() -> Any:
    """Import Apprise on first use, because it loads over a hundred services and takes a second."""
    return import_module("apprise")
