"""Every change of state about pipelines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from common.exceptions import DomainError
from people.domain.names import slug_for, split_audience
from people.models import User
from pipelines.models import Pipeline


@dataclass(frozen=True, slots=True)
class Owners:
    """Who is to own a pipeline."""

    primary: User
    secondary: User


@transaction.atomic
def create_pipeline(full_name: str, *, owners: Owners, position: int) -> Pipeline:
    """Create a pipeline from its full name; raise django.core.exceptions.ValidationError by field."""
    name, audience = split_audience(full_name)
    pipeline = Pipeline(
        name=name,
        audience=audience,
        slug=slug_for(full_name, set(Pipeline.objects.values_list("slug", flat=True))),
        position=position,
        primary_owner=owners.primary,
        secondary_owner=owners.secondary,
    )
    pipeline.full_clean(exclude=["match_key"])
    pipeline.save()
    return pipeline


@transaction.atomic
def update_pipeline(pipeline: Pipeline, *, fields: Mapping[str, Any]) -> list[str]:
    """Change fields of a pipeline; return the names of those that really changed, in the order given.

    Raises django.core.exceptions.ValidationError by field.
    """
    current = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    changed = [field for field, value in fields.items() if getattr(current, field) != value]
    for field in changed:
        setattr(current, field, fields[field])
        setattr(pipeline, field, fields[field])
    if changed:
        current.full_clean(exclude=["match_key"])
        current.save(update_fields=[*changed, "match_key"])
        pipeline.match_key = current.match_key
    return changed


@transaction.atomic
def order_pipelines(pipelines: Sequence[Pipeline]) -> list[Pipeline]:
    """Let the ownership table list all pipelines in this order; return those that had to be moved, none where it does so already."""
    if [row.pk for row in Pipeline.objects.all().with_owners()] == [row.pk for row in pipelines]:
        return []
    moved = []
    for position, pipeline in enumerate(pipelines):
        if update_pipeline(pipeline, fields={"position": position}):
            moved.append(pipeline)
    return moved


@transaction.atomic
def change_owners(owners: Mapping[Pipeline, Owners]) -> list[Pipeline]:
    """Give each pipeline its owners, all or none; return those that changed.

    Raises Refused, naming the pipeline, where the two owners are one person or one of them is not active.
    """
    rows = {
        row.pk: row for row in Pipeline.objects.select_for_update().filter(pk__in=[p.pk for p in owners]).order_by("pk")
    }
    changed = []
    for pipeline, wanted in owners.items():
        row = rows[pipeline.pk]
        if (row.primary_owner_id, row.secondary_owner_id) == (wanted.primary.pk, wanted.secondary.pk):
            continue
        _check_owners(row, wanted)
        row.primary_owner, row.secondary_owner = wanted.primary, wanted.secondary
        row.save(update_fields=["primary_owner", "secondary_owner"])
        changed.append(row)
    return changed


def reassign(*, leaver: User, successor: User) -> list[Pipeline]:
    """Give everything one person owns to another; return the pipelines that changed.

    Raises Refused, and changes nothing, where the successor already holds the other half of a pipeline.
    """
    wanted = {}
    for pipeline in Pipeline.objects.all().with_owners().owned_by(leaver):
        primary = successor if pipeline.primary_owner_id == leaver.pk else pipeline.primary_owner
        secondary = successor if pipeline.secondary_owner_id == leaver.pk else pipeline.secondary_owner
        wanted[pipeline] = Owners(primary=primary, secondary=secondary)
    return change_owners(wanted)


def _check_owners(pipeline: Pipeline, wanted: Owners) -> None:
    if wanted.primary.pk == wanted.secondary.pk:
        raise DomainError(f"{pipeline}: {wanted.primary} cannot be both primary and secondary owner.")
    for owner in (wanted.primary, wanted.secondary):
        if not owner.is_active:
            raise DomainError(f"{pipeline}: {owner} is not active and cannot own a pipeline.")
