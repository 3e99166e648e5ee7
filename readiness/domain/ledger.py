"""What happened to a published value: the pure rules of restatements."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

# A change below this share of the published value is no restatement: sums of floats differ in their last digits.
RELATIVE_TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that took the place of an earlier one."""

    value: float
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Drift:
    """How a value left the one that was published.

    `since` is when it first differed, `farthest` the value that differed most, `value` the last one and `at` when that was stored.
    """

    since: dt.datetime
    farthest: float
    value: float
    at: dt.datetime


def differs(value: float, published: float) -> bool:
    """Return True if a value differs from a published one by more than the tolerance."""
    return abs(value - published) > RELATIVE_TOLERANCE * abs(published)


def find_drift(published: float, changes: Sequence[ValueChange]) -> Drift | None:
    """Return how the changes since publication left the published value, or None if all stayed within the tolerance."""
    since = next((change.at for change in changes if differs(change.value, published)), None)
    if since is None:
        return None
    farthest = max(changes, key=lambda change: abs(change.value - published))
    return Drift(since, farthest.value, changes[-1].value, changes[-1].at)
