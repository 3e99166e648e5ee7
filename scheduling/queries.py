"""Reads about the schedule. One function, `answers`, says who answers for pipelines at an instant; everything uses it."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import holidays
from django.db.models import Q, QuerySet

from people.models import User
from pipelines.models import Pipeline
from scheduling.engine.balance import Share, shares
from scheduling.engine.effects import Change, changes_of_responder
from scheduling.engine.turns import WEEK, Week, planned_weeks
from scheduling.engine.world import Chain, Cover, Interval, World, chain_at, timeline, uncovered
from scheduling.models import HolidayBlock, Roster, Rotation, RotationWeek, UncoveredMoment
from scheduling.worlds import (
    WEEK_COLUMNS,
    absence_of,
    hours_of,
    load_worlds,
    rotations_of,
    versions_of,
    with_absence,
)

# How far ahead an answer looks for the next instant at which it changes.
HORIZON = dt.timedelta(weeks=9)


@dataclass(frozen=True, slots=True)
class Turn:
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


def newest_roster(rotation: Rotation) -> Roster | None:
    """Return the roster that was decided on last; it may hold from a coming week only."""
    return rotation.rosters.order_by("-starts_on").first()


def engineers_of(roster: Roster) -> list[User]:
    """Return a roster's engineers in order."""
    return [member.engineer for member in roster.members.select_related("engineer").order_by("position")]


def answers(pipelines: Iterable[Pipeline], *, at: dt.datetime) -> dict[int, Chain]:
    """Return who answers for each pipeline at an instant, by pipeline, in three statements for any number of them.

    This is the one function that says it: pages, API, feeds and messages all ask here (house.md).
    """
    rows = list(pipelines)
    placed = rotations_of(rows)
    rotations = Rotation.objects.filter(pk__in=set(placed.values()))
    worlds = load_worlds(rotations, starts_at=at, ends_at=at + HORIZON)
    return {
        row.pk: chain_at(
            worlds.of(placed.get(row.pk)), primary=row.primary_owner_id, secondary=row.secondary_owner_id, at=at
        )
        for row in rows
    }


def turns(rotations: Iterable[Rotation], *, at: dt.datetime) -> list[Turn]:
    """Return who is on call in each rotation at an instant, until when, and who is next."""
    chosen = list(rotations)
    worlds = load_worlds(chosen, starts_at=at, ends_at=at + HORIZON)
    return [_turn(rotation, worlds.rotations[rotation.pk], at=at) for rotation in chosen]


