"""Loops of worker tasks."""

import time
from collections.abc import Callable


def repeat(step: Callable[[], object], *, seconds: float) -> None:
    """Call `step` again and again, at least once, until it returns nothing (None, False, 0) or `seconds` are over."""
    until = time.monotonic() + seconds
    while step() and time.monotonic() < until:
        pass
