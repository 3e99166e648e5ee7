"""The number of random cases in a test: a fifth in `make test`, all in `make faults`, which sets `THOROUGH=1`."""

import os

THOROUGH = os.environ.get("THOROUGH") == "1" or os.environ.get("HYPOTHESIS_PROFILE") == "explore"


def cases(full, *, part=5):
    """Return the number of cases: in the suite one part of all, by default a fifth, but no fewer than ten."""
    return full if THOROUGH else max(10, full // part)
