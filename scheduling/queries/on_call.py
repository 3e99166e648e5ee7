"""Who responds for pipelines and who is on call in rotations; `on_call_snapshot` answers both."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from people.domain.person import Person
from people.models import User
from pipelines.models import Pipeline, PipelineQuerySet
from scheduling.domain.responder_chain import (
    Assignment,
    Chain,
    Interval,
    RotationSchedule,
    assignments,
    chain_at,
    chain_without_end,
    timeline,
)
from scheduling.loaders import load_schedules, load_schedules_at
from scheduling.models import Cover, HolidayBlock, PipelineRotation, Rotation, RotationWeek
from scheduling.queries.ownership import Ownership, past_ownership

# How far ahead an answer looks for the next instant at which it changes, at least.
MIN_LOOKAHEAD = dt.timedelta(weeks=9)
DAY = dt.timedelta(days=1)
RECENT_PERIOD = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class OnCallShift:
    """Who is on call in a rotation at an instant, until when, and who is next.

    `starts_at` and `ends_at` are those of the week or cover. `until` is the next instant at which an answer changes.
    """

    rotation: Rotation
    at: dt.datetime
    engineer: Person | None
    planned_engineer: Person | None
    covering: bool
    available: bool
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    until: dt.datetime | None
    next_engineer: Person | None
    next_starts_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class OnCallSnapshot:
    """The escalation chain of each pipeline, by primary key, and the shift of each rotation, in order, at one instant.

    At a later instant before `until` all of it is the same, but for `at`, unless a fact changes. `is_past` is True if the
    pipelines have the owners that their history names.
    """

    chains: dict[int, Chain]
    shifts: list[OnCallShift]
    until: dt.datetime
    is_past: bool


def on_call_snapshot(
    pipelines: Iterable[Pipeline], *, rotations: Iterable[Rotation] = (), at: dt.datetime
) -> OnCallSnapshot:
    """Return who responds for each pipeline and who is on call in each rotation; runs two statements for any number.

    Pages, API, feeds and notifications all use this function, most through `responder_chains` or `on_call_shifts`. In the
    past, pipelines have the owners and the rotation of that time.
    """
    pipelines, rotations = list(pipelines), list(rotations)
    memberships = _memberships(pipelines)
    involved = {membership.rotation_id: membership.rotation for membership in memberships}
    involved |= {rotation.pk: rotation for rotation in rotations}
    past = is_past(at, now=timezone.now())
    ownership = _ownership(pipelines, memberships, at=at, past=past)
    missing = {row.rotation for row in ownership.values() if row.rotation is not None}.difference(involved)
    involved |= Rotation.objects.in_bulk(missing) if missing else {}
    owners = {key for row in ownership.values() for key in (row.primary_owner, row.secondary_owner)}
    # The window ends at the same instant for every answer of a day: with a window of each answer's own, a change could come
    # into sight between two of them.
    tomorrow = dt.datetime.combine(at.astimezone(dt.UTC).date() + DAY, dt.time(), dt.UTC)
    snapshot = load_schedules(involved.values(), starts_at=at, ends_at=tomorrow + MIN_LOOKAHEAD, owners=owners)
    # Pipelines with the same owners and rotation share a chain, so hundreds of them cost little more than one.
    shared = {
        (primary, secondary, rotation): chain_at(
            snapshot.schedule(rotation), primary=snapshot.people[primary], secondary=snapshot.people[secondary], at=at
        )
        for primary, secondary, rotation in {row.responders for row in ownership.values()}
    }
    chains = {key: _capped(shared[row.responders], until=row.until) for key, row in ownership.items()}
    shifts = [_shift(rotation, snapshot.rotations[rotation.pk], at=at) for rotation in rotations]
    changes = [*(chain.until for chain in chains.values()), *(shift.until for shift in shifts)]
    changes += [row.begins_at for row in ownership.values()]
    until = min([tomorrow, *(instant for instant in changes if instant is not None)])
    return OnCallSnapshot(chains, shifts, until=until, is_past=past)


def chains_to_responder(
    pipelines: Iterable[Pipeline], *, rotations: Mapping[int, int], at: dt.datetime
) -> dict[int, Chain]:
    """Return the current escalation chain of each pipeline, at least up to its responder, some without `until`.

    It reads the current state, and rosters and future weeks only for pipelines without an available on-call engineer or
    owner. `rotations` maps the primary key of each pipeline to that of its rotation.
    """
    pipelines = list(pipelines)
    rows = {
        row.pk: Ownership(row.primary_owner_id, row.secondary_owner_id, rotations.get(row.pk), None)
        for row in pipelines
    }
    owners = {key for row in rows.values() for key in (row.primary_owner, row.secondary_owner)}
    snapshot = load_schedules_at({row.rotation for row in rows.values() if row.rotation}, at=at, owners=owners)
    shared = {
        (primary, secondary, rotation): chain_without_end(
            snapshot.schedule(rotation), primary=snapshot.people[primary], secondary=snapshot.people[secondary], at=at
        )
        for primary, secondary, rotation in {row.responders for row in rows.values()}
        if rotation is None or rotation in snapshot.rotations
    }
    chains = {key: chain for key, row in rows.items() if (chain := shared.get(row.responders)) and chain.responder}
    remaining = [row for row in pipelines if row.pk not in chains]
    return chains | responder_chains(remaining, at=at) if remaining else chains


def is_past(at: dt.datetime, *, now: dt.datetime) -> bool:
    """Return True if the owners of `at` are those of the history: a page's "now" is a moment ago, and means the current ones."""
    return at <= now - RECENT_PERIOD


