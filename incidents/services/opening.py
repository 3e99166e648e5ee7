"""NewIncident incidents."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import InvalidInputError
from incidents.models import LONGEST_TEXT, LONGEST_TITLE, Incident, TimelineEntry
from incidents.services.escalation import escalate_to_next
from incidents.services.timeline import append_entry
from people.models import User
from pipelines.models import Pipeline


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What is wrong, who found it, and the check or alert that did."""

    kind: str
    title: str
    text: str = ""
    source: str = Incident.Source.PERSON
    check_key: int | None = None
    fingerprint: str = ""


@transaction.atomic
def open_incident(pipeline: Pipeline, *, what: NewIncident, by: User | None, at: dt.datetime) -> Incident:
    """Open an incident and tell the responder, in one transaction; return it.

    Raises Invalid by field; django.db.IntegrityError where the check or alert has an open one.
    """
    check_words(title=what.title, text=what.text, kind=what.kind)
    incident = Incident.objects.create(
        pipeline=pipeline,
        kind=what.kind,
        title=what.title.strip(),
        text=what.text.strip(),
        source=what.source,
        check_key=what.check_key,
        fingerprint=what.fingerprint,
        opened_by=by,
        opened_at=at,
        last_seen_at=at,
    )
    append_entry(incident, kind=TimelineEntry.Kind.OPENED, at=at, by=by, text=incident.get_source_display())
    escalate_to_next(incident, at=at)
    return incident


def check_words(*, title: str, text: str, kind: str) -> None:
    """Raise InvalidInputError, by field, where an incident cannot be of these words."""
    problems: dict[str, list[str]] = {}
    if not title.strip():
        problems["title"] = ["Say in a few words what is wrong."]
    elif len(title.strip()) > LONGEST_TITLE:
        problems["title"] = [f"At most {LONGEST_TITLE} characters."]
    if len(text.strip()) > LONGEST_TEXT:
        problems["text"] = [f"At most {LONGEST_TEXT:,} characters."]
    if kind not in Incident.Kind.values:
        problems["kind"] = [f"One of {', '.join(Incident.Kind.values)}."]
    for name, value in (("title", title), ("text", text)):
        if "\0" in value:
            problems[name] = ["Null characters are not allowed."]
    if problems:
        raise InvalidInputError(problems)
