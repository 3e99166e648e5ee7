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
    PART_TITLES,
    ROTATION,
    RUNBOOKS,
    RUNBOOKS_END,
    RUNBOOKS_TITLE,
    SCHEDULE,
    SCHEDULE_END,
    SCHEDULE_TITLE,
    START,
    Handbook,
    HandoffPart,
    Passage,
    RunbookPart,
    place_after_runbook,
    place_in_group,
)

HORIZONTAL_RULE = "---"
BEGINS_PART = re.compile(r" {0,3}#(?:[ \t]|$)", re.MULTILINE)
# The positions in the sections of one rotation.
IN_ROTATION = (ROTATION, HOLIDAY_POLICY, HANDOFF, HANDOFF_MEETING, HANDOFF_TOPICS)


def write_handbook(handbook: Handbook) -> str:
    """Return the handbook as Markdown (docs/rules.md, Handbook file).

    Passages that follow a deleted runbook come after all others.
    """
    passages = order_passages(handbook.extras, runbooks=handbook.runbooks, rotations=len(handbook.rotations))
    blocks = [*_passages_at(START, passages), *_ownership(handbook, passages), *_schedule(handbook, passages)]
    blocks += _runbooks(handbook, passages)
    # A rule separates a part from the one before it; the first part needs none.
    return "\n\n".join(blocks[1:] if blocks[0] == HORIZONTAL_RULE else blocks) + "\n"


def order_passages(
    passages: Iterable[Passage], *, runbooks: Sequence[RunbookPart], rotations: int
) -> tuple[Passage, ...]:
    """Return passages in writing order: by position, then by line."""
    places = [*_places_before_runbooks(rotations), *(place_after_runbook(runbook.full_name) for runbook in runbooks)]
    rank = {place: number for number, place in enumerate(places)}
    rank[RUNBOOKS_END] = len(places) + 1
    return tuple(sorted(passages, key=lambda passage: (rank.get(passage.place, len(places)), passage.line)))


def _places_before_runbooks(rotations: int) -> list[str]:
    ownership = [PART_TITLES[OWNERSHIP_TITLE], OWNERSHIP, OWNERSHIP_TABLE, OWNERSHIP_END]
    schedule = [place_in_group(place, group) for group in range(max(rotations, 1)) for place in IN_ROTATION]
    return [
        START, *ownership, PART_TITLES[SCHEDULE_TITLE], SCHEDULE, *schedule, SCHEDULE_END,
        PART_TITLES[RUNBOOKS_TITLE], RUNBOOKS,
    ]  # fmt: skip


def _ownership(handbook: Handbook, passages: Sequence[Passage]) -> Iterator[str]:
    yield from _part(OWNERSHIP_TITLE, passages)
    yield from _passages_at(OWNERSHIP, passages)
    yield table_text(handbook.pipelines, handbook.columns)
    yield from _passages_at(OWNERSHIP_TABLE, passages)
    yield from _passages_at(OWNERSHIP_END, passages)


def _schedule(handbook: Handbook, passages: Sequence[Passage]) -> Iterator[str]:
    """Yield the schedule, if there is a rotation."""
    if not handbook.rotations:
        for place in (SCHEDULE, *IN_ROTATION, SCHEDULE_END):
            yield from _passages_at(place, passages)
        return
    yield from _part(SCHEDULE_TITLE, passages)
    yield from _passages_at(SCHEDULE, passages)
    first = handbook.rotations[0]
    for group, rotation in enumerate(handbook.rotations):
        weeks = [f"- **Week {number}**: {name}" for number, name in enumerate(rotation.engineers, start=1)]
        yield from _piece(rotation.title, rotation.intro, "\n".join(weeks))
        yield from _passages_at(place_in_group(ROTATION, group), passages)
        below = list(_passages_at(place_in_group(HOLIDAY_POLICY, group), passages))
        # What a rotation shares with the first is written again where a text follows it.
        policy = rotation.holiday_policy or (first.holiday_policy if below else None)
        if policy:
            rules = [f"{number}. {rule}" for number, rule in enumerate(policy.rules, start=1)]
            yield from _piece(policy.title, policy.intro, "\n".join(rules))
        yield from below
        handoff = rotation.handoff or (first.handoff if any(_handoff_passages(group, passages)) else None)
        if handoff:
            yield from _handoff(handoff, group=group, passages=passages)
        else:
            yield from _handoff_passages(group, passages)
    yield from _passages_at(SCHEDULE_END, passages)


def _handoff_passages(group: int, passages: Sequence[Passage]) -> Iterator[str]:
    for place in (HANDOFF, HANDOFF_MEETING, HANDOFF_TOPICS):
        yield from _passages_at(place_in_group(place, group), passages)


def _handoff(handoff: HandoffPart, *, group: int, passages: Sequence[Passage]) -> Iterator[str]:
    """Yield the hand-off. It is a single list unless passages interrupt it."""
    topics = f"- {handoff.topics_label}:" + "".join(f"\n  - {topic}" for topic in handoff.topics)
    meeting = f"- {handoff.meeting}"
    above = list(_passages_at(place_in_group(HANDOFF, group), passages))
    between = list(_passages_at(place_in_group(HANDOFF_MEETING, group), passages))
    items = [meeting, *between, topics] if between else [f"{meeting}\n{topics}"]
    if above:
        yield from [f"## {handoff.title}", *above, *items]
    else:
        yield from [f"## {handoff.title}\n{items[0]}", *items[1:]]
    yield from _passages_at(place_in_group(HANDOFF_TOPICS, group), passages)


def _runbooks(handbook: Handbook, passages: Sequence[Passage]) -> Iterator[str]:
    places = {*_places_before_runbooks(len(handbook.rotations)), RUNBOOKS_END}
    runbooks = {place_after_runbook(runbook.full_name) for runbook in handbook.runbooks}
    lost = [passage.markdown for passage in passages if passage.place not in places | runbooks]
    if handbook.runbooks or lost or any(passage.place == RUNBOOKS for passage in passages):
        yield from _part(RUNBOOKS_TITLE, passages)
        yield from _passages_at(RUNBOOKS, passages)
    for number, runbook in enumerate(handbook.runbooks):
        yield from [HORIZONTAL_RULE] if number else []
        yield f"## Runbook: {runbook.full_name}"
        yield from [runbook.markdown] if runbook.markdown else []
        yield from _passages_at(place_after_runbook(runbook.full_name), passages)
    yield from lost
    yield from _passages_at(RUNBOOKS_END, passages)


def _part(title: str, passages: Sequence[Passage]) -> tuple[str, str]:
    named = next((passage.markdown for passage in passages if passage.place == PART_TITLES[title]), title)
    return HORIZONTAL_RULE, f"# {named}"


def _piece(title: str, intro: str, items: str) -> Iterator[str]:
    first, *rest = [text for text in (intro, items) if text] or [""]
    yield f"## {title}\n{first}".rstrip("\n")
    yield from rest


def _passages_at(place: str, passages: Sequence[Passage]) -> Iterator[str]:
    for passage in passages:
        if passage.place == place:
            yield from [HORIZONTAL_RULE] if BEGINS_PART.match(passage.markdown) else []
            yield passage.markdown
