"""Loops of worker tasks."""

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from django.db import connection

logger = logging.getLogger(__name__)

# A nightly purge stops well before the hard limit of its task, and continues the next night.
PURGE_SECONDS = 60

P = ParamSpec("P")
T = TypeVar("T")


def repeat(step: Callable[[], object], *, seconds: float) -> None:
    """Call `step` at least once, until it returns a false value (None, False, 0) or `seconds` have passed."""
    until = time.monotonic() + seconds
    while step() and time.monotonic() < until:
        pass


class IsolatedSteps:
    """Calls of the steps of a sweep. An error in one step does not stop the others, so each needs its own transaction.

    `with IsolatedSteps() as attempt: attempt(step, row, at=at)`. The first error is raised at the end of the block, so that the sweep
    counts as failed.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.error is not None:
            raise self.error

    def __call__(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Call a step; return its result, or None if it failed."""
        try:
            return step(*args, **kwargs)
        except Exception as error:
            logger.exception("A step of a sweep failed: %s %s", getattr(step, "__qualname__", step), args)
            if not connection.is_usable():
                # Without the database, every other step would fail too.
                raise
            self.error = self.error or error
            return None