def _ownership(
    pipelines: list[Pipeline], memberships: list[PipelineRotation], *, at: dt.datetime, past: bool
) -> dict[int, Ownership]:
    """Return the owners and rotation of each pipeline at an instant, in order; the history is read only if `past`."""
    rotations = {membership.pipeline_id: membership.rotation_id for membership in memberships}
    current = {
        row.pk: Ownership(row.primary_owner_id, row.secondary_owner_id, rotations.get(row.pk), None)
        for row in pipelines
    }
    return past_ownership(current, at=at) if past and current else current


def _capped(chain: Chain, *, until: dt.datetime | None) -> Chain:
    """Return a chain that ends no later than `until`."""
    return chain if until is None else replace(chain, until=min(until, chain.until or until))


def _memberships(pipelines: list[Pipeline]) -> list[PipelineRotation]:
    """Return the rotation memberships of pipelines with their rotations, without a query if both were selected along."""
    if all(Pipeline.in_rotation.is_cached(row) for row in pipelines):
        memberships = [row.in_rotation for row in pipelines if hasattr(row, "in_rotation")]
        # A membership that was read with its pipeline is cached on the pipeline, even if its rotation was not read.
        if all(PipelineRotation.rotation.is_cached(membership) for membership in memberships):
            return memberships
    rows = PipelineRotation.objects.filter(pipeline__in=[row.pk for row in pipelines])
    return list(rows.select_related("rotation"))


def responder_chains(pipelines: Iterable[Pipeline], *, at: dt.datetime) -> dict[int, Chain]:
    """Return the escalation chain of each pipeline at an instant, by the pipeline's primary key."""
    return on_call_snapshot(pipelines, at=at).chains


def on_call_shifts(rotations: Iterable[Rotation], *, at: dt.datetime) -> list[OnCallShift]:
    """Return who is on call in each rotation at an instant, until when, and who is next."""
    return on_call_snapshot((), rotations=rotations, at=at).shifts


@dataclass(frozen=True, slots=True)
class UncoveredCandidates:
    """The pipelines that may be uncovered, and the primary keys of the rotations on which this depends."""

    pipelines: list[Pipeline]
    rotations: set[int]


def possibly_uncovered(*, at: dt.datetime) -> UncoveredCandidates:
    """Return the pipelines that may be uncovered at an instant: both owners are away and the on-call engineer may be too.

    No other pipeline can be uncovered, so only these need their chain computed. A rotation with an active cover counts as
    possibly unattended.
    """
    now = {"starts_at__lte": at, "ends_at__gt": at}
    absences = HolidayBlock.objects.filter(**now)
    rows = with_both_owners_absent(absences).order_by()
    rotation_keys: dict[int, int | None] = dict(rows.values_list("pk", "in_rotation__rotation"))
    rotations = {key for key in rotation_keys.values() if key is not None}
    running = RotationWeek.objects.filter(**now, rotation__in=rotations, engineer__is_active=True)
    # Without naming the rotations again, the database reads every cover that there ever was.
    covers = Cover.objects.filter(**now, rotation__in=rotations)
    attended = running.exclude(
        Q(engineer__in=absences.order_by().values("engineer")) | Q(rotation__in=covers.order_by().values("rotation"))
    )
    attended_keys = set(attended.order_by().values_list("rotation", flat=True))
    unattended = [key for key, rotation in rotation_keys.items() if rotation not in attended_keys]
    pipelines = Pipeline.objects.filter(pk__in=unattended).select_related("in_rotation__rotation") if unattended else ()
    return UncoveredCandidates(list(pipelines), rotations)


