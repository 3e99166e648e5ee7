"""Every change of state about the schedule."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from people.engine.names import slug_for
from people.models import User
from people.refusals import Refused
from pipelines.models import Pipeline
from scheduling.models import PipelineRotation, Roster, RosterMember, Rotation
from scheduling.queries import engineers_of, roster_in_force


@dataclass(frozen=True, slots=True)
class RotationText:
    """What a handbook says of a rotation and its holiday policy, in its own words."""

    name: str
    description: str
    policy_name: str
    policy_introduction: str
    policy_rules: tuple[str, ...]


def week_start(rotation: Rotation, *, day: dt.date) -> dt.date:
    """Return the date on which the week of a date starts: the hand-off weekday on or before it."""
    return day - dt.timedelta(days=(day.weekday() - rotation.handoff_weekday) % 7)


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
def change_time_zone(rotation: Rotation, *, time_zone: str) -> list[str]:
    """Let a rotation's hand-off be at its wall-clock hour in another zone; return the names of the fields that changed.

    Raises django.core.exceptions.ValidationError by field.
    """
    row = Rotation.objects.select_for_update().get(pk=rotation.pk)
    if row.time_zone == time_zone:
        return []
    row.time_zone = time_zone
    row.full_clean()
    row.save(update_fields=["time_zone"])
    return ["time_zone"]


@transaction.atomic
def set_roster(rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date) -> Roster:
    """Let these engineers hold the rotation, in order, from the week that starts on that date; later rosters go.

    Raises Refused where the date is not the rotation's hand-off weekday, or somebody stands twice or is not active.
    """
    Rotation.objects.select_for_update().get(pk=rotation.pk)
    if week_start(rotation, day=starts_on) != starts_on:
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
    return roster


@transaction.atomic
def follow_roster(
    rotation: Rotation, *, engineers: Sequence[User], today: dt.date, starting: dt.date | None
) -> Roster | None:
    """Bring a rotation's roster to these engineers; return the new roster, or None where nothing changes.

    A new rotation starts at `starting`, or in the week of `today`. A change holds from `starting`, or from next week:
    the past and the running week stay as they are (product.md §2). Raises Refused where `starting` is not after today.
    """
    Rotation.objects.select_for_update().get(pk=rotation.pk)
    running = week_start(rotation, day=today)
    newest = rotation.rosters.order_by("-starts_on").first()
    if newest is None:
        return set_roster(rotation, engineers=engineers, starts_on=starting or running)
    current = roster_in_force(rotation, on=starting or newest.starts_on) or newest
    same = [engineer.pk for engineer in engineers_of(current)] == [engineer.pk for engineer in engineers]
    if same and starting in (None, current.starts_on):
        return None
    holds_from = starting or running + dt.timedelta(days=7)
    if holds_from <= today:
        raise Refused(f"The week of {holds_from} has already started: a change of roster touches the future only.")
    return set_roster(rotation, engineers=engineers, starts_on=holds_from)


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
