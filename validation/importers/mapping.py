"""Mapping of external results to pipelines, by rules that admins manage. Without database access."""

from collections.abc import Iterable
from dataclasses import dataclass

ANY_TOOL = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A case-insensitive pattern for result keys, in which `*` matches anything; for one tool, or for all (`""`)."""

    tool: str
    pattern: str
    pipeline: int

    def fits(self, *, tool: str, key: str) -> bool:
        """Return True if the rule matches a result of this tool and key."""
        if self.tool not in (ANY_TOOL, tool):
            return False
        return matches(key.casefold(), pattern=self.pattern.casefold())

    @property
    def weight(self) -> tuple[int, bool, str]:
        """Return the sort key for matching rules: most characters other than `*` first, then a named tool."""
        return len(self.pattern.replace("*", "")), self.tool != ANY_TOOL, self.pattern


def mapped_pipeline(*, tool: str, key: str, rules: Iterable[Rule]) -> int | None:
    """Return the pipeline of the most specific matching rule, or None if no rule matches."""
    fitting = [rule for rule in rules if rule.fits(tool=tool, key=key)]
    return max(fitting, key=lambda rule: rule.weight).pipeline if fitting else None


def matches(key: str, *, pattern: str) -> bool:
    """Return True if a key has the pattern's parts in order; both are folded already.

    Does not use a regular expression because one with many wildcards is slow.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return key == first
    *middle, last = rest
    if not key.startswith(first) or len(key) < len(first) + len(last) or not key.endswith(last):
        return False
    start, end = len(first), len(key) - len(last)
    for part in middle:
        index = key.find(part, start, end)
        if index < 0:
            return False
        start = index + len(part)
    return True
