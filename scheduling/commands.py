"""Every change of state about the schedule."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from people.engine.names import slug_for
from people.instants import EARLIEST, LATEST
from people.models import User
from people.refusals import Forbidden, Invalid, Refused
from pipelines.models import Pipeline
from scheduling.engine.clock import block_interval, instant_of
from scheduling.engine.turns import WEEK, planned_weeks, week_start
from scheduling.models import (
    HolidayBlock,
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
    UncoveredMoment,
)
from scheduling.queries import engineers_of, newest_roster, rotations_with, uncovered_ahead
from scheduling.worlds import hours_of, versions_of

# A daily job keeps half a year stored; a little more, so that a missed day does not matter.
KEPT_AHEAD = dt.timedelta(weeks=30)
LONGEST_BLOCK = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Dates:
    """What a person types of a holiday: inclusive dates in their own zone, perhaps hours, a kind, a private note."""

    starts_on: dt.date
    ends_on: dt.date
    starts_at_time: dt.time | None = None
    ends_at_time: dt.time | None = None
    kind: str = HolidayBlock.Kind.HOLIDAY
    note: str = ""


@dataclass(frozen=True, slots=True)
class RotationText:
    """What a handbook says of a rotation and its holiday policy, in its own words."""

    name: str
    description: str
    policy_name: str
    policy_introduction: str
    policy_rules: tuple[str, ...]


@transaction.atomic
def create_rotation(text: RotationText, *, time_zone: str) -> Rotation:
    """Create a rotation without a roster; raise django.core.exceptions.ValidationError by field."""
    taken = set(Rotation.objects.values_list("slug", flat=True))
    rotation = Rotation(slug=slug_for(text.name, taken), time_zone=time_zone)
    _put_text(rotation, text)
    rotation.full_clean()
    rotation.save()
    return rotation


@transaction.atomic
def change_rotation_text(rotation: Rotation, *, text: RotationText) -> list[str]:
    """Give a rotation the handbook's words; return the names of the fields that changed."""
    row = Rotation.objects.select_for_update().get(pk=rotation.pk)
    changed = _put_text(row, text)
    if changed:
        row.full_clean()
        row.save(update_fields=changed)
    return changed


@transaction.atomic
def change_hours(
    rotation: Rotation, *, at: dt.datetime, time_zone: str | None = None, handoff_time: dt.time | None = None
) -> list[str]:
    """Let a rotation hand over at another hour or in another zone; return the names of the fields that changed.

    Weeks that have not begun move with it; the running one ends where the next begins; the past stays as it was.
    Raises django.core.exceptions.ValidationError by field.
    """
    row = Rotation.objects.select_for_update().get(pk=rotation.pk)
    wanted = {"time_zone": time_zone or row.time_zone, "handoff_time": handoff_time or row.handoff_time}
    changed = [field for field, value in wanted.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, wanted[field])
        setattr(rotation, field, wanted[field])
    if changed:
        row.full_clean()
        row.save(update_fields=changed)
        _move_weeks(row, at=at)
    return changed


def _move_weeks(rotation: Rotation, *, at: dt.datetime) -> None:
    """Give the weeks that have not begun the instants that the rotation's hours mean now."""
    hours = hours_of(rotation)
    coming = list(rotation.weeks.filter(starts_at__gt=at).order_by("starts_on"))
    if not coming:
        return
    # Neighbours may overlap while they move one by one, which the database forbids: they are written anew, keys and all.
    rotation.weeks.filter(pk__in=[week.pk for week in coming]).delete()
    for week in coming:
        week.starts_at = instant_of(week.starts_on, hours.hour, zone=hours.zone)
        week.ends_at = instant_of(week.starts_on + WEEK, hours.hour, zone=hours.zone)
    coming[0].starts_at = max(coming[0].starts_at, at)
    rotation.weeks.filter(starts_at__lte=at, ends_at__gt=at).update(ends_at=coming[0].starts_at)
    RotationWeek.objects.bulk_create(coming)


