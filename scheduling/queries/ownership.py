"""Owners and rotation of pipelines at a past instant, from the history that pghistory's triggers store."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Model, QuerySet

from pipelines.models import Pipeline
from scheduling.models import PipelineRotation


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who responded for a pipeline: its owners and its rotation, if any; `until` is when one of them changed.

    `begins_at` is when its history begins, if that is later: before that instant, the present owners are returned.
    """

    primary_owner: int
    secondary_owner: int
    rotation: int | None
    until: dt.datetime | None
    begins_at: dt.datetime | None = None

    @property
    def responders(self) -> tuple[int, int, int | None]:
        """The primary owner, the secondary owner and the rotation."""
        return self.primary_owner, self.secondary_owner, self.rotation


def past_ownership(current: Mapping[int, Ownership], *, at: dt.datetime) -> dict[int, Ownership]:
    """Return the ownership of pipelines at `at`, by primary key; runs two statements.

    `current` has the pipelines with their present ownership, which is also theirs before they existed.
    """
    keys = list(current)
    owners = _states(
        (key, created_at, (primary, secondary))
        for key, created_at, primary, secondary in _events(Pipeline)
        .filter(pgh_obj_id__in=keys)
        .values_list("pgh_obj_id", "pgh_created_at", "primary_owner_id", "secondary_owner_id")
    )
    rotations = _states(
        (key, created_at, None if label == "delete" else rotation)
        for key, created_at, label, rotation in _events(PipelineRotation)
        .filter(pipeline_id__in=keys)
        .values_list("pipeline_id", "pgh_created_at", "pgh_label", "rotation_id")
    )
    ownership = dict(current)
    for key, states in owners.items():
        owners_then, owners_until = _state_at(states, at=at)
        if owners_then is None:
            ownership[key] = replace(current[key], begins_at=owners_until)
            continue
        primary, secondary = owners_then
        rotation, rotation_until = _state_at(rotations.get(key, []), at=at)
        changes = [until for until in (owners_until, rotation_until) if until]
        ownership[key] = Ownership(primary, secondary, rotation, min(changes, default=None))
    return ownership


def _events(model: type[Model]) -> QuerySet[Any]:
    rows: QuerySet[Any] = getattr(model, "pgh_event_model").objects.order_by("pgh_id")  # noqa: B009  # added by pghistory
    return rows


def _states(events: Iterable[tuple[int, dt.datetime, Any]]) -> dict[int, list[tuple[dt.datetime, Any]]]:
    """Group events into the states of each row, oldest first, without repetitions."""
    states: dict[int, list[tuple[dt.datetime, Any]]] = {}
    for key, created_at, state in events:
        history = states.setdefault(key, [])
        if not history or history[-1][1] != state:
            history.append((created_at, state))
    return states


def _state_at(states: list[tuple[dt.datetime, Any]], *, at: dt.datetime) -> tuple[Any, dt.datetime | None]:
    """Return the state at an instant, None before the first, and when the next one starts."""
    current = [state for created_at, state in states if created_at <= at]
    later = [created_at for created_at, _ in states if created_at > at]
    return (current[-1] if current else None), min(later, default=None)
