"""Queries for action items."""

from collections.abc import Iterable

from django.db.models import QuerySet

from handoffs.models import ActionItem
from scheduling.models import Rotation


def all_items() -> QuerySet[ActionItem]:
    """Return all action items: open ones first, then done ones, newest first."""
    rows = ActionItem.objects.select_related("rotation", "pipeline", "created_by", "done_by")
    return rows.order_by("-done_at", "created_at", "pk")


def open_items(rotations: Iterable[int] | None = None) -> QuerySet[ActionItem]:
    """Return open action items, oldest first, optionally only those of the given rotations."""
    rows = ActionItem.objects.filter(done_at=None).select_related("rotation", "pipeline", "created_by")
    return (rows if rotations is None else rows.filter(rotation__in=list(rotations))).order_by("created_at", "pk")


def rotation_or_only(slug: str) -> Rotation | None:
    """Return the rotation with this slug, or the only rotation if no slug is given."""
    if slug:
        return Rotation.objects.filter(slug=slug.replace("\0", "")).first()
    rows = list(Rotation.objects.order_by("pk")[:2])
    return rows[0] if len(rows) == 1 else None
