"""Parse the lists of a handbook: rotation weeks, holiday policy rules, and the hand-off with its topics."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from common.formatting import format_count
from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    MAX_MEETING_MINUTES,
    MAX_PERSON_LENGTH,
    MAX_TITLE_LENGTH,
    MAX_TOPIC_LENGTH,
    MIN_MEETING_MINUTES,
    HandbookError,
    RosterEntry,
)
from runbooks.domain.markdown_lines import Line, block_text
from runbooks.domain.text_cleanup import has_visible_text, quoted, tidy_name, tidy_person, tidy_sentence

WEEK = re.compile(r"[*_]*week[ \t\u00a0]*([0-9]{1,6})[*_]*[ \t]*[:.\-–—][*_]*[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
LENGTH = re.compile(
    r"(?<![\d.,])([0-9]{1,6})(?:\s?(?:[-‐‑‒–—−]|to|or)\s?([0-9]{1,6}))?(?:\s?[-‐‑])?\s?min(?:ute)?s?\b", re.IGNORECASE
)

MAX_NAME_WORDS = 5

ReportError = Callable[[HandbookError], None]


@dataclass(slots=True)
class Item:
    """A list item with its nested items and source lines. It is filled while the list is read."""

    line: int
    texts: list[str]
    indent: int
    nested: list["Item"] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The item's text as one line of Markdown."""
        return tidy_sentence(" ".join(text.strip(" \t") for text in self.texts))

    @property
    def last(self) -> "Item":
        """The innermost item read last: a continuation line belongs to it."""
        item = self
        while item.nested:
            item = item.nested[-1]
        return item

    @property
    def is_numbered(self) -> bool:
        """True if the item is one of a numbered list."""
        return bool(self.lines and self.lines[0].item and self.lines[0].item[1][:1].isdigit())

    def as_week(self, number: int) -> "Item":
        """Return an item that names an engineer as the item of a week."""
        return replace(self, texts=[f"Week {number}: {self.texts[0]}", *self.texts[1:]])

    @property
    def markdown(self) -> str:
        """The original Markdown of the item, without its indent."""
        return block_text([replace(line, text=self._outdent(line.text)) for line in self.lines])

    def _outdent(self, text: str) -> str:
        edge = len(self.lines[0].text) - len(self.lines[0].text.lstrip(" \t"))
        return text[:edge].lstrip(" \t") + text[edge:]


@dataclass(frozen=True, slots=True)
class ListPart:
    """A list: its items, and the lines before and after it."""

    before: Sequence[Line]
    items: tuple[Item, ...]
    after: Sequence[Line]


def parse_list(lines: Sequence[Line]) -> ListPart:
    """Return the first list. It ends when no item follows a blank line or a rule."""
    start = next((place for place, line in enumerate(lines) if line.item or line.heading), len(lines))
    items: list[Item] = []
    end, after_blank = start, False
    for place, line in enumerate(lines[start:], start):
        if line.is_blank:
            after_blank = True
            continue
        if not _continues_list(items, line, after_blank=after_blank):
            break
        items[-1].lines.append(line)
        end, after_blank = place + 1, False
    return ListPart(before=lines[:start], items=tuple(items), after=lines[end:])


def parse_roster_entries(part: ListPart, *, at: int, report_error: ReportError) -> tuple[RosterEntry, ...]:
    """Return the weeks of the rotation in order. `at` is the line number of its heading."""
    turns: list[RosterEntry] = []
    items = _weeks(part.items)
    if not items:
        report_error(HandbookError(at, "the rotation has no weeks", "a list such as “- **Week 1**: Engineer A”"))
    for number, item in enumerate(items, start=1):
        _report_nested_items(item, what="a week", report_error=report_error)
        if len(item.texts) > 1:
            report_error(
                HandbookError(
                    item.line,
                    f"week {number} continues on the next line",
                    "one line per week, and a blank line after the list",
                )
            )
        match = WEEK.fullmatch(item.text)
        name = tidy_person(match[2]) if match else ""
        if match is None:
            report_error(
                HandbookError(item.line, f"{quoted(item.text)} is not a week", f"“**Week {number}**: ” and a name")
            )
        elif int(match[1]) != number:
            report_error(HandbookError(item.line, f"week {int(match[1])} is in position {number}", f"week {number}"))
        elif not match_key(name):
            report_error(HandbookError(item.line, f"week {number} has no engineer", "a name"))
        elif len(name) > MAX_PERSON_LENGTH:
            wrong = f"the engineer {quoted(name)} has {len(name)} characters"
            report_error(HandbookError(item.line, wrong, f"at most {MAX_PERSON_LENGTH}"))
        else:
            turns.append(RosterEntry(name, line=item.line))
    _report_duplicates(
        [(turn.engineer, turn.line) for turn in turns], expected="each engineer once", report_error=report_error
    )
    for line in takewhile(lambda line: not line.heading, part.after):
        if line.item and WEEK.fullmatch(line.item[2]):
            report_error(HandbookError(line.number, "this week is not in the list of weeks", "all weeks in one list"))
    return tuple(turns)


