"""Create, update and archive rotations, and assign their pipelines."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from common.exceptions import InvalidInputError, NotAllowedError
from common.formatting import format_day
from people.domain.names import match_key, slug_for
from people.models import User
from pipelines.models import Pipeline
from scheduling.domain.weeks import current_week
from scheduling.loaders import rotation_hours
from scheduling.models import PipelineRotation, Rotation
from scheduling.models.rotations import DEFAULT_DRILL_TIME, DEFAULT_HANDOFF_TIME, DRILL_SCHEDULE_FIELDS, Weekday
from scheduling.notifications import notify_cover_ended
from scheduling.services.locks import lock_active_rotation
from scheduling.services.rosters import set_roster
from scheduling.services.swaps import void_invalidated_requests
from scheduling.services.weeks import update_hours


@dataclass(frozen=True, slots=True)
class RotationText:
    """The handbook's text about a rotation and its holiday policy. None leaves the policy as it is."""

    name: str
    description: str
    policy_name: str | None = None
    policy_introduction: str | None = None
    policy_rules: tuple[str, ...] | None = None


@transaction.atomic
def create_rotation(
    *,
    name: str,
    engineers: Sequence[User],
    by: User,
    at: dt.datetime,
    starts_on: dt.date | None = None,
    description: str = "",
    time_zone: str = "UTC",
    handoff_weekday: int = Weekday.MONDAY,
    handoff_time: dt.time = DEFAULT_HANDOFF_TIME,
    weekly_drill: bool = False,
    drill_weekday: int | None = None,
    drill_time: dt.time | None = None,
) -> Rotation:
    """Create a rotation with its first roster, which starts this week or on `starts_on`, and store its weeks.

    Raises NotAllowedError if `by` is not an admin and InvalidInputError by field.
    """
    _check_admin(by)
    rotation = Rotation(
        name=" ".join(name.split()),
        description=description,
        time_zone=time_zone,
        handoff_weekday=handoff_weekday,
        handoff_time=handoff_time,
        weekly_drill=weekly_drill,
        drill_weekday=Weekday.TUESDAY if drill_weekday is None else drill_weekday,
        drill_time=drill_time or DEFAULT_DRILL_TIME,
        drill_changed_at=at,
    )
    _check_name(rotation)
    rotation.slug = slug_for(rotation.name, set(Rotation.objects.values_list("slug", flat=True)))
    _validate(rotation)
    current = current_week(rotation_hours(rotation), at=at)
    if starts_on is not None and starts_on < current:
        raise InvalidInputError({"starts_on": [f"Choose the week of {format_day(current)} or a later one."]})
    rotation.save()
    set_roster(rotation, engineers=engineers, starts_on=starts_on or current, at=at)
    return rotation


@transaction.atomic
def update_rotation(
    rotation: Rotation,
    *,
    by: User,
    at: dt.datetime,
    name: str | None = None,
    description: str | None = None,
    time_zone: str | None = None,
    handoff_weekday: int | None = None,
    handoff_time: dt.time | None = None,
    weekly_drill: bool | None = None,
    drill_weekday: int | None = None,
    drill_time: dt.time | None = None,
) -> list[str]:
    """Update a rotation's name, description, hand-off or weekly drill; return the names of the fields that changed.

    A changed hand-off moves the weeks that have not started; the engineer on call now stays on call until the next
    hand-off. Raises NotAllowedError if `by` is not an admin and InvalidInputError by field.
    """
    _check_admin(by)
    row = lock_active_rotation(rotation)
    values = {
        "name": None if name is None else " ".join(name.split()),
        "description": description,
        "weekly_drill": weekly_drill,
        "drill_weekday": drill_weekday,
        "drill_time": drill_time,
    }
    changed = [field for field, value in values.items() if value is not None and getattr(row, field) != value]
    for field in changed:
        setattr(row, field, values[field])
    if "name" in changed:
        _check_name(row)
    _validate(row)
    row.save(update_fields=changed)
    try:
        changed += update_hours(
            row, at=at, time_zone=time_zone, handoff_time=handoff_time, handoff_weekday=handoff_weekday
        )
    except ValidationError as error:
        raise InvalidInputError(error.message_dict) from error
    if DRILL_SCHEDULE_FIELDS & set(changed):
        Rotation.objects.filter(pk=row.pk).update(drill_changed_at=at)
    rotation.refresh_from_db()
    return changed


