"""Drills: incidents that follow the notification rules and escalation chain but do not change statuses or reports.

Anyone can start one for a pipeline. A rotation can have a weekly drill, which a sweep starts for the on-call engineer.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from common.exceptions import DomainError
from common.loops import IsolatedSteps
from incidents.domain.drills import DueDrill, WeeklySchedule, newest_due
from incidents.models import MAX_SKIP_REASON_LENGTH, Drill, EscalationStep, Incident, MaintenanceWindow
from incidents.queries.drills import overlong_drills
from incidents.services.transitions import NewIncident, check_no_drill, open_incident, resolve
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation
from scheduling.queries.on_call import responder_chains
from scheduling.services.locks import lock_rotation

DRILL_TITLE = "Drill: nothing is wrong"
DRILL_TEXT = "This is a drill. Acknowledge it as you would a real incident, then resolve it. No other action is needed."
# A weekly drill that is later than this is skipped, so that it does not start at an hour that nobody chose.
MAX_START_DELAY = dt.timedelta(hours=1)
MIN_DRILL_INTERVAL = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Target:
    """The pipeline and responder of a weekly drill, or why it is skipped."""

    pipeline: Pipeline | None = None
    engineer: User | None = None
    skip_reason: str = ""


@transaction.atomic
def start_drill(pipeline: Pipeline, *, by: User, at: dt.datetime) -> Incident:
    """Start a drill for a pipeline and notify its responder. Raises DomainError if one is already in progress."""
    engineer = _responder(pipeline, at=at)
    incident = _open_drill(pipeline, by=by, at=at)
    Drill.objects.create(at=at, incident=incident, engineer=engineer)
    return incident


def start_weekly_drills(*, at: dt.datetime) -> int:
    """Start or skip the weekly drills that are due, each in its own transaction; return how many were due."""
    dues = {row: _newest_drill(row, at=at) for row in Rotation.objects.active().filter(weekly_drill=True)}
    weeks = {due.week for due in dues.values() if due is not None}
    handled = set(Drill.objects.filter(rotation__in=dues, week__in=weeks).values_list("rotation", "week"))
    waiting = [row for row, due in dues.items() if due is not None and (row.pk, due.week) not in handled]
    with IsolatedSteps() as attempt:
        return sum(attempt(_start_weekly_drill, rotation, at=at) or False for rotation in waiting)


@transaction.atomic
def _start_weekly_drill(rotation: Rotation, *, at: dt.datetime) -> bool:
    """Start or skip a rotation's drill of this week; return False if it is not due or another worker handled it.

    The week's row, which has a unique key, is stored in one transaction with the incident and its messages.
    """
    row = lock_rotation(rotation)
    due = _newest_drill(row, at=at)
    if due is None or Drill.objects.filter(rotation=row, week=due.week).exists():
        return False
    late = at - due.at > MAX_START_DELAY
    target = (
        _Target(skip_reason="The site could not start it within an hour.")
        if late
        else _choose_target(row, due=due, at=at)
    )
    incident = _open_drill(target.pipeline, by=None, at=at) if target.pipeline is not None else None
    Drill.objects.create(
        rotation=row,
        week=due.week,
        at=at,
        incident=incident,
        engineer=target.engineer,
        skip_reason=target.skip_reason[:MAX_SKIP_REASON_LENGTH],
    )
    return True


def _newest_drill(rotation: Rotation, *, at: dt.datetime) -> DueDrill | None:
    """Return the most recent drill of a rotation that was due, or None if there was none since its setting changed."""
    if not rotation.weekly_drill or rotation.archived_at is not None:
        return None
    schedule = WeeklySchedule(rotation.drill_weekday, rotation.drill_time, rotation.time_zone)
    due = newest_due(schedule, local_date=at.astimezone(ZoneInfo(rotation.time_zone)).date(), at=at)
    if rotation.drill_changed_at is not None and due.at < rotation.drill_changed_at:
        return None
    return due


def _choose_target(rotation: Rotation, *, due: DueDrill, at: dt.datetime) -> _Target:
    """Return the pipeline and the responder of a rotation's drill, or why it is skipped.

    The rotation's pipelines take turns week by week; those in maintenance are skipped.
    """
    pipelines = list(Pipeline.objects.filter(in_rotation__rotation=rotation).order_by("position", "pk"))
    if not pipelines:
        return _Target(skip_reason="The rotation has no pipelines.")
    in_maintenance = set(MaintenanceWindow.objects.active(at=at).values_list("pipeline", flat=True))
    pipelines = [row for row in pipelines if row.pk not in in_maintenance]
    if not pipelines:
        return _Target(skip_reason="All pipelines of the rotation are in maintenance.")
    pipeline = pipelines[due.week.toordinal() // 7 % len(pipelines)]
    engineer = _responder(pipeline, at=at)
    if engineer is None:
        return _Target(skip_reason="Nobody is available.")
    if (incident := _current_incident(engineer)) is not None:
        return _Target(engineer=engineer, skip_reason=f"{engineer} has an open incident: {incident.title}")
    if _had_drill(rotation, engineer=engineer, at=at):
        return _Target(engineer=engineer, skip_reason="There was a drill in the last 24 hours.")
    return _Target(pipeline, engineer)


def _responder(pipeline: Pipeline, *, at: dt.datetime) -> User | None:
    responder = responder_chains([pipeline], at=at)[pipeline.pk].responder
    return None if responder is None else User.objects.get(pk=responder.id)


def _current_incident(engineer: User) -> Incident | None:
    """Return an unresolved incident that is assigned to an engineer, or that is open and has notified them."""
    notified = EscalationStep.objects.filter(incident=OuterRef("pk"), round=OuterRef("round"), engineer=engineer)
    is_current = Q(assignee=engineer) | (Q(state=Incident.State.OPEN) & Exists(notified))
    return Incident.objects.unresolved().without_drills().filter(is_current).order_by("-opened_at", "-pk").first()


def _had_drill(rotation: Rotation, *, engineer: User, at: dt.datetime) -> bool:
    """Return True if the rotation or the engineer had a drill in the last 24 hours, or has one that is unresolved."""
    recent = Q(opened_at__gt=at - MIN_DRILL_INTERVAL) | ~Q(state=Incident.State.RESOLVED)
    rows = Incident.objects.filter(recent, source=Incident.Source.DRILL)
    own = Q(pipeline__in_rotation__rotation=rotation) | Q(escalation_steps__engineer=engineer)
    return rows.filter(own).exists()


def _open_drill(pipeline: Pipeline, *, by: User | None, at: dt.datetime) -> Incident:
    check_no_drill(pipeline.pk)
    what = NewIncident(kind=Incident.Kind.ISSUE, title=DRILL_TITLE, text=DRILL_TEXT, source=Incident.Source.DRILL)
    return open_incident(pipeline, what=what, by=by, at=at)


def end_old_drills(*, at: dt.datetime) -> int:
    """Resolve drills that are hours old; return how many."""
    with IsolatedSteps() as attempt:
        return sum(attempt(_end_drill, row, at=at) or False for row in overlong_drills(at=at).order_by("pk"))


def _end_drill(incident: Incident, *, at: dt.datetime) -> bool:
    try:
        resolve(incident, by=None, at=at, text="The drill ended automatically.")
    except DomainError:
        # Someone has already resolved it.
        return False
    return True
