"""The steps of a runbook: the list items under "Troubleshooting Steps"."""

from collections.abc import Iterator

from people.domain.names import match_key
from runbooks.domain.markdown_lines import lines_of
from runbooks.domain.markdown_lists import Item, list_of
from runbooks.domain.runbook_text import sections_of

SECTION = match_key("Troubleshooting Steps")
MAX_STEP_LENGTH = 2000


def runbook_steps(markdown: str) -> tuple[str, ...]:
    """Return the steps of a runbook in order; none if it has no such section or the section has no list.

    The section title matches by meaning, not by case or punctuation. Nested items belong to their step.
    """
    return tuple(
        text[:MAX_STEP_LENGTH]
        for section in sections_of(markdown)
        if match_key(section.title) == SECTION
        for text in _steps(section.markdown)
        if text
    )


def _steps(markdown: str) -> Iterator[str]:
    lines, _ = lines_of(markdown)
    part = list_of(lines)
    while part.items:
        yield from (_text_with_nested(item) for item in part.items)
        part = list_of(part.after)


def _text_with_nested(item: Item) -> str:
    return " – ".join([item.text, *(_text_with_nested(nested) for nested in item.nested)])
