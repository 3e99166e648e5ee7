"""Services that create and change pipelines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from common.db import lock_rows
from common.exceptions import DomainError
from people.domain.names import slug_for, split_audience
from people.models import User
from pipelines.models import Pipeline


@dataclass(frozen=True, slots=True)
class Owners:
    """The primary and the secondary owner of a pipeline."""

    primary: User
    secondary: User


@transaction.atomic
def create_pipeline(full_name: str, *, owners: Owners, position: int) -> Pipeline:
    """Create a pipeline from its full name, such as "Daily growth (investor reporting)".

    Raises django.core.exceptions.ValidationError by field.
    """
    pipeline = new_pipeline(full_name, owners=owners, position=position)
    pipeline.full_clean(exclude=["match_key"])
    pipeline.save()
    return pipeline


def new_pipeline(full_name: str, *, owners: Owners, position: int) -> Pipeline:
    """Return an unsaved pipeline with a free slug. Its match key is set when it is validated."""
    name, audience = split_audience(full_name)
    return Pipeline(
        name=name,
        audience=audience,
        slug=slug_for(full_name, set(Pipeline.objects.values_list("slug", flat=True))),
        position=position,
        primary_owner=owners.primary,
        secondary_owner=owners.secondary,
    )


@transaction.atomic
def update_pipeline(pipeline: Pipeline, *, fields: Mapping[str, Any]) -> list[str]:
    """Update fields of a pipeline; return the names of those whose value changed, in the given order.

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
    """Sort the ownership table in this order; return the pipelines whose position changed."""
    if [row.pk for row in Pipeline.objects.all().with_owners()] == [row.pk for row in pipelines]:
        return []
    moved = []
    for position, pipeline in enumerate(pipelines):
        if update_pipeline(pipeline, fields={"position": position}):
            moved.append(pipeline)
    return moved


@transaction.atomic
def change_owners(owners: Mapping[Pipeline, Owners]) -> list[Pipeline]:
    """Set the owners of each pipeline in one transaction; return the pipelines that changed.

    Raises DomainError, naming the pipeline, if both owners are the same person or one is deactivated.
    """
    rows = {
        row.pk: row for row in Pipeline.objects.select_for_update().filter(pk__in=[p.pk for p in owners]).order_by("pk")
    }
    changed = []
    for pipeline, new in owners.items():
        row = rows[pipeline.pk]
        if (row.primary_owner_id, row.secondary_owner_id) == (new.primary.pk, new.secondary.pk):
            continue
        _check_owners(row, new)
        row.primary_owner, row.secondary_owner = new.primary, new.secondary
        row.save(update_fields=["primary_owner", "secondary_owner"])
        changed.append(row)
    return changed


@transaction.atomic
def reassign(*, leaver: User, successor: User) -> list[Pipeline]:
    """Transfer every pipeline that one person owns to another; return the pipelines that changed.

    Raises DomainError and changes nothing if the successor is already the other owner of one of them.
    """
    transfers = {}
    rows = Pipeline.objects.all().owned_by(leaver).select_related("primary_owner", "secondary_owner")
    # Locked before owners are read, so that a concurrent change is not undone.
    for pipeline in lock_rows(rows):
        primary = successor if pipeline.primary_owner_id == leaver.pk else pipeline.primary_owner
        secondary = successor if pipeline.secondary_owner_id == leaver.pk else pipeline.secondary_owner
        transfers[pipeline] = Owners(primary=primary, secondary=secondary)
    return change_owners(transfers)


def _check_owners(pipeline: Pipeline, owners: Owners) -> None:
    if owners.primary.pk == owners.secondary.pk:
        raise DomainError(f"{pipeline}: {owners.primary} cannot be both primary and secondary owner.")
    for owner in (owners.primary, owners.secondary):
        if not owner.is_active:
            raise DomainError(f"{pipeline}: {owner} is inactive and cannot own a pipeline.")
