"""The number of random cases in a test: a fifth in `make test`, all in `make faults`, which sets `THOROUGH=1`."""

import os

THOROUGH = os.environ.get("THOROUGH") == "1" or os.environ.get("HYPOTHESIS_PROFILE") == "explore"


def cases(full):
    """Return the number of cases: a fifth of all in the suite, but no fewer than ten."""
    return full if THOROUGH else max(10, full // 5)
