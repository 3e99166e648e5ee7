"""Stints: unbroken periods in which one engineer is on call in a rotation, by their shifts and covers."""

import datetime as dt
from dataclasses import dataclass, replace

from people.models import User
from scheduling.models import Rotation
from scheduling.queries.on_call import HORIZON, assignments_between


@dataclass(frozen=True, slots=True)
class Stint:
    """A period in which an engineer is on call, available or not."""

    rotation: Rotation
    engineer: User
    starts_at: dt.datetime
    ends_at: dt.datetime


def on_call_stints(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Stint]:
    """Return the stints between two instants in order, cut off at both. Neighbouring shifts of one engineer are one stint."""
    stints: list[Stint] = []
    for row in assignments_between(rotation, starts_at=starts_at, ends_at=ends_at):
        last = stints[-1] if stints else None
        if last and (last.engineer.pk, last.ends_at) == (row.engineer.pk, row.starts_at):
            stints[-1] = replace(last, ends_at=row.ends_at)
        else:
            stints.append(Stint(rotation, row.engineer, row.starts_at, row.ends_at))
    return stints


def stint_at(rotation: Rotation | None, *, at: dt.datetime) -> Stint | None:
    """Return who is on call at `at` and until when, or None if nobody is or the rotation is None."""
    stints = on_call_stints(rotation, starts_at=at, ends_at=at + HORIZON) if rotation else []
    return stints[0] if stints and stints[0].starts_at == at else None
