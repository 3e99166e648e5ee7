"""Delay before a message is retried."""

import datetime as dt

FIRST, LONGEST = dt.timedelta(seconds=10), dt.timedelta(minutes=15)
# Covers about five hours, so that a mail server outage of a morning loses nothing.
MOST = 24


def retry_delay(tries: int, *, share: float) -> dt.timedelta:
    """Return the delay after `tries` attempts: exponential up to a cap, half of it scaled by `share` (0 to 1).

    The spread keeps messages that failed together from coming back together.
    """
    whole = min(LONGEST, FIRST * (1 << min(tries - 1, 12)))
    return whole / 2 + whole / 2 * share
