"""Queries about pipelines, and the change history of tracked rows."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Manager, Model, Q, QuerySet, When
from django.utils import timezone

from common.formatting import format_instant
from people.models import User
from pipelines.models import Pipeline

# Above this number of pipelines, a user's own are listed first.
OWN_FIRST_ABOVE = 50


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field's label with its old and its new value, formatted."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a history; `author` is "" for changes that the system made."""

    at: dt.datetime
    author: str
    is_creation: bool
    fields: tuple[FieldChange, ...]


def ownership(*, owner: User | None = None, search: str = "", own_first: User | None = None) -> QuerySet[Pipeline]:
    """Return the ownership table in its order, optionally filtered by owner and by words of the name.

    In a table longer than a page, the pipelines that `own_first` owns come first.
    """
    rows = Pipeline.objects.all().with_owners()
    if own_first is not None and Pipeline.objects.order_by()[OWN_FIRST_ABOVE : OWN_FIRST_ABOVE + 1].exists():
        owned = Q(primary_owner=own_first) | Q(secondary_owner=own_first)
        rows = rows.order_by(Case(When(owned, then=0), default=1), "position", "pk")
    if owner is not None:
        rows = rows.owned_by(owner)
    for word in search.split():
        rows = rows.filter(Q(name__icontains=word) | Q(audience__icontains=word) | Q(slug__icontains=word))
    return rows


@dataclass(frozen=True, slots=True)
class OwnershipOrder:
    """The primary keys of all pipelines in the order of the ownership table, and those of each owner."""

    keys: tuple[int, ...]
    by_owner: Mapping[int, tuple[int, ...]]

    def own_first(self, user: User) -> list[int]:
        """Return all keys; in a table longer than a page, those of the pipelines that a user owns come first."""
        own = dict.fromkeys(self.by_owner.get(user.pk, ()) if len(self.keys) > OWN_FIRST_ABOVE else ())
        return [*own, *(key for key in self.keys if key not in own)]


def ownership_order() -> OwnershipOrder:
    """Return the order of the ownership table; runs one statement."""
    rows = list(Pipeline.objects.order_by("position", "pk").values_list("pk", "primary_owner", "secondary_owner"))
    by_owner: dict[int, list[int]] = {}
    for key, primary, secondary in rows:
        by_owner.setdefault(primary, []).append(key)
        by_owner.setdefault(secondary, []).append(key)
    return OwnershipOrder(tuple(row[0] for row in rows), {owner: tuple(keys) for owner, keys in by_owner.items()})


def owners() -> QuerySet[User]:
    """Return the users who own a pipeline, by name."""
    return User.objects.filter(Q(primary_of__isnull=False) | Q(secondary_of__isnull=False)).distinct()


def row_history(row: Model, *, fields: Sequence[str], most: int = 50) -> list[Change]:
    """Return the latest changes of a tracked row, newest first, from the events that pghistory's triggers store.

    Only changes of `fields` are included. A foreign key is shown as its row's name, a choice as its label.
    """
    model = getattr(row, "pgh_event_model")  # noqa: B009  # pghistory adds it to tracked models
    rows = model.objects.filter(pgh_obj_id=row.pk).order_by("-pgh_id").annotate(context=F("pgh_context__metadata"))
    events = list(rows[: most + 1])
    format_field = _field_formatter(row, events, fields)
    names = {column.name: str(column.verbose_name) for column in row._meta.fields}  # noqa: SLF001  # documented API of Django
    labels = {field: _label(names[field]) for field in fields}
    user_ids = {event.context["user"] for event in events if event.context and event.context.get("user") is not None}
    users = {str(user.pk): str(user) for user in User.objects.filter(pk__in=user_ids)}
    changes = []
    for new, old in zip(events, [*events[1:], None], strict=True):
        changed = tuple(
            FieldChange(labels[field], format_field(old, field), format_field(new, field))
            for field in fields
            if old is None or format_field(old, field) != format_field(new, field)
        )
        if changed:
            context = new.context or {}
            author = users.get(str(context.get("user", "")), context.get("by", ""))
            changes.append(Change(new.pgh_created_at, author, new.pgh_label == "insert", changed))
    return changes[:most]


def base_manager(model: type[Model]) -> Manager[Any]:
    """Return the manager that includes every row of a table."""
    return model._base_manager  # noqa: SLF001  # documented API of Django


def _field_formatter(row: Model, events: list[Any], fields: Sequence[str]) -> Callable[[Any, str], str]:
    """Return a function that formats a field of an event, reading related rows once per field."""
    related: dict[str, dict[Any, str]] = {}
    labels: dict[str, dict[Any, str]] = {}
    for field in fields:
        column = row._meta.get_field(field)  # noqa: SLF001  # _meta is documented API of Django
        labels[field] = {value: str(label) for value, label in getattr(column, "flatchoices", ())}
        model = column.related_model
        if isinstance(model, type):
            ids = {getattr(event, f"{field}_id") for event in events}
            related[field] = {target.pk: str(target) for target in base_manager(model).filter(pk__in=ids)}

    def format_field(event: Any, field: str) -> str:
        if event is None:
            return ""
        if field in related:
            key = getattr(event, f"{field}_id")
            return related[field].get(key, f"#{key}") if key is not None else ""
        value = getattr(event, field)
        return _format_value(labels[field].get(value, value) if labels[field] else value)

    return format_field


def _label(field: str) -> str:
    return field.replace("_", " ").removeprefix("is ")


def _format_value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.12g}"
    if isinstance(value, dt.datetime):
        return format_instant(value, timezone.get_current_timezone())
    if isinstance(value, dict):
        return ", ".join(f"{_label(str(name))}: {_format_value(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_format_value(item) for item in value)
    return "" if value is None else str(value)
