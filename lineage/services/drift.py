"""Decide which owner is right when the code names another than this site."""

import datetime as dt

from django.db import transaction

from common.exceptions import DomainError
from lineage.models import OwnerDecision
from lineage.queries import Drift, owner_drift
from people.models import User
from pipelines.models import Pipeline
from pipelines.services import Owners, change_owners


@transaction.atomic
def take_code_owner(pipeline: Pipeline, *, shown: str = "") -> User:
    """Make the owner in the code the primary owner; return them. If they were the secondary owner, the two change places.

    `shown` is the user name of the owner that the admin saw, if it is known. Raises DomainError if the owners agree, or the code
    names somebody who is not here, or meanwhile somebody else.
    """
    row = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    drift = _drift(row)
    if drift.person is None:
        named = drift.owner.email or drift.owner.name
        raise DomainError(
            f"Nobody here has the e-mail or name “{named}”. Add them first, or keep the owners of this site."
        )
    if shown and drift.person.username != shown:
        raise DomainError(f"The code names {drift.person} as owner of {row} now.")
    secondary = row.primary_owner if drift.person.pk == row.secondary_owner_id else row.secondary_owner
    change_owners({row: Owners(primary=drift.person, secondary=secondary)})
    return drift.person


@transaction.atomic
def keep_site_owner(pipeline: Pipeline, *, by: User, at: dt.datetime) -> OwnerDecision:
    """Confirm the owners here, until the code names another owner. Raises DomainError if the owners agree."""
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
    raise DomainError(f"{pipeline}: the code names no other owner.")
