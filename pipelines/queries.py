"""Queries about pipelines, and the change history of tracked rows."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    rows = (
        tracked_events(type(row))
        .filter(pgh_obj_id=row.pk)
        .order_by("-pgh_id")
        .annotate(context=F("pgh_context__metadata"))
    )
    events = list(rows[: most + 1])
    format_field = _field_formatter(row, events, fields)
    names = {column.name: str(column.verbose_name) for column in row._meta.fields}  # noqa: SLF001  # documented API of Django
    labels = {field: _label(names[field]) for field in fields}
    authors = _authors(events)
    changes = []
    for new, old in zip(events, [*events[1:], None], strict=True):
        changed = tuple(
            FieldChange(labels[field], format_field(old, field), format_field(new, field))
            for field in fields
            if old is None or format_field(old, field) != format_field(new, field)
        )
        if changed:
            changes.append(Change(new.pgh_created_at, authors[new.pgh_id], new.pgh_label == "insert", changed))
    return changes[:most]


def tracked_events(model: type[Model]) -> QuerySet[Any]:
    """Return the events of a tracked table."""
    rows: QuerySet[Any] = getattr(model, "pgh_event_model").objects.all()  # noqa: B009  # pghistory adds it to tracked models
    return rows


def related_history(events: QuerySet[Any], *, label: str, describe: Callable[[Any], str]) -> list[Change]:
    """Return the changes of tracked rows that belong to another row, as changes of one field of it, oldest first.

    `describe` returns the text of an event's row.
    """
    rows = list(events.order_by("pgh_id").annotate(context=F("pgh_context__metadata")))
    authors, texts, changes = _authors(rows), dict[int, str](), list[Change]()
    for event in rows:
        old, new = texts.get(event.pgh_obj_id, ""), "" if event.pgh_label == "delete" else describe(event)
        texts[event.pgh_obj_id] = new
        if old != new:
            field = FieldChange(label, old, new)
            changes.append(Change(event.pgh_created_at, authors[event.pgh_id], is_creation=False, fields=(field,)))
    return changes


def merge_histories(first: Iterable[Change], second: Iterable[Change]) -> list[Change]:
    """Return the changes of two histories, newest first. What one transaction changed is one entry."""
    merged: dict[tuple[dt.datetime, str, bool], Change] = {}
    for change in (*first, *second):
        key = (change.at, change.author, change.is_creation)
        earlier = merged.get(key)
        merged[key] = replace(earlier, fields=(*earlier.fields, *change.fields)) if earlier else change
    return sorted(merged.values(), key=lambda change: (change.at, not change.is_creation), reverse=True)


def base_manager(model: type[Model]) -> Manager[Any]:
    """Return the manager that includes every row of a table."""
    return model._base_manager  # noqa: SLF001  # documented API of Django


def _authors(events: Sequence[Any]) -> dict[int, str]:
    """Return who caused each event, by its primary key; "" for the system."""
    contexts = {event.pgh_id: event.context or {} for event in events}
    user_ids = {context["user"] for context in contexts.values() if context.get("user") is not None}
    users = {str(user.pk): str(user) for user in User.objects.filter(pk__in=user_ids)}
    return {key: users.get(str(one.get("user", "")), one.get("by", "")) for key, one in contexts.items()}


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
