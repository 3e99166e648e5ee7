"""Who answers, and who is on call. One function, `outlook`, says both of an instant; everything uses it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from people.models import User
from pipelines.models import Pipeline, PipelineQuerySet
from scheduling.domain.responder_chain import Chain, Interval, RotationSchedule, chain_at, timeline
from scheduling.loaders import load_schedules
from scheduling.models import Cover as CoverRow
from scheduling.models import HolidayBlock, PipelineRotation, Rotation, RotationWeek

# How far ahead an answer looks for the next instant at which it changes.
HORIZON = dt.timedelta(weeks=9)


@dataclass(frozen=True, slots=True)
class OnCallShift:
    """Who is on call in a rotation at an instant, as `GET oncall/` answers (product.md §10)."""

    rotation: Rotation
    at: dt.datetime
    engineer: int | None
    planned_engineer: int | None
    covering: bool
    available: bool
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    until: dt.datetime | None
    next_engineer: int | None
    next_starts_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class OnCallSnapshot:
    """Who answers for pipelines, by pipeline, and who is on call in rotations, in the order asked for, at one instant.

    `usernames` has everybody in them, by key.
    """

    chains: dict[int, Chain]
    turns: list[OnCallShift]
    usernames: Mapping[int, str]


def on_call_snapshot(
    pipelines: Iterable[Pipeline], *, rotations: Iterable[Rotation] = (), at: dt.datetime
) -> OnCallSnapshot:
    """Return who answers for each pipeline and who is on call in each rotation, in two statements for any number of them.

    This is the one function that says it: pages, API, feeds and messages all ask here (house.md), most by `answers` or `turns`.
    """
    rows, chosen = list(pipelines), list(rotations)
    places = _places(rows)
    placed = {place.pipeline_id: place.rotation_id for place in places}
    concerned = {place.rotation_id: place.rotation for place in places} | {one.pk: one for one in chosen}
    owners = {key for row in rows for key in (row.primary_owner_id, row.secondary_owner_id)}
    worlds = load_schedules(concerned.values(), starts_at=at, ends_at=at + HORIZON, owners=owners)
    chains = {
        row.pk: chain_at(
            worlds.of(placed.get(row.pk)), primary=row.primary_owner_id, secondary=row.secondary_owner_id, at=at
        )
        for row in rows
    }
    found = [_turn(one, worlds.rotations[one.pk], at=at) for one in chosen]
    return OnCallSnapshot(chains, found, worlds.usernames)


def _places(pipelines: list[Pipeline]) -> list[PipelineRotation]:
    """Return the places of these pipelines in their rotations; those that were read along are not asked for again."""
    if all(Pipeline.in_rotation.is_cached(row) for row in pipelines):
        return [row.in_rotation for row in pipelines if hasattr(row, "in_rotation")]
    rows = PipelineRotation.objects.filter(pipeline__in=[row.pk for row in pipelines])
    return list(rows.select_related("rotation"))


def responder_chains(pipelines: Iterable[Pipeline], *, at: dt.datetime) -> dict[int, Chain]:
    """Return who answers for each pipeline at an instant, by pipeline."""
    return on_call_snapshot(pipelines, at=at).chains


def on_call_shifts(rotations: Iterable[Rotation], *, at: dt.datetime) -> list[OnCallShift]:
    """Return who is on call in each rotation at an instant, until when, and who is next."""
    return on_call_snapshot((), rotations=rotations, at=at).turns


def possibly_uncovered(*, at: dt.datetime) -> list[Pipeline]:
    """Return the pipelines neither of whose owners is available at an instant, nor surely the engineer of the week.

    No other pipeline can be without a responder, so that of thousands only these need a look. A week with a cover in force is
    left to that look. Their places in rotations are read along.
    """
    now = {"starts_at__lte": at, "ends_at__gt": at}
    absences = HolidayBlock.objects.filter(**now)
    rows = list(with_both_owners_absent(absences).select_related("in_rotation__rotation"))
    placed = {place.pipeline_id: place.rotation_id for place in _places(rows)}
    attended = RotationWeek.objects.filter(**now, rotation__in=set(placed.values()), engineer__is_active=True).exclude(
        Q(engineer__in=absences.order_by().values("engineer"))
        | Q(rotation__in=CoverRow.objects.filter(**now).order_by().values("rotation"))
    )
    answered = set(attended.order_by().values_list("rotation", flat=True))
    return [row for row in rows if placed.get(row.pk) not in answered]


def with_both_owners_absent(absences: QuerySet[HolidayBlock]) -> PipelineQuerySet:
    """Return the pipelines each of whose owners has one of these absences, or is no longer active."""
    away = absences.order_by().values("engineer")
    gone = User.objects.filter(is_active=False).order_by().values("pk")
    primary = Q(primary_owner__in=away) | Q(primary_owner__in=gone)
    secondary = Q(secondary_owner__in=away) | Q(secondary_owner__in=gone)
    return Pipeline.objects.filter(primary, secondary)


def _turn(rotation: Rotation, world: RotationSchedule, *, at: dt.datetime) -> OnCallShift:
    week, cover, engineer = world.week_at(at), world.cover_at(at), world.on_call_at(at)
    span = cover or week
    following = next((later for later in world.after(at) if world.on_call_at(later) not in (engineer, None)), None)
    reason = world.people.why_unavailable(engineer, at=at) if engineer is not None else ""
    facts, own = _facts(world, at), [] if engineer is None else [engineer]
    until = next((later for later in world.after(at, engineers=own) if _facts(world, later) != facts), None)
    return OnCallShift(
        rotation=rotation,
        at=at,
        engineer=engineer,
        planned_engineer=week.planned_engineer if week else None,
        covering=bool(week and cover),
        available=engineer is not None and not reason,
        starts_at=span.starts_at if week and span else None,
        ends_at=span.ends_at if week and span else None,
        until=until,
        next_engineer=world.on_call_at(following) if following else None,
        next_starts_at=following,
    )


def _facts(world: RotationSchedule, at: dt.datetime) -> object:
    engineer = world.on_call_at(at)
    away = world.people.why_unavailable(engineer, at=at) if engineer is not None else ""
    return world.week_at(at), world.cover_at(at), away


def rotation_timeline(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Interval]:
    """Return a rotation's unbroken intervals between two instants (product.md §10)."""
    worlds = load_schedules([rotation], starts_at=starts_at, ends_at=ends_at, owners=())
    return timeline(worlds.rotations[rotation.pk], starts_at=starts_at, ends_at=ends_at)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A stretch of a rotation's time, who is on call in it, whose week it is, and the cover in force, if any."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    engineer: User
    week_engineer: int
    cover: CoverRow | None


def assignments_between(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Assignment]:
    """Return who is on call, away or not, in the stored weeks between two instants, one row a week or cover, in order.

    Stretches of the same cover, or of neighbouring weeks of one engineer, are not joined: each names its week.
    """
    window = {"starts_at": starts_at, "ends_at": ends_at}
    weeks = rotation.weeks.overlapping(**window).select_related("engineer")
    covers = list(rotation.covers.overlapping(**window).select_related("engineer"))
    found: list[Assignment] = []
    for week in weeks:
        at, end = max(week.starts_at, starts_at), min(week.ends_at, ends_at)
        for cover in covers:
            begin, stop = max(cover.starts_at, at), min(cover.ends_at, end)
            if begin >= stop:
                continue
            if at < begin:
                found.append(Assignment(at, begin, week.engineer, week.engineer_id, None))
            found.append(Assignment(begin, stop, cover.engineer, week.engineer_id, cover))
            at = stop
        if at < end:
            found.append(Assignment(at, end, week.engineer, week.engineer_id, None))
    return found
