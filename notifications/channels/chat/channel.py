"""Chat channel: sends through Apprise, to permitted public services only."""

import logging
import re
from importlib import import_module
from typing import Any

from notifications.channels.base import Channel
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import AddressError, UndeliverableError
from notifications.models import Message
from notifications.queries.outbox import message_link

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


class ChatChannel(Channel):
    """A chat service by Apprise. Only admins set its address."""

    name = Message.Channel.CHAT
    address_help = "An Apprise URL, such as slack://TokenA/TokenB/TokenC/#channel."
    admins_only = True

    def check_address(self, address: str) -> str:
        scheme = SCHEME.match(address) if len(address) <= MAX_ADDRESS_LENGTH else None
        if scheme is None or scheme[1] not in SERVICES:
            known = ", ".join(f"{prefix}:// ({name})" for prefix, name in SERVICES.items())
            raise AddressError(f"Enter an address that starts with one of {known}.")
        if not _apprise().Apprise.instantiate(address, suppress_exceptions=True):
            raise AddressError(f"Invalid {SERVICES[scheme[1]]} address. See Apprise’s documentation for its format.")
        return SERVICES[scheme[1]]

    def send(self, message: Message, address: str, *, deadline: Deadline) -> None:
        try:
            self.check_address(address)
        except AddressError as error:
            raise UndeliverableError(str(error)) from error
        client = _apprise().Apprise()
        client.add(address)
        deadline.check()
        body = "\n\n".join(part for part in (message.text, message_link(message)) if part)
        if not client.notify(title=message.subject, body=body):
            raise ConnectionError("The chat service did not accept the message.")


def _apprise() -> Any:
    """Import Apprise on first use, because it loads over a hundred services and takes a second."""
    return import_module("apprise")