def _weeks(items: Sequence[Item]) -> Sequence[Item]:
    """Return the items as weeks: a numbered list of names means weeks 1 to n."""
    if all(item.is_numbered and _may_be_name(item.text) for item in items):
        return [item.as_week(number) for number, item in enumerate(items, start=1)]
    return items


def is_numbered_names(lines: Sequence[Line]) -> bool:
    """Return True if the first list of the lines is a numbered list of names."""
    items = parse_list(lines).items
    return bool(items) and all(item.is_numbered and _may_be_name(item.text) for item in items)


def _may_be_name(text: str) -> bool:
    """Return True if a text may name a person: a few words that are neither a week nor a sentence."""
    return not WEEK.fullmatch(text) and len(text.split()) <= MAX_NAME_WORDS and text[-1:] not in ".:;!?"


def parse_rules(part: ListPart, *, report_error: ReportError) -> tuple[str, ...]:
    """Return the rules of the holiday policy. The policy may have none."""
    for item in part.items:
        _report_nested_items(item, what="a rule", report_error=report_error)
        if not has_visible_text(item.text):
            report_error(HandbookError(item.line, "the rule is empty", "a sentence"))
    return tuple(item.text for item in part.items)


def check_length(shortest: int, longest: int, *, at: int, report_error: ReportError) -> None:
    """Report an error if the length of a meeting is out of range. `at` is its line number."""
    if not MIN_MEETING_MINUTES <= shortest <= longest <= MAX_MEETING_MINUTES:
        length = f"{shortest} minutes" if shortest == longest else f"{shortest} to {longest} minutes"
        expected = f"{MIN_MEETING_MINUTES} to {MAX_MEETING_MINUTES} minutes, the shorter length first"
        report_error(HandbookError(at, f"the meeting lasts {length}", expected))


def length_in(text: str) -> tuple[int, int] | None:
    """Return the minimum and maximum of the first length in minutes that a text names, or None."""
    match = LENGTH.search(re.sub(r"[*_]", "", text))
    return (int(match[1]), int(match[2] or match[1])) if match else None


def parse_label(item: Item, *, report_error: ReportError) -> str:
    """Return the label above the topics, without the colon."""
    label = item.text
    while (bare := tidy_name(label.rstrip(":"))) != label:
        label = bare
    if not has_visible_text(label):
        report_error(HandbookError(item.line, "the list of topics has no label", "“Topics to discuss:”"))
    if len(label) > MAX_TITLE_LENGTH:
        wrong = f"the label of the topics has {len(label)} characters"
        report_error(HandbookError(item.line, wrong, f"at most {MAX_TITLE_LENGTH}"))
    return label


def parse_topics(item: Item, *, report_error: ReportError) -> tuple[str, ...]:
    """Return the topics nested in an item, without duplicates."""
    for topic in item.nested:
        _report_nested_items(topic, what="a topic", report_error=report_error)
        if not has_visible_text(topic.text):
            report_error(HandbookError(topic.line, "the topic is empty", "some words"))
        elif len(topic.text) > MAX_TOPIC_LENGTH:
            wrong = f"the topic has {format_count(len(topic.text), 'character')}"
            report_error(HandbookError(topic.line, wrong, f"at most {MAX_TOPIC_LENGTH}"))
    _report_duplicates(
        [(topic.text, topic.line) for topic in item.nested], expected="each topic once", report_error=report_error
    )
    return tuple(topic.text for topic in item.nested)


def _continues_list(items: list[Item], line: Line, *, after_blank: bool) -> bool:
    """Add a line to the list. Return False if the list ends before it."""
    if line.item:
        _add(items, Item(line.number, [line.item[2]], line.item[0]))
        return True
    runs_on = not (after_blank or line.code or line.is_rule or line.heading) and line.text.lstrip()[:1] not in (
        ">",
        "|",
    )
    if runs_on and items:
        items[-1].last.texts.append(line.text)
        return True
    return False


def _add(items: list[Item], item: Item) -> None:
    """Add an item at the level of its indent: two columns deeper means nested (CommonMark 0.31, §5.2)."""
    level = items
    while level and item.indent >= level[-1].indent + 2 and item.indent >= level[0].indent + 2:
        level = level[-1].nested
    level.append(item)


def _report_nested_items(item: Item, *, what: str, report_error: ReportError) -> None:
    if item.nested:
        report_error(HandbookError(item.nested[0].line, f"there is a list inside {what}", "one line each"))


def _report_duplicates(names: Sequence[tuple[str, int]], *, expected: str, report_error: ReportError) -> None:
    first: dict[str, int] = {}
    for name, line in names:
        key = match_key(name)
        if key in first:
            report_error(HandbookError(line, f"{quoted(name)} is already on line {first[key]}", expected))
        first.setdefault(key, line)
