"""Which pipeline another tool's result belongs to, by rules that an admin keeps: pure."""

from collections.abc import Iterable
from dataclasses import dataclass

ANY_TOOL = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern in which `*` stands for anything, held against a result's key without case; of one tool, or of any (`""`)."""

    tool: str
    pattern: str
    pipeline: int

    def fits(self, *, tool: str, key: str) -> bool:
        """Return whether a result of this tool and key falls under the rule."""
        if self.tool not in (ANY_TOOL, tool):
            return False
        return _matches(key.casefold(), pattern=self.pattern.casefold())

    @property
    def weight(self) -> tuple[int, bool, str]:
        """Return what decides between rules that fit: the most letters that are not `*`, then a named tool."""
        return len(self.pattern.replace("*", "")), self.tool != ANY_TOOL, self.pattern


def mapped_pipeline(*, tool: str, key: str, rules: Iterable[Rule]) -> int | None:
    """Return the pipeline of the closest rule that fits; None where no rule does."""
    fitting = [rule for rule in rules if rule.fits(tool=tool, key=key)]
    return max(fitting, key=lambda rule: rule.weight).pipeline if fitting else None


def _matches(key: str, *, pattern: str) -> bool:
    """Return whether a key has the pattern's parts in order: by hand, since a regular expression of many stars is slow."""
    first, *rest = pattern.split("*")
    if not rest:
        return key == first
    *middle, last = rest
    if not key.startswith(first) or len(key) < len(first) + len(last) or not key.endswith(last):
        return False
    place, end = len(first), len(key) - len(last)
    for part in middle:
        found = key.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