def _turn(rotation: Rotation, world: World, *, at: dt.datetime) -> Turn:
    week, cover, engineer = world.week_at(at), world.cover_at(at), world.on_call_at(at)
    span = cover or week
    following = next((later for later in world.after(at) if world.on_call_at(later) not in (engineer, None)), None)
    reason = world.people.why_unavailable(engineer, at=at) if engineer is not None else ""
    until = next((later for later in world.after(at) if _facts(world, later) != _facts(world, at)), None)
    return Turn(
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


def _facts(world: World, at: dt.datetime) -> object:
    engineer = world.on_call_at(at)
    away = world.people.why_unavailable(engineer, at=at) if engineer is not None else ""
    return world.week_at(at), world.cover_at(at), away


def timeline_of(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Interval]:
    """Return a rotation's unbroken intervals between two instants (product.md §10)."""
    worlds = load_worlds([rotation], starts_at=starts_at, ends_at=ends_at)
    return timeline(worlds.rotations[rotation.pk], starts_at=starts_at, ends_at=ends_at)


def weeks_between(rotation: Rotation, *, first: dt.date, last: dt.date) -> list[Week]:
    """Return a rotation's weeks that start in a range of dates, both included; beyond those stored, as planned."""
    versions = versions_of([rotation]).get(rotation.pk, [])
    rows = rotation.weeks.filter(starts_on__gte=first, starts_on__lte=last).order_by("starts_on")
    newest = rotation.weeks.order_by("-starts_on").first()
    stored = [Week(*values) for values in rows.values_list(*WEEK_COLUMNS)]
    begin = max(first, newest.starts_on + WEEK) if newest else first
    until = last + dt.timedelta(days=1)
    return [*stored, *planned_weeks(hours_of(rotation), rosters=versions, first=begin, until=until)]


@dataclass(frozen=True, slots=True)
class ComingTurns:
    """The running and the coming weeks of a rotation, with the covers in them and everybody's holidays."""

    rotation: Rotation
    weeks: list[Week]
    covers: list[Cover]
    blocks: list[HolidayBlock]


def coming_turns(*, at: dt.datetime, weeks: int) -> list[ComingTurns]:
    """Return that many weeks of every rotation that has any, from the running one on, in three statements."""
    rotations = list(Rotation.objects.order_by("pk"))
    ends_at = at + (weeks + 1) * WEEK
    worlds = load_worlds(rotations, starts_at=at, ends_at=ends_at).rotations
    blocks = list(holidays_between(starts_at=at - WEEK, ends_at=ends_at))
    found = []
    for rotation in rotations:
        world = worlds[rotation.pk]
        shown = [week for week in world.weeks if week.ends_at > at][:weeks]
        if shown:
            covers = world.covers_between(shown[0].starts_at, shown[-1].ends_at)
            found.append(ComingTurns(rotation, shown, covers, blocks))
    return found


def holidays_between(*, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return everybody's holiday blocks that share an instant with a window, with their engineers."""
    return HolidayBlock.objects.touching(starts_at=starts_at, ends_at=ends_at).select_related("engineer")


def holidays_of(engineer: User, *, at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return an engineer's holiday blocks that are not over."""
    return HolidayBlock.objects.filter(engineer=engineer, ends_at__gt=at).order_by("starts_at")


def weeks_held(engineer: User, *, at: dt.datetime, most: int = 8) -> list[RotationWeek]:
    """Return the running and coming weeks that an engineer holds, with their rotations."""
    rows = RotationWeek.objects.filter(engineer=engineer, ends_at__gt=at).select_related("rotation")
    return list(rows.order_by("starts_at")[:most])


def rotations_with(engineer: User) -> QuerySet[Rotation]:
    """Return the rotations in which an engineer has a place, a week or a cover, or owns a pipeline."""
    owns = Q(pipelines__pipeline__primary_owner=engineer) | Q(pipelines__pipeline__secondary_owner=engineer)
    held = Q(weeks__engineer=engineer) | Q(covers__engineer=engineer) | Q(rosters__members__engineer=engineer)
    return Rotation.objects.filter(pk__in=Rotation.objects.filter(owns | held).values("pk")).order_by("pk")


@dataclass(frozen=True, slots=True)
class Hit:
    """A part of an on-call week that a block takes away."""

    rotation: Rotation
    week: Week
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Effects:
    """What a holiday block does: weeks hit, who steps in per pipeline (None: nobody), and who else is away."""

    weeks: list[Hit]
    changes: list[tuple[Pipeline, Change]]
    also_away: list[HolidayBlock]
    people: Mapping[int, User]

    @property
    def uncovered(self) -> list[tuple[Pipeline, Change]]:
        """The stretches in which nobody would be available for a pipeline."""
        return [(pipeline, change) for pipeline, change in self.changes if change.after is None]


def effects_of(block: HolidayBlock) -> Effects:
    """Return what a block, saved or not, does to the schedule (product.md §4)."""
    rotations = {row.pk: row for row in Rotation.objects.all()}
    window = {"starts_at": block.starts_at, "ends_at": block.ends_at}
    before = load_worlds(rotations.values(), **window, without=block.pk)
    after = with_absence(before, absence=absence_of(block))
    pipelines = {row.pk: row for row in Pipeline.objects.all().with_owners()}
    changes = [
        (pipelines[change.pipeline], change)
        for key, owners in _owners_by_rotation(pipelines.values()).items()
        for change in changes_of_responder(before.of(key), after.of(key), owners=owners, **window)
    ]
    weeks = [
        Hit(rotations[key], week, max(week.starts_at, block.starts_at), min(week.ends_at, block.ends_at))
        for key, world in before.rotations.items()
        for week in world.weeks
        if week.engineer == block.engineer_id and week.starts_at < block.ends_at and week.ends_at > block.starts_at
    ]
    others = holidays_between(**window).exclude(engineer=block.engineer_id)
    return Effects(weeks=weeks, changes=changes, also_away=list(others), people=User.objects.in_bulk())


@dataclass(frozen=True, slots=True)
class Fairness:
    """An engineer's share of a rotation: the past year and the half year to come."""

    engineer: User
    past: Share
    coming: Share


PAST, COMING = dt.timedelta(weeks=52), dt.timedelta(weeks=26)


def fairness_of(rotation: Rotation, *, at: dt.datetime) -> list[Fairness]:
    """Return what each engineer of a rotation carried in the past 52 weeks and carries in the next 26, by name."""
    worlds = load_worlds([rotation], starts_at=at - PAST, ends_at=at + COMING)
    world = worlds.rotations[rotation.pk]
    involved = {week.engineer for week in world.weeks} | {cover.engineer for cover in world.covers}
    people = {user.pk: user for user in User.objects.filter(pk__in=involved).order_by("display_name", "pk")}
    years = range((at - PAST).year, (at + COMING).year + 1)
    facts: dict[str, Any] = {
        "zones": {key: user.zone for key, user in people.items()},
        "public_holidays": {
            key: frozenset(day for year in years for day in public_holidays(user.country, user.subdivision, year))
            for key, user in people.items()
        },
    }
    noon = at.replace(hour=12, minute=0, second=0, microsecond=0)
    day = dt.timedelta(days=1)
    past = shares(world, noons=[noon - day * number for number in range(1, PAST.days + 1)], **facts)
    coming = shares(world, noons=[noon + day * number for number in range(COMING.days)], **facts)
    return [Fairness(user, past.get(key, Share()), coming.get(key, Share())) for key, user in people.items()]


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str, year: int) -> dict[dt.date, str]:
    """Return the public holidays of a country and subdivision in a year, by date; none for an unknown country."""
    if not country:
        return {}
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What a new roster does: the weeks that get another engineer, and how many each gains and loses."""

    weeks: list[tuple[dt.date, User, User]]
    gained: dict[User, int]
    lost: dict[User, int]


def roster_change(rotation: Rotation, *, engineers: list[User], starts_on: dt.date) -> RosterChange:
    """Return who gains and loses which of the weeks stored, were these engineers on the roster from that week on."""
    stored = rotation.weeks.filter(starts_on__gte=starts_on).select_related("engineer").order_by("starts_on")
    weeks = [(row.starts_on, row.engineer, engineers[place % len(engineers)]) for place, row in enumerate(stored)]
    moved = [(day, old, new) for day, old, new in weeks if old != new]
    gained, lost = Counter(new for _, _, new in moved), Counter(old for _, old, _ in moved)
    return RosterChange(moved, dict(gained), dict(lost))


def coming_weeks(rotation: Rotation, *, at: dt.datetime, most: int = 26) -> list[dt.date]:
    """Return the start dates of the weeks that have not begun."""
    rows = rotation.weeks.filter(starts_at__gt=at).order_by("starts_on")
    return list(rows.values_list("starts_on", flat=True)[:most])


UNCOVERED_AHEAD = dt.timedelta(weeks=8)


def uncovered_ahead(*, at: dt.datetime) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the moments of the next eight weeks in which nobody answers for a pipeline: (pipeline, from, until)."""
    ends_at = at + UNCOVERED_AHEAD
    worlds = load_worlds(Rotation.objects.all(), starts_at=at, ends_at=ends_at)
    return [
        gap
        for key, owners in _owners_by_rotation(Pipeline.objects.all()).items()
        for gap in uncovered(worlds.of(key), owners=owners, starts_at=at, ends_at=ends_at)
    ]


def _owners_by_rotation(pipelines: Iterable[Pipeline]) -> dict[int | None, dict[int, tuple[int, int]]]:
    """Return each pipeline's primary and secondary owner, by the rotation it belongs to; None for those in none."""
    rows = list(pipelines)
    placed = rotations_of(rows)
    owners: dict[int | None, dict[int, tuple[int, int]]] = {}
    for row in rows:
        owners.setdefault(placed.get(row.pk), {})[row.pk] = (row.primary_owner_id, row.secondary_owner_id)
    return owners


def gaps(*, at: dt.datetime) -> QuerySet[UncoveredMoment]:
    """Return the stored moments that are not over in which nobody answers for a pipeline."""
    return UncoveredMoment.objects.filter(ends_at__gt=at).select_related("pipeline").order_by("starts_at", "pipeline")
