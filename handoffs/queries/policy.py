"""Queries for hand-off policies."""

from collections.abc import Iterable

from handoffs.models import HandoffPolicy
from scheduling.models import Rotation


def handoff_policies(rotations: Iterable[Rotation]) -> dict[int, HandoffPolicy]:
    """Return hand-off policies with their topics, by rotation ID."""
    rows = HandoffPolicy.objects.filter(rotation__in=list(rotations)).prefetch_related("topics")
    return {policy.rotation_id: policy for policy in rows}


def handoff_policy(rotation: Rotation) -> HandoffPolicy | None:
    """Return a rotation's hand-off policy with its topics, or None if it has none."""
    return handoff_policies([rotation]).get(rotation.pk)
