"""Create rotations and change their text and pipelines."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from people.domain.names import slug_for
from pipelines.models import Pipeline
from scheduling.models import PipelineRotation, Rotation
from scheduling.services.locks import lock_rotation


@dataclass(frozen=True, slots=True)
class RotationText:
    """The handbook's text about a rotation and its holiday policy."""

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
    _set_text(rotation, text)
    rotation.full_clean()
    rotation.save()
    return rotation


@transaction.atomic
def change_rotation_text(rotation: Rotation, *, text: RotationText) -> list[str]:
    """Update a rotation from the handbook's text; return the names of the fields that changed."""
    row = lock_rotation(rotation)
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
        "policy_rules": list(text.policy_rules),
    }
    changed = [field for field, value in values.items() if getattr(rotation, field) != value]
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
