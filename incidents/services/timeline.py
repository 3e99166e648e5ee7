"""Writing on an incident's timeline, in the transaction of the step it tells of."""

import datetime as dt

from incidents.models import Incident, TimelineEntry
from people.models import User


def append_entry(
    incident: Incident, *, kind: str, at: dt.datetime, by: User | None = None, text: str = "", **data: object
) -> None:
    """Add a step to an incident's timeline; `data` are further facts of it, as JSON."""
    TimelineEntry.objects.create(incident=incident, kind=kind, at=at, by=by, text=text, data=data)


def append_repeat(incident: Incident, *, at: dt.datetime, text: str) -> None:
    """Write that a check or alert failed again: a failure that goes on is one step with a count, not one for each result."""
    last = incident.timeline.order_by("-at", "-pk").first()
    if last is None or last.kind != TimelineEntry.Kind.REPEATED:
        append_entry(incident, kind=TimelineEntry.Kind.REPEATED, at=at, text=text, times=1)
        return
    last.data = {**last.data, "times": int(last.data.get("times", 1)) + 1}
    last.at, last.text = at, text
    last.save(update_fields=["data", "at", "text"])
