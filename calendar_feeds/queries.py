"""Queries for calendar feeds and their iCalendar text."""

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from calendar_feeds.models import FeedEvent, FeedToken
from handoffs.domain.ical import feed
from people.models import User
from people.queries import secret_digest


def feed_by_secret(secret: str) -> FeedToken | None:
    """Return the feed for this secret with its owner and rotation, or None if it is unknown, revoked or its owner is inactive."""
    rows = FeedToken.objects.usable().select_related("owner", "rotation")
    return rows.filter(digest=secret_digest(secret)).first()


def active_feeds(owner: User) -> QuerySet[FeedToken]:
    """Return a user's active feeds, newest first."""
    return owner.feed_tokens.not_revoked().select_related("rotation", "owner")


def feed_url(secret: str) -> str:
    """Return the URL of the feed with this secret."""
    return f"{settings.SITE_URL}{reverse('feed', args=[secret])}"


def feed_text(token: FeedToken) -> str:
    """Return a feed's stored events as iCalendar text."""
    subject = {"rotation": token.rotation, "engineer": None if token.rotation else token.owner}
    events = FeedEvent.objects.filter(**subject).order_by("starts_at", "pk").values_list("component", flat=True)
    return feed(f"On call: {token.rotation or token.owner}", events=events)
