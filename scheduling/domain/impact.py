"""Impact of an absence: changes of responder and new coverage gaps. See "Time off" in docs/rules.md."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from people.domain.person import Person
from scheduling.domain.responder_chain import RotationSchedule, chain_at


@dataclass(frozen=True, slots=True)
class Change:
    """A period in which an absence changes a pipeline's responder; None means no responder."""

    pipeline: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    before: Person | None
    after: Person | None


def find_responder_changes(
    before: RotationSchedule,
    after: RotationSchedule,
    *,
    owners: Mapping[int, tuple[Person, Person]],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
) -> list[Change]:
    """Return the periods between two instants in which two schedules give a pipeline different responders.

    `owners` maps each pipeline to its primary and secondary owner.
    """
    people = {owner for pair in owners.values() for owner in pair}
    edges = sorted(
        {starts_at, ends_at}.union(
            at
            for schedule in (before, after)
            for at in schedule.changes_after(starts_at, engineers=people | schedule.engineers)
            if at < ends_at
        )
    )
    changes: list[Change] = []
    for pipeline, (primary, secondary) in owners.items():
        for begin, end in pairwise(edges):
            old = chain_at(before, primary=primary, secondary=secondary, at=begin).responder
            new = chain_at(after, primary=primary, secondary=secondary, at=begin).responder
            if old == new:
                continue
            change = Change(pipeline, begin, end, old, new)
            last = changes[-1] if changes else None
            if last is not None and replace(last, starts_at=begin, ends_at=end) == change and last.ends_at == begin:
                changes[-1] = replace(last, ends_at=end)
            else:
                changes.append(change)
    return changes
