"""Create and revoke calendar feeds, and update their stored events."""

import datetime as dt
import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from calendar_feeds.events import FeedEventSpec, events_of_engineer, events_of_rotation, first_shown
from calendar_feeds.models import FeedEvent, FeedToken
from common.exceptions import DomainError, NotAllowedError
from handoffs.domain.ical import Content, Version, feed_event
from people.models import User
from people.queries import digest_of
from people.services.accounts import note_use
from scheduling.models import Rotation

FEED_MARK = "feed_"
FEEDS_A_PERSON = 20


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A new feed with the secret of its address, which is shown only once."""

    token: FeedToken
    secret: str


@transaction.atomic
def create_feed(owner: User, *, rotation: Rotation | None, at: dt.datetime) -> NewFeed:
    """Create a feed of the owner's calendar or of a rotation. Raise DomainError if the owner has reached the limit of 20 feeds."""
    person = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if not person.is_active:
        raise DomainError(f"{person} is not active.")
    if person.feed_tokens.filter(revoked_at=None).count() >= FEEDS_A_PERSON:
        raise DomainError(f"You hold {FEEDS_A_PERSON} addresses. Revoke one you no longer need first.")
    secret = FEED_MARK + secrets.token_urlsafe(32)
    token = FeedToken.objects.create(
        owner=owner, rotation=rotation, prefix=secret[: len(FEED_MARK) + 6], digest=digest_of(secret)
    )
    sync_feed(rotation or owner, at=at)
    return NewFeed(token=token, secret=secret)


def revoke_feed(token: FeedToken, *, by: User, at: dt.datetime) -> None:
    """Revoke a feed. Raise NotAllowedError unless `by` is its owner or an admin."""
    if by.pk != token.owner_id and not by.is_staff:
        raise NotAllowedError("This address belongs to somebody else.")
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
    return sum(sync_feed(whose, at=at) for whose in feeds)


def sync_feed(whose: User | Rotation, *, at: dt.datetime) -> int:
    """Update the stored events of one feed; return how many changed."""
    if not _changes(whose, at=at).count:
        return 0
    with transaction.atomic():
        # Locking the feed's tokens serialises concurrent sweeps: the second one finds nothing to do.
        list(_tokens(whose).select_for_update(no_key=True).order_by("pk"))
        changes = _changes(whose, at=at)
        _write(changes)
        _events(whose).filter(ends_at__lte=first_shown(at)).delete()
    return changes.count


@dataclass(frozen=True, slots=True)
class Changes:
    """The events of a feed to write: new ones and changed ones."""

    new: list[FeedEvent]
    old: list[FeedEvent]

    @property
    def count(self) -> int:
        """Return the number of events to write."""
        return len(self.new) + len(self.old)


def _tokens(whose: User | Rotation) -> Any:
    if isinstance(whose, User):
        return FeedToken.objects.filter(owner=whose, rotation=None)
    return FeedToken.objects.filter(rotation=whose)


def _events(whose: User | Rotation) -> Any:
    return FeedEvent.objects.filter(**_key(whose))


def _key(whose: User | Rotation) -> dict[str, Any]:
    return {"engineer": whose} if isinstance(whose, User) else {"rotation": whose}


def _changes(whose: User | Rotation, *, at: dt.datetime) -> Changes:
    """Return the events to write: new, changed and removed ones."""
    found = events_of_engineer(whose, at=at) if isinstance(whose, User) else events_of_rotation(whose, at=at)
    kept = {row.source: row for row in _events(whose).filter(ends_at__gt=first_shown(at)).defer("component")}
    new, old = [], []
    for one in found:
        row = kept.pop(one.source, None)
        if row is None:
            row = FeedEvent(**_key(whose), source=one.source, uid=one.uid or _uid(one.source), sequence=-1)
            new.append(_told(row, one, at=at))
        elif row.cancelled or row.content != _written(one.content):
            old.append(_told(row, one, at=at))
    gone = [_told(row, None, at=at) for row in kept.values() if not row.cancelled]
    return Changes(new, old + gone)


def _uid(source: str) -> str:
    return f"{source}@{urlsplit(settings.SITE_URL).hostname or 'oncall'}"


def _written(content: Content) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(content).items()}


def _told(row: FeedEvent, wanted: FeedEventSpec | None, *, at: dt.datetime) -> FeedEvent:
    """Return the next version of an event: the wanted content, or the previous content as cancelled if nothing is wanted."""
    if wanted is not None:
        row.content = _written(wanted.content)
        row.starts_at, row.ends_at = wanted.starts_at, wanted.ends_at
    row.cancelled = wanted is None
    row.sequence = max(row.sequence + 1, wanted.sequence if wanted else 0)
    row.stamped_at = at
    content = wanted.content if wanted else _read(row.content)
    row.component = feed_event(content, version=Version(row.uid, row.sequence, at, row.cancelled))
    return row


def _read(written: dict[str, str]) -> Content:
    days = (_day_or_instant(written["starts"]), _day_or_instant(written["ends"]))
    return Content(*days, written["summary"], written["description"], written["url"])


def _day_or_instant(text: str) -> dt.date:
    return dt.date.fromisoformat(text) if len(text) == len("2026-11-23") else dt.datetime.fromisoformat(text)


def _write(changes: Changes) -> None:
    FeedEvent.objects.bulk_create(changes.new, batch_size=1000)
    fields = ["sequence", "stamped_at", "content", "component", "starts_at", "ends_at", "cancelled"]
    FeedEvent.objects.bulk_update(changes.old, fields, batch_size=500)
