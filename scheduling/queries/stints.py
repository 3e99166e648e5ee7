"""Stints: unbroken periods in which one engineer is on call in a rotation, by their shifts and covers."""

import datetime as dt
from dataclasses import dataclass, replace

from people.models import User
from scheduling.models import Rotation
from scheduling.queries.on_call import assignments_between

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
    stints: list[Stint] = []
    for row in assignments_between(rotation, starts_at=starts_at, ends_at=ends_at):
        last = stints[-1] if stints else None
        if last and (last.engineer.pk, last.ends_at) == (row.engineer.pk, row.starts_at):
            stints[-1] = replace(last, ends_at=row.ends_at)
        else:
            stints.append(Stint(rotation, row.engineer, row.starts_at, row.ends_at))
    return stints


def stints_since(rotation_id: int, *, change: dt.datetime, until: dt.datetime) -> list[Stint]:
    """Return the stints from just before a change of engineer to just after `until`.

    Before the change, and if the rotation does not exist, there are none.
    """
    rotation = Rotation.objects.filter(pk=rotation_id).first()
    if rotation is None or until < change:
        return []
    return on_call_stints(rotation, starts_at=change - MICROSECOND, ends_at=until + MICROSECOND)
