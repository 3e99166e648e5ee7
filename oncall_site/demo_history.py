"""The demo's past and plans: signed hand-offs, resolved incidents, time off, a swap request, and two failures to look at."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from examples.warehouse import (
    AGGREGATE_GROWTH,
    DAILY_GROWTH,
    ENGAGEMENT,
    SCENARIOS,
    UNIT_PROFIT,
    inject,
    last_whole_day,
)
from handoffs.models import Handoff
from handoffs.services.action_items import ItemChange, add_item, change_item
from handoffs.services.meetings import sync_handoffs
from handoffs.services.sheets import sign_handoff
from incidents.models import Incident
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import NewIncident, acknowledge, open_incident, resolve
from notifications.models import Message
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import HolidayBlock, Rotation
from scheduling.queries.on_call import on_call_shifts
from scheduling.services.cover_requests import CoverProposal, request_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.swaps import SwapProposal, request_swap

PAST_WEEKS = 8
WEEK = dt.timedelta(weeks=1)
AFTERNOON, COVER_LENGTH = dt.timedelta(days=3, hours=3), dt.timedelta(hours=4)
# Failures of the last day that checks find in the first minute, on pipelines without others.
FAILURES = ("missing-cohort", "missing-transactions")


@dataclass(frozen=True, slots=True)
class PastIncident:
    """A resolved incident: days and hours ago, minutes until acknowledged and resolved, the last runbook step done."""

    pipeline: str
    days_ago: int
    hour: int
    kind: str
    severity: str
    title: str
    resolution: str
    acknowledged_after: int
    resolved_after: int
    steps_done: int


PAST_INCIDENTS = (
    PastIncident(
        DAILY_GROWTH,
        51,
        7,
        "delay",
        "high",
        "Activity logs are 3 hours late",
        "The upload job was restarted.",
        6,
        48,
        2,
    ),
    PastIncident(
        UNIT_PROFIT,
        40,
        9,
        "issue",
        "high",
        "Experiment tags are unknown",
        "The tags of the new experiment were added.",
        4,
        35,
        1,
    ),
    PastIncident(
        AGGREGATE_GROWTH,
        27,
        6,
        "outage",
        "critical",
        "Growth is not updated",
        "A full disk on the loader was cleared.",
        3,
        95,
        2,
    ),
    PastIncident(
        ENGAGEMENT,
        12,
        8,
        "issue",
        "low",
        "Two definitions of active users",
        "Both dashboards use the same view now.",
        18,
        140,
        1,
    ),
)


def first_week(at: dt.datetime) -> dt.date:
    """Return the first Monday of the demo's history."""
    return at.date() - dt.timedelta(days=at.weekday()) - PAST_WEEKS * WEEK


@transaction.atomic
def build_history(path: Path, *, by: User, at: dt.datetime) -> None:
    """Add eight past weeks and some plans to a new demo whose rotation started at `first_week`."""
    rotation = Rotation.objects.get()
    _incidents(at=at)
    item = add_item(rotation, text="Move the loader to a larger disk", by=by, at=at - 3 * WEEK)
    change_item(item, change=ItemChange(done=True), by=by, at=at - 2 * WEEK)
    add_item(rotation, text="Agree on one definition of active users", by=by, at=at - WEEK)
    sync_handoffs(at=at - PAST_WEEKS * WEEK)
    for handoff in Handoff.objects.with_people().filter(at__lte=at).order_by("at"):
        for minutes, person in ((20, handoff.outgoing), (5, handoff.incoming)):
            sign_handoff(handoff, by=person, at=handoff.at - dt.timedelta(minutes=minutes))
    _plans(rotation, by=by, at=at)
    # Nobody was notified of what never happened.
    Message.objects.filter(due_at__lte=at).delete()
    for name in FAILURES:
        inject(path, SCENARIOS[name], day=last_whole_day(at))


def _incidents(*, at: dt.datetime) -> None:
    pipelines = {row.match_key: row for row in Pipeline.objects.select_related("in_rotation__rotation")}
    for past in PAST_INCIDENTS:
        pipeline = pipelines[match_key(past.pipeline)]
        opened_at = dt.datetime.combine(at.date() - dt.timedelta(days=past.days_ago), dt.time(past.hour), dt.UTC)
        [shift] = on_call_shifts([pipeline.in_rotation.rotation], at=opened_at)
        if shift.engineer is None:
            continue
        engineer = User.objects.get(pk=shift.engineer.id)
        what = NewIncident(kind=past.kind, title=past.title, severity=past.severity)
        incident = open_incident(pipeline, what=what, by=engineer, at=opened_at)
        acknowledged_at = opened_at + dt.timedelta(minutes=past.acknowledged_after)
        incident = Incident.objects.get(pk=incident.pk)
        if incident.state == Incident.State.OPEN:
            acknowledge(incident, by=engineer, at=acknowledged_at)
        start_run(incident, by=engineer, at=acknowledged_at)
        for position in range(1, past.steps_done + 1):
            done_at = acknowledged_at + dt.timedelta(minutes=5 * position)
            mark_step(incident, position=position, done=True, by=engineer, at=done_at)
        resolve(
            incident,
            by=engineer,
            at=opened_at + dt.timedelta(minutes=past.resolved_after),
            text=past.resolution,
            fixed_by_step=past.steps_done,
        )


def _plans(rotation: Rotation, *, by: User, at: dt.datetime) -> None:
    """Plan time off and request a swap: neither in the next two weeks, so that the first look is a healthy schedule."""
    weeks = list(rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_at"))
    covered, away, offered, other = weeks[2], weeks[3], weeks[4], weeks[5]
    first = away.starts_on + dt.timedelta(days=2)
    create_holiday(away.engineer, data=HolidayData(first, first + dt.timedelta(days=1), note="Moving house"), by=by)
    training = weeks[2].starts_on + dt.timedelta(days=1)
    data = HolidayData(training, training, kind=HolidayBlock.Kind.TRAINING)
    create_holiday(weeks[1].engineer, data=data, by=by)
    proposal = SwapProposal(
        offered.starts_on, other.starts_on, counterpart=other.engineer, message="I have a wedding that weekend."
    )
    request_swap(rotation, proposal=proposal, by=offered.engineer, at=at)
    # A Thursday afternoon, asked of anyone.
    afternoon = covered.starts_at + AFTERNOON
    part = CoverProposal(afternoon, afternoon + COVER_LENGTH, message="I am at a conference that afternoon.")
    request_cover(rotation, proposal=part, by=covered.engineer, at=at)
