"""Similarity of two incidents: the check that failed, the pipeline, the kind and the words of the title."""

import re
from collections.abc import Collection
from dataclasses import dataclass

# The same failing check says more than everything else together.
SAME_CHECK, SAME_PIPELINE, SAME_KIND, SAME_WORDS = 10.0, 3.0, 1.0, 5.0
# Below this, incidents have too little in common: the pipeline and the kind alone are not enough.
MIN_SIMILARITY = SAME_PIPELINE + SAME_KIND + 0.5
WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class IncidentTraits:
    """The compared features of an incident. `checks` identify the failing checks, of this site and of other tools."""

    pipeline: int
    kind: str
    title: str
    checks: Collection[str] = ()


def similarity(one: IncidentTraits, other: IncidentTraits) -> float:
    """Return the similarity of two incidents; 0 for nothing in common."""
    words, others = _words(one.title), _words(other.title)
    shared = len(words & others) / len(words | others) if words | others else 0.0
    return (
        SAME_CHECK * bool(set(one.checks) & set(other.checks))
        + SAME_PIPELINE * (one.pipeline == other.pipeline)
        + SAME_KIND * (one.kind == other.kind)
        + SAME_WORDS * shared
    )


def _words(title: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(title)}