@transaction.atomic
def archive_rotation(rotation: Rotation, *, by: User, at: dt.datetime) -> None:
    """Archive a rotation: from now on nobody is on call in it, and its pipelines belong to no rotation.

    The current week and active covers end now, later ones are deleted, and open and upcoming swaps become void. The past
    stays. Raises NotAllowedError if `by` is not an admin and DomainError if the rotation is archived.
    """
    _check_admin(by)
    row = lock_active_rotation(rotation)
    for cover in row.covers.filter(ends_at__gt=at).select_related("engineer", "covered_engineer", "rotation"):
        notify_cover_ended(cover, at=at)
    for spans in (row.covers, row.weeks):
        spans.filter(starts_at__gte=at).delete()
        spans.filter(ends_at__gt=at).update(ends_at=at)
    void_invalidated_requests(row, at=at)
    row.pipelines.all().delete()
    row.archived_at = at
    row.save(update_fields=["archived_at"])
    rotation.refresh_from_db()


def _check_admin(by: User) -> None:
    if not by.is_staff:
        raise NotAllowedError("Only an admin can create, change or archive a rotation.")


def _check_name(rotation: Rotation) -> None:
    others = Rotation.objects.active().exclude(pk=rotation.pk)
    if match_key(rotation.name) in {match_key(name) for name in others.values_list("name", flat=True)}:
        raise InvalidInputError({"name": ["Another rotation already has this name."]})


def _validate(rotation: Rotation) -> None:
    try:
        rotation.full_clean()
    except ValidationError as error:
        raise InvalidInputError(error.message_dict) from error


@transaction.atomic
def import_rotation(text: RotationText, *, time_zone: str) -> Rotation:
    """Create the handbook's rotation without a roster; raise django.core.exceptions.ValidationError by field."""
    taken = set(Rotation.objects.values_list("slug", flat=True))
    rotation = Rotation(slug=slug_for(text.name, taken), time_zone=time_zone)
    _set_text(rotation, text)
    rotation.full_clean()
    rotation.save()
    return rotation


@transaction.atomic
def change_rotation_text(rotation: Rotation, *, text: RotationText) -> list[str]:
    """Update a rotation from the handbook's text; return the names of the fields that changed."""
    row = lock_active_rotation(rotation)
    changed = _set_text(row, text)
    if changed:
        row.full_clean()
        row.save(update_fields=changed)
    return changed


def _set_text(rotation: Rotation, text: RotationText) -> list[str]:
    values: dict[str, object] = {
        "name": text.name,
        "description": text.description,
        "policy_name": text.policy_name,
        "policy_introduction": text.policy_introduction,
        "policy_rules": None if text.policy_rules is None else list(text.policy_rules),
    }
    changed = [field for field, value in values.items() if value is not None and getattr(rotation, field) != value]
    for field in changed:
        setattr(rotation, field, values[field])
    return changed


@transaction.atomic
def move_pipeline(pipeline: Pipeline, *, rotation: Rotation | None) -> None:
    """Move a pipeline to a rotation, or to none. Its chain changes at once; open incidents escalate along the new one."""
    if rotation is None:
        PipelineRotation.objects.filter(pipeline=pipeline).delete()
    else:
        PipelineRotation.objects.update_or_create(pipeline=pipeline, defaults={"rotation": rotation})


@transaction.atomic
def join_rotation(rotation: Rotation, *, pipelines: Iterable[Pipeline]) -> list[Pipeline]:
    """Add the pipelines that have no rotation yet to this one; return them."""
    assigned = set(PipelineRotation.objects.values_list("pipeline", flat=True))
    joining = [pipeline for pipeline in pipelines if pipeline.pk not in assigned]
    PipelineRotation.objects.bulk_create(PipelineRotation(pipeline=row, rotation=rotation) for row in joining)
    return joining
