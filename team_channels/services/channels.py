"""Add, edit, test, turn off, turn on and delete channels; send messages again; report channels that no longer exist."""

import contextlib
import datetime as dt
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from common.crypto import DecryptionError
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.text import clean_text
from notifications.channels.exceptions import AddressError
from notifications.queries.outbox import database_clock
from notifications.services.outbox import enqueue
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation
from team_channels.domain.events import EVENTS, PIPELINE_EVENTS, TEST, ChannelEvent
from team_channels.kinds.catalog import KINDS
from team_channels.kinds.webhook import new_secret
from team_channels.models import MAX_NAME_LENGTH, ChannelDelivery, OldSecret, TeamChannel
from team_channels.notifications import DisabledChannel
from team_channels.queries import (
    may_edit_channels,
    owner_channels,
    owner_filter,
    people_responsible,
    purgeable_channels,
)
from team_channels.services.outbox import DELIVERY_LIFETIME, new_delivery

MAX_CHANNELS = 20
# After a change of secrets, requests are signed with the old one too for this long.
OLD_SECRET_LIFETIME = dt.timedelta(days=1)
MAX_OLD_SECRETS = 5
TEST_PAUSE = dt.timedelta(minutes=1)
USER_GROUP_ID = re.compile(r"\AS[A-Z0-9]{5,20}\Z")
TURNED_OFF_TEXT = "The channel was turned off."
DELETED_TEXT = "The channel was deleted."
REPORT_LIFETIME = dt.timedelta(days=7)
REPORT_BATCH_SIZE = 100


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A new channel and its secret, which is shown only once; "" if its kind has none."""

    channel: TeamChannel
    secret: str


@transaction.atomic
def add_channel(
    owner: Pipeline | Rotation,
    *,
    kind: str,
    name: str,
    address: str,
    events: Sequence[str],
    by: User,
    user_group: str = "",
) -> NewChannel:
    """Add a channel to a pipeline or a rotation.

    Raises NotAllowedError, InvalidInputError by field, and DomainError beyond `MAX_CHANNELS`.
    """
    _check_editor(owner, by)
    if kind not in available_kinds():
        raise InvalidInputError({"kind": [f"Choose one of {', '.join(available_kinds())}."]})
    address, shown_as = clean_address(kind, address)
    user_group = clean_user_group(user_group, kind=kind, owner=owner)
    name, events = clean_channel_name(name), clean_events(owner, events)
    _check_limit(owner)
    secret = new_secret() if KINDS[kind].is_signed else ""
    row = TeamChannel.objects.create(
        **owner_filter(owner),
        kind=kind,
        name=name,
        address=address,
        shown_as=shown_as,
        secret=secret,
        user_group=user_group,
        events=events,
        created_by=by,
    )
    return NewChannel(row, secret)


@transaction.atomic
def update_channel(
    channel: TeamChannel,
    *,
    by: User,
    name: str | None = None,
    address: str = "",
    events: Sequence[str] | None = None,
    is_active: bool | None = None,
    user_group: str | None = None,
) -> TeamChannel:
    """Change a channel's name, address ("" keeps it), events or user group, or turn it off or on; return it.

    A new address turns it on again if it was turned off because the old one no longer existed. Raises as `add_channel`.
    """
    row = _lock(channel, by=by)
    if name is not None:
        row.name = clean_channel_name(name)
    if events is not None:
        row.events = clean_events(row.owner, events)
    if user_group is not None:
        row.user_group = clean_user_group(user_group, kind=row.kind, owner=row.owner)
    if address.strip():
        row.address, row.shown_as = clean_address(row.kind, address)
        row.problem, row.problem_at, row.retry_at = "", None, None
        if row.switched_off_by_id is None and is_active is None:
            is_active = True
    if is_active and not row.is_active:
        row.switched_off_at = row.switched_off_by = row.reported_at = None
    row.save()
    if is_active is False:
        turn_off(row, by=by)
        row.refresh_from_db()
    return row


@transaction.atomic
def turn_off(channel: TeamChannel, *, by: User | None) -> None:
    """Turn a channel off and drop its pending messages. `by` is None if its service says that it is gone."""
    active = TeamChannel.objects.active().filter(pk=channel.pk)
    if active.update(switched_off_at=Now(), switched_off_by=by):
        ChannelDelivery.objects.unclaimed().filter(channel=channel).drop(TURNED_OFF_TEXT)


def save_health(channel: TeamChannel, **columns: Any) -> bool:
    """Save the health that a response shows; return False if the address was changed or the channel deleted.

    `channel` must be as read from the database: its ciphertext is compared, which differs after each change.
    """
    current = TeamChannel.objects.filter(pk=channel.pk, address=vars(channel)["address"])
    return current.update(**columns) == 1


@transaction.atomic
def turn_off_gone(channel: TeamChannel, *, problem: str) -> bool:
    """Turn off a channel that its service no longer has; return False without a change, as `save_health` does."""
    is_saved = save_health(channel, problem=problem, problem_at=Now(), retry_at=None)
    if is_saved:
        turn_off(channel, by=None)
    return is_saved


@transaction.atomic
def rotate_secret(channel: TeamChannel, *, by: User) -> NewChannel:
    """Give a channel a new secret. Requests are also signed with each replaced secret for 24 hours.

    Raises DomainError if the channel has no secret, or after `MAX_OLD_SECRETS` changes within 24 hours.
    """
    row = _lock(channel, by=by)
    if not row.is_signed:
        raise DomainError("Only webhooks have a secret.")
    at = database_clock()
    old: list[OldSecret] = []
    # A secret that was encrypted with a lost key can no longer sign.
    with contextlib.suppress(DecryptionError):
        old.append(OldSecret(row.secret, at + OLD_SECRET_LIFETIME))
    with contextlib.suppress(DecryptionError):
        old += row.old_secrets(at)
    if len(old) > MAX_OLD_SECRETS:
        raise DomainError(f"The secret was changed {MAX_OLD_SECRETS} times within 24 hours. Try again tomorrow.")
    row.secret = new_secret()
    row.previous_secrets = json.dumps([(secret, until.isoformat()) for secret, until in old])
    row.save(update_fields=["secret", "previous_secrets"])
    return NewChannel(row, row.secret)


@transaction.atomic
def delete_channel(channel: TeamChannel, *, by: User) -> TeamChannel:
    """Delete a channel and drop its pending messages; return it. It can be restored for ten minutes.

    Raises NotAllowedError, and DomainError if it is already deleted.
    """
    row = _lock(channel, by=by)
    row.deleted_at = database_clock()
    row.save(update_fields=["deleted_at"])
    ChannelDelivery.objects.unclaimed().filter(channel=row).drop(DELETED_TEXT)
    return row


@transaction.atomic
def restore_channel(pk: int, *, by: User) -> TeamChannel:
    """Restore a deleted channel with its delivery log; return it.

    Raises NotAllowedError, and DomainError if it is not deleted, purged, or its owner already has `MAX_CHANNELS`.
    """
    rows = TeamChannel.all_objects.select_related("pipeline", "rotation")
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=pk).exclude(deleted_at=None).first()
    if row is None:
        raise DomainError("This channel was already restored or permanently deleted.")
    _check_editor(row.owner, by)
    _check_limit(row.owner)
    row.deleted_at = None
    row.save(update_fields=["deleted_at"])
    return row


@transaction.atomic
def purge_deleted_channels() -> int:
    """Permanently delete the channels that can no longer be restored, with their secrets and deliveries; return their number.

    Locks them first: the statement that deletes would not notice that one has been restored in between.
    """
    keys = purgeable_channels().order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)
    _, deleted = TeamChannel.all_objects.filter(pk__in=list(keys)).delete()
    return deleted.get("team_channels.TeamChannel", 0)


def _check_limit(owner: Pipeline | Rotation) -> None:
    # One at a time per owner, so that the limit holds.
    type(owner).objects.select_for_update(no_key=True).get(pk=owner.pk)
    if owner_channels(owner).count() >= MAX_CHANNELS:
        raise DomainError(f"{owner} already has {MAX_CHANNELS} channels. Delete one first.")


@transaction.atomic
def send_test(channel: TeamChannel, *, by: User) -> ChannelDelivery:
    """Post a test message to a channel; return it. Raises DomainError if it is off, or within a minute of the last one."""
    row = _lock(channel, by=by)
    if not row.is_active:
        raise DomainError("Turn this channel on first.")
    if row.deliveries.filter(event=TEST, created_at__gt=Now() - TEST_PAUSE).exists():
        raise DomainError("Wait a minute before you send another test message.")
    at = database_clock()
    event = ChannelEvent(
        type=TEST,
        id=f"test-{uuid.uuid4()}",
        occurred_at=at,
        title=f"Test message for {row.owner}",
        text=f"Sent by {by}. This channel gets: {', '.join(EVENTS[event] for event in row.events if event in EVENTS)}.",
        path=channel_path(row),
        data={"channel": row.name},
    )
    delivery = new_delivery(row, event, at=at)
    delivery.save()
    return delivery


@transaction.atomic
def redeliver(delivery: ChannelDelivery, *, by: User) -> ChannelDelivery:
    """Send a message again, with the same ID; return it.

    Raises DomainError if its channel is off or the message is still pending.
    """
    channel = _lock(delivery.channel, by=by)
    if not channel.is_active:
        raise DomainError("Turn this channel on first.")
    at = database_clock()
    finished = ChannelDelivery.objects.filter(pk=delivery.pk).exclude(
        state__in=(ChannelDelivery.State.PENDING, ChannelDelivery.State.SENDING)
    )
    times = {"due_at": at, "expires_at": at + DELIVERY_LIFETIME, "sent_at": None, "retry_at": None}
    if not finished.update(state=ChannelDelivery.State.PENDING, attempts=0, problem="", **times):
        raise DomainError("This message is still being sent.")
    return ChannelDelivery.objects.get(pk=delivery.pk)


@transaction.atomic
def report_channels_off() -> int:
    """Enqueue a message about each channel that no longer exists; return the number of channels."""
    rows = TeamChannel.objects.get_queryset().unreported().select_related("pipeline", "rotation").order_by("pk")
    channels = list(rows.select_for_update(skip_locked=True, of=("self",))[:REPORT_BATCH_SIZE])
    for row in channels:
        at = database_clock()
        report = DisabledChannel(
            channel_id=row.pk,
            channel=str(row),
            owner=str(row.owner),
            path=channel_path(row),
            switched_off_at=row.switched_off_at or at,
            problem=row.problem,
        )
        enqueue(people_responsible(row), report, due_at=at, expires_at=at + REPORT_LIFETIME)
        row.reported_at = at
        row.save(update_fields=["reported_at"])
    return len(channels)


def channel_path(channel: TeamChannel) -> str:
    """Return the path of the page with a channel."""
    owner = channel.owner
    return reverse("pipeline_channels" if isinstance(owner, Pipeline) else "rotation_channels", args=[owner.slug])


def clean_address(kind: str, address: str) -> tuple[str, str]:
    """Return an address as it is stored and as it is shown; raise InvalidInputError."""
    address = clean_text(address, field="address", max_length=2000, required="Enter an address.", is_line=True)
    try:
        return address, KINDS[kind].check_address(address)[:255]
    except AddressError as error:
        raise InvalidInputError({"address": [str(error)]}) from error


def available_kinds() -> list[str]:
    """Return the kinds that can be added, in display order."""
    return [name for name, kind in KINDS.items() if kind.is_available()]


def clean_user_group(user_group: str, *, kind: str, owner: Pipeline | Rotation) -> str:
    """Return the ID of a user group as it is stored, "" for none; raise InvalidInputError."""
    group = user_group.strip()
    if group and (kind != TeamChannel.Kind.SLACK or not isinstance(owner, Rotation)):
        raise InvalidInputError({"user_group": ["Only Slack channels of a rotation have a user group."]})
    if group and not USER_GROUP_ID.match(group):
        raise InvalidInputError({"user_group": ["Enter the ID of a user group, such as S0123ABCD."]})
    return group


def clean_channel_name(name: str) -> str:
    """Return a name as it is stored; raise InvalidInputError."""
    return clean_text(name, field="name", max_length=MAX_NAME_LENGTH, required="Enter a name.", is_line=True)


def event_choices(owner: Pipeline | Rotation | type[Pipeline] | type[Rotation]) -> dict[str, str]:
    """Return the events that a channel of this owner can get, with their labels. Only rotations have shift events."""
    is_pipeline = isinstance(owner, Pipeline) or owner is Pipeline
    return PIPELINE_EVENTS if is_pipeline else EVENTS


def clean_events(owner: Pipeline | Rotation, events: Sequence[str]) -> list[str]:
    """Return the events in display order without duplicates; raise InvalidInputError."""
    known = event_choices(owner)
    if unknown := sorted(set(events) - set(known)):
        raise InvalidInputError({"events": [f"Unknown event {unknown[0]}. Choose from {', '.join(known)}."]})
    if not events:
        raise InvalidInputError({"events": ["Choose at least one event."]})
    return [event for event in known if event in events]


def _check_editor(owner: Pipeline | Rotation, by: User) -> None:
    if not may_edit_channels(owner, by):
        people = "an admin or an owner of the pipeline" if isinstance(owner, Pipeline) else "an admin"
        raise NotAllowedError(f"Only {people} can change these channels.")


def _lock(channel: TeamChannel, *, by: User) -> TeamChannel:
    """Return the current row, locked; raise NotAllowedError, or DomainError if it was deleted."""
    rows = TeamChannel.objects.select_related("pipeline", "rotation").select_for_update(of=("self",), no_key=True)
    row = rows.filter(pk=channel.pk).first()
    if row is None:
        raise DomainError("This channel was deleted.")
    _check_editor(row.owner, by)
    return row
