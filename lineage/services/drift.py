"""Resolve owner drift: use the owner in the code, or keep the current owners."""

import datetime as dt
from dataclasses import asdict, dataclass

from django.db import transaction

from common.exceptions import DomainError
from lineage.models import OwnerDecision
from lineage.queries import Drift, owner_drift
from people.models import User
from pipelines.models import Pipeline
from pipelines.services import Owners, change_owners


@dataclass(frozen=True, slots=True)
class ShownOwners:
    """The owners that an admin saw: in the code, by user name there ("" for no account), and the primary owner.

    None if unknown.
    """

    code_name: str | None = None
    code_email: str | None = None
    code_owner: str | None = None
    primary_owner: str | None = None

    def matches(self, drift: Drift) -> bool:
        """Return True if the owners are still those that were shown."""
        current = ShownOwners(
            code_name=drift.owner.name,
            code_email=drift.owner.email,
            code_owner=drift.person.username if drift.person else "",
            primary_owner=drift.pipeline.primary_owner.username,
        )
        return all(value in (None, getattr(current, name)) for name, value in asdict(self).items())


NO_SHOWN_OWNERS = ShownOwners()


@transaction.atomic
def set_owner_from_code(pipeline: Pipeline, *, shown: ShownOwners = NO_SHOWN_OWNERS) -> User:
    """Make the owner in the code the primary owner; return them.

    If they were the secondary owner, the two owners swap roles.

    Raises DomainError if the owners agree, if they are not those that the admin saw, or if no user matches the owner in
    the code.
    """
    row = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    drift = _drift(row, shown=shown)
    if drift.person is None:
        named = drift.owner.email or drift.owner.name
        raise DomainError(
            f"No user has the e-mail address or name “{named}”. Add the user first, or keep the current owners."
        )
    secondary = row.primary_owner if drift.person.pk == row.secondary_owner_id else row.secondary_owner
    change_owners({row: Owners(primary=drift.person, secondary=secondary)})
    return drift.person


@transaction.atomic
def keep_current_owner(
    pipeline: Pipeline, *, by: User, at: dt.datetime, shown: ShownOwners = NO_SHOWN_OWNERS
) -> OwnerDecision:
    """Keep the current owners until the code names another owner.

    Raises DomainError if the owners agree, or if they are not those that the admin saw.
    """
    row = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    owner = _drift(row, shown=shown).owner
    decision, _ = OwnerDecision.objects.update_or_create(
        pipeline=row,
        defaults={"owner_name": owner.name, "owner_email": owner.email, "decided_by": by, "decided_at": at},
    )
    return decision


def _drift(pipeline: Pipeline, *, shown: ShownOwners) -> Drift:
    drift = next((row for row in owner_drift() if row.pipeline.pk == pipeline.pk), None)
    if drift is None:
        raise DomainError(f"The code names no other owner for {pipeline}.")
    if not shown.matches(drift):
        in_code = drift.person or drift.owner.email or drift.owner.name
        raise DomainError(
            f"The owners of {pipeline} have changed: the code names {in_code}, and the primary owner is "
            f"{drift.pipeline.primary_owner}. Decide again.",
        )
    return drift
