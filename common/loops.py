"""Loops of worker tasks."""

import time
from collections.abc import Callable


def repeat(step: Callable[[], object], *, seconds: float) -> None:
    """Call `step` at least once, until it returns a false value (None, False, 0) or `seconds` have passed."""
    until = time.monotonic() + seconds
    while step() and time.monotonic() < until:
        pass
