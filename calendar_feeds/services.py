"""Create and revoke calendar feeds, and update their stored events."""

import datetime as dt
import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from calendar_feeds.events import FeedEventSpec, engineer_events, feed_start, rotation_events
from calendar_feeds.models import FeedEvent, FeedToken
from common.exceptions import DomainError, NotAllowedError
from common.loops import IsolatedSteps
from handoffs.domain.ical import Content, Version, feed_event
from people.models import User
from people.queries import secret_digest
from people.services.accounts import note_use
from scheduling.models import Rotation

FEED_PREFIX = "feed_"
MAX_FEEDS_PER_USER = 20


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A new feed with the secret of its URL, which is shown only once."""

    token: FeedToken
    secret: str


@transaction.atomic
def create_feed(owner: User, *, rotation: Rotation | None, at: dt.datetime) -> NewFeed:
    """Create a feed of the owner's calendar or of a rotation. Raise DomainError if the owner has reached the limit of 20 feeds."""
    user = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if not user.is_active:
        raise DomainError(f"{user} is inactive.")
    if user.feed_tokens.not_revoked().count() >= MAX_FEEDS_PER_USER:
        raise DomainError(f"You have {MAX_FEEDS_PER_USER} calendar feeds. Revoke one before you create another.")
    secret = FEED_PREFIX + secrets.token_urlsafe(32)
    token = FeedToken.objects.create(
        owner=owner, rotation=rotation, prefix=secret[: len(FEED_PREFIX) + 6], digest=secret_digest(secret)
    )
    sync_feed(rotation or owner, at=at)
    return NewFeed(token=token, secret=secret)


def revoke_feed(token: FeedToken, *, by: User, at: dt.datetime) -> None:
    """Revoke a feed. Raise NotAllowedError unless `by` is its owner or an admin."""
    if by.pk != token.owner_id and not by.is_staff:
        raise NotAllowedError("You can only revoke your own calendar feeds.")
    FeedToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)


def record_feed_use(token: FeedToken, *, at: dt.datetime) -> None:
    """Record when the feed was last read, to the minute."""
    note_use(FeedToken.objects.filter(pk=token.pk), at=at)


def sync_feeds(*, at: dt.datetime) -> int:
    """Update the stored events of every feed with an active subscriber; return how many events changed.

    Reading a feed writes nothing, so the UID, SEQUENCE and DTSTAMP that subscribers see are stored here.
    """
    tokens = FeedToken.objects.usable()
    rotations = Rotation.objects.filter(pk__in=tokens.values("rotation")).order_by("pk")
    owners = User.objects.filter(pk__in=tokens.filter(rotation=None).values("owner")).order_by("pk")
    feeds: list[User | Rotation] = [*rotations, *owners]
    with IsolatedSteps() as attempt:
        return sum(attempt(sync_feed, subject, at=at) or 0 for subject in feeds)


def sync_feed(subject: User | Rotation, *, at: dt.datetime) -> int:
    """Update the stored events of the feed of an engineer or a rotation; return how many changed."""
    if not _changes(subject, at=at).count:
        return 0
    with transaction.atomic():
        # Locking the feed's tokens serialises concurrent sweeps: the second one finds nothing to do.
        list(_tokens(subject).select_for_update(no_key=True).order_by("pk"))
        changes = _changes(subject, at=at)
        _write(changes)
        _events(subject).filter(ends_at__lte=feed_start(at)).delete()
    return changes.count


@dataclass(frozen=True, slots=True)
class Changes:
    """The events of a feed to write."""

    new: list[FeedEvent]
    changed: list[FeedEvent]

    @property
    def count(self) -> int:
        """The number of events to write."""
        return len(self.new) + len(self.changed)


def _tokens(subject: User | Rotation) -> Any:
    if isinstance(subject, User):
        return FeedToken.objects.filter(owner=subject, rotation=None)
    return FeedToken.objects.filter(rotation=subject)


def _events(subject: User | Rotation) -> Any:
    return FeedEvent.objects.filter(**_subject_fields(subject))


def _subject_fields(subject: User | Rotation) -> dict[str, Any]:
    return {"engineer": subject} if isinstance(subject, User) else {"rotation": subject}


def _changes(subject: User | Rotation, *, at: dt.datetime) -> Changes:
    """Return the events to write: new, changed and removed ones."""
    specs = engineer_events(subject, at=at) if isinstance(subject, User) else rotation_events(subject, at=at)
    stored = {row.source: row for row in _events(subject).filter(ends_at__gt=feed_start(at)).defer("component")}
    new, changed = [], []
    for spec in specs:
        row = stored.pop(spec.source, None)
        if row is None:
            row = FeedEvent(
                **_subject_fields(subject), source=spec.source, uid=spec.uid or _uid(spec.source), sequence=-1
            )
            new.append(_next_version(row, spec, at=at))
        elif row.cancelled or row.content != _content_to_json(spec.content):
            changed.append(_next_version(row, spec, at=at))
    removed = [_next_version(row, None, at=at) for row in stored.values() if not row.cancelled]
    return Changes(new, changed + removed)


def _uid(source: str) -> str:
    return f"{source}@{urlsplit(settings.SITE_URL).hostname or 'oncall'}"


def _next_version(row: FeedEvent, spec: FeedEventSpec | None, *, at: dt.datetime) -> FeedEvent:
    """Return the next version of an event: as `spec` describes it, or the previous content as cancelled without one."""
    if spec is not None:
        row.content = _content_to_json(spec.content)
        row.starts_at, row.ends_at = spec.starts_at, spec.ends_at
    row.cancelled = spec is None
    row.sequence = max(row.sequence + 1, spec.sequence if spec else 0)
    row.stamped_at = at
    content = spec.content if spec else _content_from_json(row.content)
    row.component = feed_event(content, version=Version(row.uid, row.sequence, at, row.cancelled))
    return row


def _content_to_json(content: Content) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(content).items()}


def _content_from_json(fields: dict[str, str]) -> Content:
    starts, ends = _day_or_instant(fields["starts"]), _day_or_instant(fields["ends"])
    return Content(starts, ends, fields["summary"], fields["description"], fields["url"])


def _day_or_instant(text: str) -> dt.date:
    return dt.date.fromisoformat(text) if len(text) == len("2026-11-23") else dt.datetime.fromisoformat(text)


def _write(changes: Changes) -> None:
    FeedEvent.objects.bulk_create(changes.new, batch_size=1000)
    fields = ["sequence", "stamped_at", "content", "component", "starts_at", "ends_at", "cancelled"]
    FeedEvent.objects.bulk_update(changes.changed, fields, batch_size=500)
