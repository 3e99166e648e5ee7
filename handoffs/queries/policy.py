"""Queries for hand-off policies."""

from handoffs.models import HandoffPolicy
from scheduling.models import Rotation


def handoff_policy(rotation: Rotation) -> HandoffPolicy | None:
    """Return a rotation's hand-off policy with its topics, or None if it has none."""
    return HandoffPolicy.objects.filter(rotation=rotation).prefetch_related("topics").first()
