"""Reads about how rotations hand over."""

from handoffs.models import HandoffPolicy
from scheduling.models import Rotation


def handoff_policy(rotation: Rotation) -> HandoffPolicy | None:
    """Return how a rotation hands over, with its topics, or None where nothing is set."""
    return HandoffPolicy.objects.filter(rotation=rotation).prefetch_related("topics").first()
