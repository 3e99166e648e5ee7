"""Reads about pipelines."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Manager, Model, Q, QuerySet, When
from django.utils import timezone

from common.datetimes import format_instant
from people.models import User
from pipelines.models import Pipeline

# Up to so many pipelines a page shows all.
LONG_TABLE = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a history: who changed what, when, from what to what."""

    at: dt.datetime
    who: str
    what: str
    fields: tuple[tuple[str, str, str], ...]


def ownership(*, owner: User | None = None, words: str = "", first: User | None = None) -> QuerySet[Pipeline]:
    """Return the ownership table, in its order; only an owner's pipelines, or those whose name has the words.

    Where it is long, the pipelines of `first` come first; a short table is seen in one look in its own order.
    """
    rows = Pipeline.objects.all().with_owners()
    if first is not None and Pipeline.objects.count() > LONG_TABLE:
        theirs = Q(primary_owner=first) | Q(secondary_owner=first)
        rows = rows.order_by(Case(When(theirs, then=0), default=1), "position", "pk")
    if owner is not None:
        rows = rows.owned_by(owner)
    for word in words.split():
        rows = rows.filter(Q(name__icontains=word) | Q(audience__icontains=word) | Q(slug__icontains=word))
    return rows


def owners() -> QuerySet[User]:
    """Return everyone who owns a pipeline, by name."""
    return User.objects.filter(Q(primary_of__isnull=False) | Q(secondary_of__isnull=False)).distinct()


def row_history(row: Model, *, fields: Sequence[str], most: int = 50) -> list[Change]:
    """Return the changes of a tracked row, newest first, from the rows its database triggers wrote (pghistory).

    `fields` are the names to compare, which come back in words; a foreign key is shown by its row's name.
    """
    events = _events(row, most=most + 1)
    names = _names(row, events, fields)
    people = {str(user.pk): str(user) for user in User.objects.filter(pk__in=_authors(events))}
    changes = []
    for new, old in zip(events, [*events[1:], None], strict=True):
        shown = tuple(
            (_in_words(field), names(old, field), names(new, field))
            for field in fields
            if old is None or names(old, field) != names(new, field)
        )
        if shown:
            author = people.get(str((new.context or {}).get("user", "")), (new.context or {}).get("by", "the system"))
            changes.append(Change(at=new.pgh_created_at, who=author, what=new.pgh_label, fields=shown))
    return changes[:most]


def _events(row: Model, *, most: int) -> list[Any]:
    model = getattr(row, "pgh_event_model")  # noqa: B009  # pghistory adds it to a tracked model
    rows = model.objects.filter(pgh_obj_id=row.pk).order_by("-pgh_id")
    return list(rows.annotate(context=F("pgh_context__metadata"))[:most])


def _authors(events: list[Any]) -> set[int]:
    found = {(event.context or {}).get("user") for event in events}
    return {int(user) for user in found if user is not None}


def base_manager(model: type[Model]) -> Manager[Any]:
    """Return the manager that sees every row of a table."""
    return model._base_manager  # noqa: SLF001  # documented API of Django in spite of its name


def _names(row: Model, events: list[Any], fields: Sequence[str]) -> Any:
    related: dict[str, dict[Any, str]] = {}
    for field in fields:
        model = row._meta.get_field(field).related_model  # noqa: SLF001  # _meta is documented API of Django
        if isinstance(model, type):
            ids = {getattr(event, f"{field}_id") for event in events}
            related[field] = {found.pk: str(found) for found in base_manager(model).filter(pk__in=ids)}

    def name(event: Any, field: str) -> str:
        if event is None:
            return ""
        if field in related:
            key = getattr(event, f"{field}_id")
            return related[field].get(key, f"#{key}") if key is not None else ""
        return _value_in_words(getattr(event, field))

    return name


def _in_words(field: str) -> str:
    return field.removeprefix("is_").replace("_", " ")


def _value_in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.12g}"
    if isinstance(value, dt.datetime):
        return format_instant(value, timezone.get_current_timezone())
    if isinstance(value, dict):
        return ", ".join(f"{_in_words(str(name))}: {_value_in_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_value_in_words(one) for one in value)
    return "" if value is None else str(value)
