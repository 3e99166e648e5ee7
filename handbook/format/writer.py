"""Write handbook files as Markdown that parses back to the same `Handbook`."""

import re
from collections.abc import Iterable, Iterator, Sequence

from handbook.format.tables import table_text
from runbooks.domain.handbook_model import (
    HANDOFF,
    HANDOFF_MEETING,
    HANDOFF_TOPICS,
    HOLIDAY_POLICY,
    OWNERSHIP,
    OWNERSHIP_END,
    OWNERSHIP_TABLE,
    OWNERSHIP_TITLE,
    ROTATION,
    RUNBOOKS,
    RUNBOOKS_END,
    RUNBOOKS_TITLE,
    SCHEDULE,
    SCHEDULE_END,
    SCHEDULE_TITLE,
    START,
    Handbook,
    Passage,
    RunbookPart,
    after_runbook,
)

RULE = "---"
BEGINS_PART = re.compile(r" {0,3}#(?:[ \t]|$)", re.MULTILINE)
BEFORE_RUNBOOKS = (
    START, OWNERSHIP, OWNERSHIP_TABLE, OWNERSHIP_END,
    SCHEDULE, ROTATION, HOLIDAY_POLICY, HANDOFF, HANDOFF_MEETING, HANDOFF_TOPICS, SCHEDULE_END,
    RUNBOOKS,
)  # fmt: skip


def write_handbook(handbook: Handbook) -> str:
    """Return the handbook as Markdown (docs/rules.md, Handbook file).

    Passages that follow a deleted runbook come after all others.
    """
    passages = in_order(handbook.extras, runbooks=handbook.runbooks)
    blocks = [*_at(START, passages), *_ownership(handbook, passages), *_schedule(handbook, passages)]
    blocks += _runbooks(handbook, passages)
    # A rule separates a part from the one before it; the first part needs none.
    return "\n\n".join(blocks[1:] if blocks[0] == RULE else blocks) + "\n"


def in_order(passages: Iterable[Passage], *, runbooks: Sequence[RunbookPart]) -> tuple[Passage, ...]:
    """Return passages in writing order: by position, then by line."""
    places = [*BEFORE_RUNBOOKS, *(after_runbook(runbook.full_name) for runbook in runbooks)]
    rank = {place: number for number, place in enumerate(places)}
    rank[RUNBOOKS_END] = len(places) + 1
    return tuple(sorted(passages, key=lambda passage: (rank.get(passage.place, len(places)), passage.line)))


def _ownership(handbook: Handbook, passages: Sequence[Passage]) -> Iterator[str]:
    yield from _part(OWNERSHIP_TITLE)
    yield from _at(OWNERSHIP, passages)
    yield table_text(handbook.pipelines)
    yield from _at(OWNERSHIP_TABLE, passages)
    yield from _at(OWNERSHIP_END, passages)


def _schedule(handbook: Handbook, passages: Sequence[Passage]) -> Iterator[str]:
    rotation, policy, handoff = handbook.rotation, handbook.holiday_policy, handbook.handoff
    yield from _part(SCHEDULE_TITLE)
    yield from _at(SCHEDULE, passages)
    weeks = [f"- **Week {number}**: {name}" for number, name in enumerate(rotation.engineers, start=1)]
    yield from _piece(rotation.title, rotation.intro, "\n".join(weeks))
    yield from _at(ROTATION, passages)
    rules = [f"{number}. {rule}" for number, rule in enumerate(policy.rules, start=1)]
    yield from _piece(policy.title, policy.intro, "\n".join(rules))
    yield from _at(HOLIDAY_POLICY, passages)
    topics = "".join(f"\n  - {topic}" for topic in handoff.topics)
    yield from _handoff(handoff.title, f"- {handoff.meeting}", f"- {handoff.topics_label}:{topics}", passages=passages)
    yield from _at(SCHEDULE_END, passages)


def _handoff(title: str, meeting: str, topics: str, *, passages: Sequence[Passage]) -> Iterator[str]:
    """Yield the hand-off. It is a single list unless passages interrupt it."""
    above, between = list(_at(HANDOFF, passages)), list(_at(HANDOFF_MEETING, passages))
    items = [meeting, *between, topics] if between else [f"{meeting}\n{topics}"]
    if above:
        yield from [f"## {title}", *above, *items]
    else:
        yield from [f"## {title}\n{items[0]}", *items[1:]]
    yield from _at(HANDOFF_TOPICS, passages)


def _runbooks(handbook: Handbook, passages: Sequence[Passage]) -> Iterator[str]:
    yield from _part(RUNBOOKS_TITLE)
    yield from _at(RUNBOOKS, passages)
    places = set(BEFORE_RUNBOOKS) | {RUNBOOKS_END}
    for number, runbook in enumerate(handbook.runbooks):
        yield from [RULE] if number else []
        yield f"## Runbook: {runbook.full_name}"
        yield from [runbook.markdown] if runbook.markdown else []
        place = after_runbook(runbook.full_name)
        yield from _at(place, passages)
        places.add(place)
    yield from (passage.markdown for passage in passages if passage.place not in places)
    yield from _at(RUNBOOKS_END, passages)


def _part(title: str) -> tuple[str, str]:
    return RULE, f"# {title}"


def _piece(title: str, intro: str, items: str) -> Iterator[str]:
    first, *rest = [text for text in (intro, items) if text] or [""]
    yield f"## {title}\n{first}".rstrip("\n")
    yield from rest


def _at(place: str, passages: Sequence[Passage]) -> Iterator[str]:
    for passage in passages:
        if passage.place == place:
            yield from [RULE] if BEGINS_PART.match(passage.markdown) else []
            yield passage.markdown
