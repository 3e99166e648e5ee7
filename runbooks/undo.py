"""What the Undo buttons of runbooks do."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django.urls import reverse

from common.exceptions import DomainError
from people.models import User
from people.undo import Undo, UndoResult, register
from runbooks.models import Runbook
from runbooks.services import StaleEditError, restore_revision, restore_runbook


@register
@dataclass(frozen=True, slots=True)
class UndoRevision(Undo):
    """Restore the text before a revision."""

    name: ClassVar[str] = "runbook.save"

    runbook: int
    revision: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Save the previous revision's text as the newest, unless someone has saved another since."""
        row = Runbook.objects.select_related("pipeline").filter(pk=self.runbook).first()
        if row is None:
            raise DomainError("This runbook was deleted. Restore it first.")
        try:
            restore_revision(row, number=self.revision - 1, based_on=self.revision, author=by)
        except StaleEditError as error:
            raise DomainError(f"Revision {error.current.number} has since been saved.") from error
        return UndoResult(f"Revision {self.revision - 1} restored.", reverse("runbook", args=[row.pipeline.slug]))


@register
@dataclass(frozen=True, slots=True)
class UndoDeleteRunbook(Undo):
    """Restore a deleted runbook."""

    name: ClassVar[str] = "runbook.delete"

    runbook: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore it, unless somebody else has since deleted it."""
        deleted = Runbook.all_objects.get(pk=self.runbook)
        if deleted.deleted_at is not None and deleted.deleted_by_id != by.pk:
            raise DomainError("Somebody else has since deleted this runbook.")
        row = restore_runbook(deleted)
        return UndoResult("Runbook restored.", reverse("runbook", args=[row.pipeline.slug]))
