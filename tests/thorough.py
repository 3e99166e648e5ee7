"""How many random cases a test looks at: few in `make test`, all of them in `make faults`, which sets `THOROUGH=1`."""

import os

THOROUGH = os.environ.get("THOROUGH") == "1" or os.environ.get("HYPOTHESIS_PROFILE") == "explore"


def cases(full):
    """Return the number of cases: a fifth of all in the suite, but no fewer than ten."""
    return full if THOROUGH else max(10, full // 5)
