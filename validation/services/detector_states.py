"""Store the states that a check has learned from its series."""

from collections import defaultdict
from collections.abc import Iterable

from validation.domain.results import SeriesState
from validation.models import Check, DetectorState

# With the newest state, these cover points that arrive or change up to two weeks late. After older changes, the check
# replays its history.
MAX_WEEKLY_STATES = 2


def save_states(check: Check, *, states: Iterable[SeriesState]) -> None:
    """Store the states of a run, and delete those that newer ones replace. The caller holds the lock on the check."""
    rows = [
        DetectorState(
            parent_check=check,
            segment=state.segment,
            hour=state.hour,
            since=state.since,
            through=state.through,
            digest=str(state.digest),
            settings=state.settings,
            data=state.data,
            is_weekly=state.is_weekly,
        )
        for state in {(state.segment, state.hour, state.through): state for state in states}.values()
    ]
    if not rows:
        return
    DetectorState.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["parent_check", "segment", "hour", "through"],
        update_fields=["since", "digest", "settings", "data", "is_weekly"],
    )
    series = {(row.segment, row.hour) for row in rows}
    stored = defaultdict(list)
    keys = DetectorState.objects.filter(parent_check=check).order_by("-through")
    for pk, segment, hour, is_weekly in keys.values_list("pk", "segment", "hour", "is_weekly"):
        stored[segment, hour].append((pk, is_weekly))
    old = [pk for key in series for pk in _replaced(stored[key])]
    DetectorState.objects.filter(pk__in=old).delete()


def _replaced(states: list[tuple[int, bool]]) -> list[int]:
    """Return the IDs of a series' states to delete, newest first: all but the newest and some weekly ones."""
    weekly = [pk for pk, is_weekly in states[1:] if is_weekly][:MAX_WEEKLY_STATES]
    return [pk for pk, _ in states[1:] if pk not in weekly]
