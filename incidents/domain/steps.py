"""The steps of a runbook that are run against an incident: the list under "Troubleshooting Steps"."""

from collections.abc import Iterator

from people.domain.names import match_key
from runbooks.domain.markdown_lines import lines_of
from runbooks.domain.markdown_lists import Item, list_of
from runbooks.domain.runbook_text import sections_of

SECTION = match_key("Troubleshooting Steps")
LONGEST_STEP = 2000


def steps_of(markdown: str) -> tuple[str, ...]:
    """Return the steps of a runbook's text in order, none where it has no such section or no list in it.

    The section is found by meaning, whatever its letter case (product.md §1); what is nested under a step belongs to it.
    """
    return tuple(
        text[:LONGEST_STEP]
        for section in sections_of(markdown)
        if match_key(section.title) == SECTION
        for text in _steps(section.markdown)
        if text
    )


def _steps(markdown: str) -> Iterator[str]:
    lines, _ = lines_of(markdown)
    part = list_of(lines)
    while part.items:
        yield from (_whole(item) for item in part.items)
        part = list_of(part.after)


def _whole(item: Item) -> str:
    return " – ".join([item.text, *(_whole(nested) for nested in item.nested)])
