"""How many cases a test tries: some in `make test`, all in `make faults`, which sets `THOROUGH=1`."""

import os

THOROUGH = os.environ.get("THOROUGH") == "1" or os.environ.get("HYPOTHESIS_PROFILE") == "explore"


def cases(full, *, part=5):
    """Return the number of cases: `full`, or in the suite `full / part`, by default a fifth, but at least ten."""
    return full if THOROUGH else max(10, full // part)
