"""What becomes of open requests when the weeks they are about change hands."""

import datetime as dt

from scheduling.models import Rotation, SwapRequest
from scheduling.queries.swaps import groundless


def void_groundless(rotation: Rotation, *, at: dt.datetime) -> int:
    """Void the open requests whose weeks are no longer their givers', each with its reason; return how many.

    The caller has locked the rotation.
    """
    lost = groundless(rotation, at=at)
    for swap, reason in lost:
        SwapRequest.objects.pending().filter(pk=swap.pk).update(
            state=SwapRequest.State.VOID, reason=reason, decided_at=at
        )
    return len(lost)
