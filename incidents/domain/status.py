"""A pipeline's status in one word, from its open incidents and the last results of its checks."""

from collections.abc import Collection

# What is present, and the status it means; worst first.
WORST_INCIDENT = (("outage", "outage"), ("delay", "delayed"), ("issue", "issue"))
WORST_CHECK = (("fail", "failing"), ("stale", "stale"), ("warn", "warn"), ("pass", "ok"))
UNKNOWN = "unknown"
STATUSES = tuple(word for _, word in (*WORST_INCIDENT, *WORST_CHECK, ("", UNKNOWN)))


def pipeline_status(*, kinds: Collection[str], results: Collection[str]) -> str:
    """Return a pipeline's status: its worst open incident, or else the worst last result of its checks.

    Checks that have an error or never ran do not count. If nothing counts, the status is "unknown".
    """
    for kind, word in WORST_INCIDENT:
        if kind in kinds:
            return word
    for result, word in WORST_CHECK:
        if result in results:
            return word
    return UNKNOWN