@transaction.atomic
def set_roster(rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date, today: dt.date) -> Roster:
    """Let these engineers hold the rotation, in order, from the week that starts on that date; later rosters go.

    The weeks from that date on are planned anew.

    Raises Refused where the date is not the rotation's hand-off weekday, or somebody stands twice or is not active.
    """
    Rotation.objects.select_for_update().get(pk=rotation.pk)
    if week_start(starts_on, weekday=rotation.handoff_weekday) != starts_on:
        expected = rotation.get_handoff_weekday_display()
        raise Refused(f"{starts_on} is a {starts_on:%A}; weeks of {rotation} start on a {expected}.")
    if len({engineer.pk for engineer in engineers}) < len(engineers) or not engineers:
        raise Refused("A roster names each engineer once, and at least one.")
    for engineer in engineers:
        if not engineer.is_active:
            raise Refused(f"{engineer} is not active and cannot be on a roster.")
    rotation.rosters.filter(starts_on__gte=starts_on).delete()
    roster = Roster.objects.create(rotation=rotation, starts_on=starts_on)
    RosterMember.objects.bulk_create(
        RosterMember(roster=roster, engineer=engineer, position=place) for place, engineer in enumerate(engineers)
    )
    rotation.weeks.filter(starts_on__gte=starts_on).delete()
    keep_weeks(rotation, today=today)
    return roster


@transaction.atomic
def change_roster(  # who decides, when, and what
    rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date, by: User, at: dt.datetime
) -> Roster:
    """Let these engineers hold a rotation from a week that has not begun (product.md §2).

    Raises Forbidden for who is no admin; Refused as `set_roster` does, and for a week that has begun.
    """
    if not by.is_staff:
        raise Forbidden("Only an admin changes a roster.")
    hours = hours_of(rotation)
    if instant_of(starts_on, hours.hour, zone=hours.zone) <= at:
        raise Refused(f"The week of {starts_on} has already started: a change of roster touches the future only.")
    return set_roster(rotation, engineers=engineers, starts_on=starts_on, today=at.date())


@transaction.atomic
def follow_roster(
    rotation: Rotation, *, engineers: Sequence[User], today: dt.date, starting: dt.date | None
) -> Roster | None:
    """Bring a rotation's roster to these engineers; return the new roster, or None where nothing changes.

    A new rotation starts at `starting`, or in the week of `today`. A change holds from `starting`, or from next week:
    the past and the running week stay as they are (product.md §2). Raises Refused where `starting` is not after today.
    """
    Rotation.objects.select_for_update().get(pk=rotation.pk)
    running = week_start(today, weekday=rotation.handoff_weekday)
    newest = newest_roster(rotation)
    if newest is None:
        return set_roster(rotation, engineers=engineers, starts_on=starting or running, today=today)
    same = [engineer.pk for engineer in engineers_of(newest)] == [engineer.pk for engineer in engineers]
    if same and starting in (None, newest.starts_on):
        return None
    holds_from = starting or running + dt.timedelta(days=7)
    if holds_from <= today:
        raise Refused(f"The week of {holds_from} has already started: a change of roster touches the future only.")
    return set_roster(rotation, engineers=engineers, starts_on=holds_from, today=today)


@transaction.atomic
def keep_weeks(rotation: Rotation, *, today: dt.date) -> int:
    """Store the weeks of a rotation that its rosters plan until at least 26 weeks ahead; return how many were missing."""
    Rotation.objects.select_for_update().get(pk=rotation.pk)
    versions = versions_of([rotation]).get(rotation.pk, [])
    newest = rotation.weeks.order_by("-starts_on").first()
    first = newest.starts_on + WEEK if newest else min((one.starts_on for one in versions), default=today)
    weeks = planned_weeks(hours_of(rotation), rosters=versions, first=first, until=today + KEPT_AHEAD)
    rows = [
        RotationWeek(
            rotation=rotation,
            starts_on=week.starts_on,
            starts_at=week.starts_at,
            ends_at=week.ends_at,
            engineer_id=week.engineer,
            planned_engineer_id=week.planned_engineer,
        )
        for week in weeks
    ]
    RotationWeek.objects.bulk_create(rows)
    return len(rows)


@transaction.atomic
def join_rotation(rotation: Rotation, *, pipelines: Iterable[Pipeline]) -> list[Pipeline]:
    """Put the pipelines that belong to no rotation into this one; return them."""
    placed = set(PipelineRotation.objects.values_list("pipeline", flat=True))
    joining = [pipeline for pipeline in pipelines if pipeline.pk not in placed]
    PipelineRotation.objects.bulk_create(PipelineRotation(pipeline=row, rotation=rotation) for row in joining)
    return joining


def _put_text(rotation: Rotation, text: RotationText) -> list[str]:
    wanted: dict[str, object] = {
        "name": text.name,
        "description": text.description,
        "policy_name": text.policy_name,
        "policy_introduction": text.policy_introduction,
        "policy_rules": list(text.policy_rules),
    }
    changed = [field for field, value in wanted.items() if getattr(rotation, field) != value]
    for field in changed:
        setattr(rotation, field, wanted[field])
    return changed


