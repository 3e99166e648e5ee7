"""What becomes of open requests when the weeks they are about change hands."""

import datetime as dt

from scheduling.models import Rotation, SwapRequest
from scheduling.notices import tell_swap_decided
from scheduling.queries.swaps import groundless


def void_groundless(rotation: Rotation, *, at: dt.datetime) -> int:
    """Void the open requests whose weeks are no longer their givers', each with its reason; return how many.

    The caller has locked the rotation.
    """
    lost = groundless(rotation, at=at)
    for swap, reason in lost:
        swap.state, swap.reason, swap.decided_at = SwapRequest.State.VOID, reason, at
        void = {"state": swap.state, "reason": reason, "decided_at": at}
        if SwapRequest.objects.pending().filter(pk=swap.pk).update(**void) == 1:
            tell_swap_decided(swap, at=at)
    return len(lost)
