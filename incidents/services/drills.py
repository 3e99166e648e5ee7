"""Drills: incidents that follow the notification rules and escalation chain but do not change statuses or reports."""

import datetime as dt

from django.db import transaction

from common.exceptions import DomainError
from incidents.models import Incident
from incidents.services.transitions import NewIncident, check_no_drill, open_incident, resolve
from people.models import User
from pipelines.models import Pipeline

DRILL_TITLE = "Drill: nothing is wrong"
DRILL_TEXT = "This is a drill. Acknowledge it as you would a real incident, then resolve it. No other action is needed."
MAX_DRILL = dt.timedelta(hours=4)


@transaction.atomic
def start_drill(pipeline: Pipeline, *, by: User, at: dt.datetime) -> Incident:
    """Start a drill for a pipeline and notify its responder. Raises DomainError if one is already in progress."""
    check_no_drill(pipeline.pk)
    what = NewIncident(kind=Incident.Kind.ISSUE, title=DRILL_TITLE, text=DRILL_TEXT, source=Incident.Source.DRILL)
    return open_incident(pipeline, what=what, by=by, at=at)


def end_old_drills(*, at: dt.datetime) -> int:
    """Resolve drills that are hours old; return how many."""
    rows = Incident.objects.unresolved().filter(source=Incident.Source.DRILL, opened_at__lte=at - MAX_DRILL)
    count = 0
    for row in rows.order_by("pk"):
        try:
            resolve(row, by=None, at=at, text="The drill ended automatically.")
        except DomainError:
            # A person has already resolved it.
            continue
        count += 1
    return count