def block_of(engineer: User, *, dates: Dates) -> HolidayBlock:
    """Return a holiday block that is not saved; raise Invalid by field."""
    for name, day in (("starts_on", dates.starts_on), ("ends_on", dates.ends_on)):
        if not EARLIEST <= day < LATEST:
            raise Invalid({name: ["Give a date between 2000 and 2100."]})
    if dates.ends_on < dates.starts_on:
        raise Invalid({"ends_on": ["The last day cannot come before the first."]})
    if dates.ends_on - dates.starts_on > LONGEST_BLOCK:
        raise Invalid({"ends_on": ["A block lasts a year at most."]})
    try:
        starts_at, ends_at = block_interval(
            dates.starts_on, dates.ends_on, zone=engineer.time_zone, start=dates.starts_at_time, end=dates.ends_at_time
        )
    except ValueError as error:
        raise Invalid({"ends_at_time": [str(error)]}) from error
    return HolidayBlock(
        engineer=engineer,
        starts_on=dates.starts_on,
        ends_on=dates.ends_on,
        starts_at_time=dates.starts_at_time,
        ends_at_time=dates.ends_at_time,
        kind=dates.kind,
        note=dates.note,
        time_zone=engineer.time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
    )


@transaction.atomic
def block_holiday(engineer: User, *, dates: Dates, by: User) -> HolidayBlock:
    """Block dates of an engineer: one's own, or anybody's by an admin (product.md §4, §11).

    Never refused for what it does to the schedule. Raises Forbidden for another's, Invalid by field.
    """
    _check_holiday_of(engineer, by=by)
    block = block_of(engineer, dates=dates)
    _lock_rotations_of(engineer)
    block.save()
    return block


@transaction.atomic
def change_holiday(block: HolidayBlock, *, dates: Dates, by: User) -> HolidayBlock:
    """Change a block's dates, kind or note; raises as `block_holiday` does, Refused where it is gone."""
    _check_holiday_of(block.engineer, by=by)
    wanted = block_of(block.engineer, dates=dates)
    _lock_rotations_of(block.engineer)
    if not HolidayBlock.objects.filter(pk=block.pk).exists():
        raise Refused("This holiday was removed in the meantime.")
    wanted.pk, wanted.created_at = block.pk, block.created_at
    wanted.save(force_update=True)
    return wanted


@transaction.atomic
def remove_holiday(block: HolidayBlock, *, by: User) -> None:
    """Remove a block; raises Forbidden for another's."""
    _check_holiday_of(block.engineer, by=by)
    _lock_rotations_of(block.engineer)
    HolidayBlock.objects.filter(pk=block.pk).delete()


def _check_holiday_of(engineer: User, *, by: User) -> None:
    if by.pk != engineer.pk and not by.is_staff:
        raise Forbidden("Only an admin blocks, changes or removes somebody else's holiday.")


def _lock_rotations_of(engineer: User) -> None:
    """Lock what depends on an engineer's availability, in order of key (reliability.md, Lock order)."""
    list(Rotation.objects.select_for_update().filter(pk__in=rotations_with(engineer)).order_by("pk"))


@transaction.atomic
def keep_gaps(*, at: dt.datetime) -> int:
    """Store the coming moments nobody covers, and drop those that are solved; return how many there are.

    A gap that goes on is the same row, so that it is told once; one that is running keeps the instant it began at.
    """
    list(Rotation.objects.select_for_update().order_by("pk"))
    found = uncovered_ahead(at=at)
    stored = {(row.pipeline_id, row.starts_at): row for row in UncoveredMoment.objects.filter(ends_at__gt=at)}
    running = {row.pipeline_id: row for row in stored.values() if row.starts_at <= at}
    kept: list[UncoveredMoment] = []
    new: list[UncoveredMoment] = []
    for pipeline, starts_at, ends_at in found:
        row = stored.get((pipeline, starts_at)) or (running.get(pipeline) if starts_at == at else None)
        if row is None:
            new.append(UncoveredMoment(pipeline_id=pipeline, starts_at=starts_at, ends_at=ends_at))
        else:
            kept.append(row)
            row.ends_at = ends_at
    UncoveredMoment.objects.filter(ends_at__gt=at).exclude(pk__in=[row.pk for row in kept]).delete()
    UncoveredMoment.objects.bulk_update(kept, ["ends_at"])
    UncoveredMoment.objects.bulk_create(new)
    return len(found)