CHANGES_SQL = """
SELECT MIN(instant) FROM (
  SELECT ends_at AS instant FROM scheduling_holidayblock WHERE ends_at > %(at)s AND ends_at < %(until)s
  UNION ALL
  SELECT starts_at FROM scheduling_holidayblock WHERE ends_at > %(at)s AND starts_at > %(at)s AND starts_at < %(until)s
  UNION ALL
  SELECT CASE WHEN starts_at > %(at)s THEN starts_at ELSE ends_at END FROM scheduling_rotationweek
   WHERE rotation_id = ANY(%(rotations)s) AND ends_at > %(at)s AND starts_at < %(until)s
  UNION ALL
  SELECT CASE WHEN starts_at > %(at)s THEN starts_at ELSE ends_at END FROM scheduling_cover
   WHERE rotation_id = ANY(%(rotations)s) AND ends_at > %(at)s AND starts_at < %(until)s
) change
"""


def next_on_call_change(rotations: Iterable[int], *, at: dt.datetime, until: dt.datetime) -> dt.datetime:
    """Return the first instant after `at` at which any absence, or a stored week or cover of rotations, starts or ends.

    Returns `until` if there is none before. Until then, time changes neither who is on call in the rotations nor who is away.
    """
    with connection.cursor() as cursor:
        cursor.execute(CHANGES_SQL, {"rotations": list(rotations), "at": at, "until": until})
        [change] = cursor.fetchone()
    return until if change is None else min(change, until)


def with_both_owners_absent(absences: QuerySet[HolidayBlock]) -> PipelineQuerySet:
    """Return the pipelines of which each owner has one of these absences or is inactive."""
    away = absences.order_by().values("engineer")
    inactive = User.objects.filter(is_active=False).order_by().values("pk")
    primary = Q(primary_owner__in=away) | Q(primary_owner__in=inactive)
    secondary = Q(secondary_owner__in=away) | Q(secondary_owner__in=inactive)
    return Pipeline.objects.filter(primary, secondary)


def _shift(rotation: Rotation, schedule: RotationSchedule, *, at: dt.datetime) -> OnCallShift:
    week, cover, engineer = schedule.week_at(at), schedule.cover_at(at), schedule.on_call_at(at)
    span = cover or week
    handoffs = (later for later in schedule.changes_after(at) if schedule.on_call_at(later) not in (engineer, None))
    next_starts_at = next(handoffs, None)
    reason = schedule.availability.why_unavailable(engineer, at=at) if engineer is not None else ""
    facts, engineers = _facts(schedule, at), [] if engineer is None else [engineer]
    changes = (later for later in schedule.changes_after(at, engineers=engineers) if _facts(schedule, later) != facts)
    return OnCallShift(
        rotation=rotation,
        at=at,
        engineer=engineer,
        planned_engineer=week.planned_engineer if week else None,
        covering=bool(week and cover),
        available=engineer is not None and not reason,
        starts_at=span.starts_at if week and span else None,
        ends_at=span.ends_at if week and span else None,
        until=next(changes, None),
        next_engineer=schedule.on_call_at(next_starts_at) if next_starts_at else None,
        next_starts_at=next_starts_at,
    )


def _facts(schedule: RotationSchedule, at: dt.datetime) -> object:
    engineer = schedule.on_call_at(at)
    away = schedule.availability.why_unavailable(engineer, at=at) if engineer is not None else ""
    return schedule.week_at(at), schedule.cover_at(at), away


def rotation_timeline(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Interval]:
    """Return a rotation's contiguous intervals between two instants."""
    snapshot = load_schedules([rotation], starts_at=starts_at, ends_at=ends_at, owners=())
    return timeline(snapshot.rotations[rotation.pk], starts_at=starts_at, ends_at=ends_at)


def assignments_between(
    rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime
) -> list[Assignment[RotationWeek, Cover]]:
    """Return who is on call, away or not, between two instants: one row per stored week or cover, in order.

    Time without a stored week is left out.
    """
    return assignments_by_rotation([rotation], starts_at=starts_at, ends_at=ends_at)[rotation.pk]


def assignments_by_rotation(
    rotations: Iterable[Rotation], *, starts_at: dt.datetime, ends_at: dt.datetime
) -> dict[int, list[Assignment[RotationWeek, Cover]]]:
    """Return the same rows as `assignments_between` by primary key of the rotation, in two statements."""
    window, keys = {"starts_at": starts_at, "ends_at": ends_at}, [rotation.pk for rotation in rotations]
    weeks: dict[int, list[RotationWeek]] = {key: [] for key in keys}
    for week in RotationWeek.objects.filter(rotation__in=keys).overlapping(**window).select_related("engineer"):
        weeks[week.rotation_id].append(week)
    covers: dict[int, list[Cover]] = {key: [] for key in keys}
    for cover in Cover.objects.filter(rotation__in=keys).overlapping(**window).select_related("engineer"):
        covers[cover.rotation_id].append(cover)
    return {key: [part for part in assignments(weeks[key], covers[key], **window) if part.week] for key in keys}
