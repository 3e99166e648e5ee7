"""Resolve owner drift: use the owner in the code, or keep the current owners."""

import datetime as dt

from django.db import transaction

from common.exceptions import DomainError
from lineage.models import OwnerDecision
from lineage.queries import Drift, owner_drift
from people.models import User
from pipelines.models import Pipeline
from pipelines.services import Owners, change_owners


@transaction.atomic
def take_code_owner(pipeline: Pipeline) -> User:
    """Make the owner in the code the primary owner; return them. If they were the secondary owner, the two change places.

    Raises DomainError if the owners agree, or no user matches the owner in the code.
    """
    row = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    drift = _drift(row)
    if drift.person is None:
        named = drift.owner.email or drift.owner.name
        raise DomainError(
            f"No user has the e-mail address or name “{named}”. Add the user first, or keep the current owners."
        )
    secondary = row.primary_owner if drift.person.pk == row.secondary_owner_id else row.secondary_owner
    change_owners({row: Owners(primary=drift.person, secondary=secondary)})
    return drift.person


@transaction.atomic
def keep_site_owner(pipeline: Pipeline, *, by: User, at: dt.datetime) -> OwnerDecision:
    """Keep the current owners until the code names another owner. Raises DomainError if the owners agree."""
    row = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    owner = _drift(row).owner
    decision, _ = OwnerDecision.objects.update_or_create(
        pipeline=row,
        defaults={"owner_name": owner.name, "owner_email": owner.email, "decided_by": by, "decided_at": at},
    )
    return decision


def _drift(pipeline: Pipeline) -> Drift:
    for row in owner_drift():
        if row.pipeline.pk == pipeline.pk:
            return row
    raise DomainError(f"The code names no other owner for {pipeline}.")
