"""Changes of action items: written down, corrected, done, opened again."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import InvalidInputError
from handoffs.models import ActionItem
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What is to change of an action item; None leaves it as it is. `pipeline` counts only where `about` says so."""

    text: str | None = None
    done: bool | None = None
    about: bool = False
    pipeline: Pipeline | None = None


def add_item(
    rotation: Rotation, *, text: str, by: User, at: dt.datetime, pipeline: Pipeline | None = None
) -> ActionItem:
    """Write down something left to do; raise Invalid for `text` where it says nothing."""
    return ActionItem.objects.create(
        rotation=rotation, text=_words(text), pipeline=pipeline, created_by=by, created_at=at
    )


@transaction.atomic
def change_item(item: ActionItem, *, change: ItemChange, by: User, at: dt.datetime) -> ActionItem:
    """Correct an action item, say that it is done, or open it again; return it. Raises Invalid for `text`.

    Who has done it and when stays as it was where it is done already.
    """
    row = ActionItem.objects.select_for_update(no_key=True).get(pk=item.pk)
    if change.text is not None:
        row.text = _words(change.text)
    if change.about:
        row.pipeline = change.pipeline
    if change.done is True and row.done_at is None:
        row.done_at, row.done_by = at, by
    elif change.done is False:
        row.done_at = row.done_by = None
    row.save()
    return row


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise InvalidInputError({"text": ["Say what is to be done."]})
    return words
