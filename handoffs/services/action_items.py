"""Create, edit, complete and reopen action items."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from handoffs.models import ActionItem
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation


@dataclass(frozen=True, slots=True)
class ItemChange:
    """Changes to an action item. None leaves a field unchanged; `pipeline` is used only if `about` allows one."""

    text: str | None = None
    done: bool | None = None
    about: bool = False
    pipeline: Pipeline | None = None


def add_item(
    rotation: Rotation, *, text: str, by: User, at: dt.datetime, pipeline: Pipeline | None = None
) -> ActionItem:
    """Create an action item. Raise InvalidInputError for `text` if it is empty."""
    return ActionItem.objects.create(
        rotation=rotation, text=_normalize_text(text), pipeline=pipeline, created_by=by, created_at=at
    )


@transaction.atomic
def change_item(item: ActionItem, *, change: ItemChange, by: User, at: dt.datetime) -> ActionItem:
    """Edit, complete or reopen an action item and return it. Raise InvalidInputError for `text`.

    If the item is already done, completing it again preserves who completed it and when.
    """
    row = ActionItem.objects.select_for_update(no_key=True).get(pk=item.pk)
    if change.text is not None:
        row.text = _normalize_text(change.text)
    if change.about:
        row.pipeline = change.pipeline
    if change.done is True and row.done_at is None:
        row.done_at, row.done_by = at, by
    elif change.done is False:
        row.done_at = row.done_by = None
    row.save()
    return row


def lock_item(pk: int) -> ActionItem:
    """Lock an action item until the transaction ends and return it; raise DomainError if it was removed."""
    row = ActionItem.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if row is None:
        raise DomainError("This action item has since been removed.")
    return row


def delete_item(item: ActionItem) -> None:
    """Delete an action item that was added by mistake; the caller has locked it."""
    item.delete()


def _normalize_text(text: str) -> str:
    normalized = " ".join(text.split())
    if not normalized:
        raise InvalidInputError({"text": ["Enter a description."]})
    return normalized
