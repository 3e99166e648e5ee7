"""A pipeline's status in one word, from its open incidents and what its checks last said."""

from collections.abc import Collection

# Each word with what it comes from, worst first; the first that fits is the status.
WORST_INCIDENT = (("outage", "outage"), ("delay", "delayed"), ("issue", "issue"))
WORST_CHECK = (("fail", "failing"), ("stale", "stale"), ("warn", "warn"), ("pass", "ok"))
UNKNOWN = "unknown"
STATUSES = tuple(word for _, word in (*WORST_INCIDENT, *WORST_CHECK, ("", UNKNOWN)))


def status_of(*, kinds: Collection[str], results: Collection[str]) -> str:
    """Return a pipeline's status: of its open incidents the worst kind, without any of its checks the worst last result.

    A check that broke, or that has not run, says nothing: it never counts against the data (validation.md). Where nothing
    says anything the status is "unknown".
    """
    for kind, word in WORST_INCIDENT:
        if kind in kinds:
            return word
    for result, word in WORST_CHECK:
        if result in results:
            return word
    return UNKNOWN
