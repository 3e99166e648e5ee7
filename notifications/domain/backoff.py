"""Delay before a message is retried."""

import datetime as dt

FIRST_DELAY, MAX_DELAY = dt.timedelta(seconds=10), dt.timedelta(minutes=15)
# Covers about five hours, so that a mail server outage of a morning loses nothing.
MAX_ATTEMPTS = 24


def retry_delay(attempts: int, *, jitter: float) -> dt.timedelta:
    """Return the delay after `attempts` attempts: exponential up to a cap, half of it scaled by `jitter` (0 to 1).

    The jitter keeps messages that failed together from being retried together.
    """
    delay = min(MAX_DELAY, FIRST_DELAY * (1 << min(attempts - 1, 12)))
    return delay / 2 + delay / 2 * jitter
