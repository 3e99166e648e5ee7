"""Stints: unbroken periods in which one engineer is on call in a rotation, by their shifts and covers."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from people.models import User
from scheduling.domain.responder_chain import Assignment
from scheduling.models import Cover, Rotation, RotationWeek
from scheduling.queries.on_call import assignments_by_rotation

MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stint:
    """A period in which an engineer is on call, available or not."""

    rotation: Rotation
    engineer: User
    starts_at: dt.datetime
    ends_at: dt.datetime


def on_call_stints(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Stint]:
    """Return the stints between two instants in order, cut off at both. Neighbouring shifts of one engineer are one stint."""
    return stints_by_rotation([rotation], starts_at=starts_at, ends_at=ends_at)[rotation.pk]


def stints_by_rotation(
    rotations: Sequence[Rotation], *, starts_at: dt.datetime, ends_at: dt.datetime
) -> dict[int, list[Stint]]:
    """Return the same stints as `on_call_stints` by primary key of the rotation, in two statements."""
    rows = assignments_by_rotation(rotations, starts_at=starts_at, ends_at=ends_at)
    return {rotation.pk: _join(rotation, rows[rotation.pk]) for rotation in rotations}


def _join(rotation: Rotation, parts: Iterable[Assignment[RotationWeek, Cover]]) -> list[Stint]:
    stints: list[Stint] = []
    for part in parts:
        last = stints[-1] if stints else None
        if last and (last.engineer.pk, last.ends_at) == (part.engineer.pk, part.starts_at):
            stints[-1] = replace(last, ends_at=part.ends_at)
        else:
            stints.append(Stint(rotation, part.engineer, part.starts_at, part.ends_at))
    return stints


def stints_since(rotation_id: int, *, change: dt.datetime, until: dt.datetime) -> list[Stint]:
    """Return the stints from just before a change of engineer to just after `until`.

    Before the change, and if the rotation does not exist, there are none.
    """
    rotation = Rotation.objects.filter(pk=rotation_id).first()
    if rotation is None or until < change:
        return []
    return on_call_stints(rotation, starts_at=change - MICROSECOND, ends_at=until + MICROSECOND)
