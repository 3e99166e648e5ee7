"""Delivery to channels through the outbox (`notifications/services/leases.py`) at a limited rate."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from common.crypto import DecryptionError
from notifications.channels.deadline import within
from notifications.channels.exceptions import GoneError, RetryLaterError, UndeliverableError, describe_error
from notifications.services.claims import ClaimStatement
from notifications.services.leases import MAX_RETRY_AFTER_SECONDS, Claim, Outcome, deliver_row, send_row
from team_channels.kinds.catalog import KINDS
from team_channels.models import ChannelDelivery
from team_channels.services.channels import save_health, turn_off_gone

# Below the limits of all services. Discord permits 30 for a webhook.
MAX_PER_MINUTE = 20
RATE_WINDOW = dt.timedelta(minutes=1)

claim_delivery = ClaimStatement(lambda: ChannelDelivery.objects.claimable().select_related("channel"))


def deliver_one() -> ChannelDelivery | None:
    """Deliver one message that is due and return it as claimed; None if none is due."""
    return deliver_row(claim_delivery, attempt=_attempt)


def _attempt(claim: Claim[ChannelDelivery]) -> Outcome:
    row = claim.row
    outcome = send_row(row, lambda: _send(row))
    return replace(outcome, columns={**outcome.columns, "response_status": row.response_status})


def _send(row: ChannelDelivery) -> Mapping[str, Any]:
    """Send a message and return the columns to store.

    Save the channel's health unless its address was changed meanwhile.
    """
    channel = row.channel
    row.response_status = None
    try:
        _post(row)
    except GoneError as error:
        if not turn_off_gone(channel, problem=describe_error(error)):
            # The message goes to the new address.
            raise ConnectionError("The address was changed while this message was being sent.") from error
        raise
    except RetryLaterError as error:
        pause = dt.timedelta(seconds=min(error.seconds, MAX_RETRY_AFTER_SECONDS))
        save_health(channel, problem=describe_error(error), problem_at=Now(), retry_at=Now() + pause)
        raise
    except Exception as error:
        save_health(channel, problem=describe_error(error), problem_at=Now())
        raise
    save_health(channel, last_delivered_at=Now(), problem="", problem_at=None, retry_at=_next_at(row))
    return {}


def _post(row: ChannelDelivery) -> None:
    if row.channel.kind not in KINDS:
        raise UndeliverableError(f"The site no longer posts to {row.channel.get_kind_display()}.")
    try:
        send = KINDS[row.channel.kind].prepare(row)
    except DecryptionError as error:
        raise UndeliverableError(f"The address cannot be used. {error}") from error
    within(settings.MESSAGE_SEND_SECONDS, send)
    send.record()


def _next_at(row: ChannelDelivery) -> dt.datetime | None:
    """Return when the channel may get its next message under the limit of `MAX_PER_MINUTE`, or None for now."""
    others = ChannelDelivery.objects.filter(channel=row.channel_id, sent_at__gt=Now() - RATE_WINDOW).exclude(pk=row.pk)
    recent = list(others.order_by("-sent_at").values_list("sent_at", flat=True)[: MAX_PER_MINUTE - 1])
    oldest = recent[-1] if len(recent) == MAX_PER_MINUTE - 1 else None
    return oldest + RATE_WINDOW if oldest is not None else None


def purge_finished() -> int:
    """Delete a batch of sent, dropped and failed deliveries that expired long ago; return their number."""
    waiting = (ChannelDelivery.State.PENDING, ChannelDelivery.State.SENDING)
    return ChannelDelivery.objects.expired_long_ago().exclude(state__in=waiting).delete_batch()
