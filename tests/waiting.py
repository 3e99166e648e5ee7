"""Waiting for a condition. The limit is generous: it ends a hang, it says nothing about speed."""

import time

PATIENCE_SECONDS = 900


def wait_until(condition, *, why="the condition did not become true", every=0.1):
    """Return the first true value of `condition()`; fail with `why`, a text or a function, after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, why() if callable(why) else why
        time.sleep(every)
    return value
