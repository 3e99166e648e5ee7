"""Webhook: JSON to any URL, signed as Standard Webhooks describes (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from common.datetimes import isoformat_z
from notifications.queries.outbox import database_clock
from team_channels.kinds.base import HttpKind, link
from team_channels.models import ChannelDelivery, TeamChannel

PAYLOAD_VERSION = 1
SECRET_PREFIX = "whsec_"  # noqa: S105  # nosec B105  # the prefix of secrets, not a secret
SECRET_BYTES = 32


class WebhookKind(HttpKind):
    """A URL that receives signed JSON."""

    name = TeamChannel.Kind.WEBHOOK
    address_help = "An https:// URL. Each event is posted as JSON and signed with a secret."
    is_signed = True

    def payload(self, delivery: ChannelDelivery) -> dict[str, Any]:
        return {
            "version": PAYLOAD_VERSION,
            "id": delivery.event_id,
            "type": delivery.event,
            "occurred_at": isoformat_z(delivery.occurred_at),
            "title": delivery.title,
            "text": delivery.text,
            "url": link(delivery),
            "data": delivery.data,
        }

    def headers(self, delivery: ChannelDelivery, body: bytes) -> Mapping[str, str]:
        now = database_clock()
        timestamp = str(int(now.timestamp()))
        channel = delivery.channel
        keys = [channel.secret, *(old.secret for old in channel.old_secrets(now))]
        signatures = [signature(key, message_id=delivery.event_id, timestamp=timestamp, body=body) for key in keys]
        return {
            "Webhook-Id": delivery.event_id,
            "Webhook-Timestamp": timestamp,
            "Webhook-Signature": " ".join(signatures),
        }


def new_secret() -> str:
    """Return a new secret: 256 random bits."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, *, message_id: str, timestamp: str, body: bytes) -> str:
    """Return a signature, such as "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".

    It is HMAC-SHA256 over ID, timestamp and body, with dots in between. The key is the decoded part after the secret's
    prefix.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
