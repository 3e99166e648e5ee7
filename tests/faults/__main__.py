"""`make faults`: the full counts of what the suite tests in short, and a table of what held."""

import sys
import tempfile
import time
import traceback
import zoneinfo
from pathlib import Path

from tests.faults.test_make_run import check_kills
from tests.runbooks.test_rendering import check_bombs
from tests.scheduling.engine.test_engine import check_chains, check_weeks_meet

KILLS = 20
WORLDS = 10_000


def kills():
    with tempfile.TemporaryDirectory() as var:
        check_kills(Path(var), kills=KILLS)
    return f"{KILLS} kills, nothing lost"


def zones():
    names = sorted(zoneinfo.available_timezones())
    for name in names:
        check_weeks_meet(name)
    return f"{len(names)} zones × 16 years × 24 hours: weeks meet"


def bombs():
    check_bombs(limit_seconds=2.0)
    return "every text answered or refused within 2 s"


def chains():
    check_chains(WORLDS, seed=time.time_ns())
    return f"{WORLDS:,} random worlds agree with the oracle"


PROMISES = {"14": zones, "21": bombs, "26": kills, "chain": chains}


def main():
    failed = False
    for name, check in PROMISES.items():
        began = time.monotonic()
        try:
            said = check()
        except AssertionError:
            traceback.print_exc()
            said, failed = "NOT HELD", True
        print(f"| {name} | {said} | {time.monotonic() - began:.0f} s |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
