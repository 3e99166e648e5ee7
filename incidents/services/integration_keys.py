"""Integration keys: created and revoked by admins, and limited to a number of events a minute."""

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.text import clean_text
from incidents.domain.events import ROUTING_KEY_LENGTH
from incidents.models import MAX_KEY_NAME_LENGTH, IntegrationKey
from people.models import User
from people.queries import secret_digest
from pipelines.models import Pipeline

MAX_KEYS_PER_PIPELINE = 20
PREFIX_LENGTH = 6
MAX_EVENTS_PER_MINUTE = 300
RATE_WINDOW = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new integration key and its secret, which is shown only once."""

    key: IntegrationKey
    secret: str


@transaction.atomic
def create_integration_key(pipeline: Pipeline, *, name: str, by: User) -> NewKey:
    """Create an integration key of a pipeline.

    Raises NotAllowedError for non-admins, InvalidInputError for the name, and DomainError if the pipeline has too many.
    """
    _check_admin(by)
    name = clean_text(name, field="name", max_length=MAX_KEY_NAME_LENGTH, required="Enter a name.", is_line=True)
    Pipeline.objects.select_for_update(no_key=True).get(pk=pipeline.pk)
    keys = pipeline.integration_keys.active()
    if keys.filter(name=name).exists():
        raise InvalidInputError({"name": ["This pipeline already has an integration key with this name."]})
    if keys.count() >= MAX_KEYS_PER_PIPELINE:
        raise DomainError(f"This pipeline has {MAX_KEYS_PER_PIPELINE} integration keys. Revoke one first.")
    # As long as PagerDuty's, because tools check the length.
    secret = secrets.token_hex(ROUTING_KEY_LENGTH // 2)
    key = IntegrationKey.objects.create(
        pipeline=pipeline, name=name, prefix=secret[:PREFIX_LENGTH], digest=secret_digest(secret), created_by=by
    )
    return NewKey(key=key, secret=secret)


def revoke_integration_key(key: IntegrationKey, *, by: User, at: dt.datetime) -> None:
    """Revoke an integration key: events with it are refused from now on. Raises NotAllowedError for non-admins."""
    _check_admin(by)
    IntegrationKey.objects.active().filter(pk=key.pk).update(revoked_at=at)


def _check_admin(by: User) -> None:
    if not by.is_staff:
        raise NotAllowedError("Only an admin can manage integration keys.")


def find_integration_key(secret: str) -> IntegrationKey | None:
    """Return the active integration key with this secret, with its pipeline, or None."""
    rows = IntegrationKey.objects.active().select_related("pipeline")
    return rows.filter(digest=secret_digest(secret)).first()


def count_event(key: IntegrationKey, *, at: dt.datetime) -> bool:
    """Count an event of a key; return False if it has sent too many in this minute. One statement, so that no event is uncounted."""
    is_same_minute = Q(minute__gt=at - RATE_WINDOW, minute__lte=at)
    rows = IntegrationKey.objects.filter(
        ~is_same_minute | Q(minute=None) | Q(events_in_minute__lt=MAX_EVENTS_PER_MINUTE)
    )
    counted = rows.filter(pk=key.pk).update(
        events_in_minute=Case(When(is_same_minute, then=F("events_in_minute") + 1), default=Value(1)),
        minute=Case(When(is_same_minute, then=F("minute")), default=Value(at)),
        last_used_at=at,
    )
    return counted == 1
