"""How long to wait before a message is tried again."""

import datetime as dt

FIRST, LONGEST = dt.timedelta(seconds=10), dt.timedelta(minutes=15)
# About five hours with the waits below: a mail server that is down over a morning loses nothing.
MOST = 24


def retry_delay(tries: int, *, share: float) -> dt.timedelta:
    """Return how long to wait after that many tries: doubled each time up to a cap, of which a share of 0 to 1 spreads the half.

    The spread keeps messages that failed together from coming back together.
    """
    whole = min(LONGEST, FIRST * (1 << min(tries - 1, 12)))
    return whole / 2 + whole / 2 * share
