"""What the Undo buttons of hand-off notes, meetings and action items do."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction
from django.urls import reverse

from common.exceptions import DomainError
from common.formatting import format_period
from handoffs.models import Handoff
from handoffs.services.action_items import ItemChange, change_item, delete_item, lock_item
from handoffs.services.meetings import lock_open, move_meeting
from handoffs.services.sheets import NoteChange, NoteConflictError, SheetChange, change_sheet, withdraw_signature
from people.models import User
from people.undo import Undo, UndoResult, register


@register
@dataclass(frozen=True, slots=True)
class UndoAddItem(Undo):
    """Delete an action item that was added."""

    name: ClassVar[str] = "action-item.add"

    item: int
    text: str

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Delete it, unless it has since changed or been completed."""
        item = lock_item(self.item)
        if item.text != self.text or item.done_at is not None:
            raise DomainError("This action item has since changed.")
        delete_item(item)
        return UndoResult(f"Action item removed: “{self.text}”.", part="action-items")


@register
@dataclass(frozen=True, slots=True)
class UndoMarkItem(Undo):
    """Reopen an action item that was marked done, or mark it done again."""

    name: ClassVar[str] = "action-item.mark"

    item: int
    is_done: bool

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Reverse the mark, unless someone else already has."""
        item = lock_item(self.item)
        if (item.done_at is not None) != self.is_done:
            raise DomainError("This action item has since changed.")
        change_item(item, change=ItemChange(done=not self.is_done), by=by, at=at)
        text = f"Action item {'reopened' if self.is_done else 'done'}: “{item.text}”."
        return UndoResult(text, part="action-items")


@register
@dataclass(frozen=True, slots=True)
class UndoSign(Undo):
    """Withdraw a signature."""

    name: ClassVar[str] = "hand-off.sign"

    handoff: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Withdraw the signature unless the other engineer has also signed."""
        row = withdraw_signature(Handoff.objects.get(pk=self.handoff), by=by)
        return UndoResult("Signature withdrawn.", reverse("handoff", args=[row.pk]), "signatures")


@dataclass(frozen=True, slots=True)
class EarlierNote:
    """The text of a topic's note before it was saved, and the version that was saved."""

    title: str
    text: str
    version: int


@register
@dataclass(frozen=True, slots=True)
class UndoNotes(Undo):
    """Restore the notes of a sheet."""

    name: ClassVar[str] = "hand-off.notes"

    handoff: int
    notes: tuple[EarlierNote, ...]

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore them, unless someone has changed one since or the sheet is locked."""
        notes = {note.title: NoteChange(note.text, note.version) for note in self.notes}
        try:
            change_sheet(Handoff.objects.get(pk=self.handoff), change=SheetChange(notes=notes), by=by, at=at)
        except NoteConflictError as error:
            authors = " and ".join(sorted({conflict.edited_by for conflict in error.conflicts}))
            raise DomainError(f"These notes have since been changed by {authors}.") from error
        return UndoResult("Earlier notes restored.")


@register
@dataclass(frozen=True, slots=True)
class UndoMoveMeeting(Undo):
    """Move a meeting back."""

    name: ClassVar[str] = "hand-off.move"

    handoff: int
    before: tuple[dt.datetime, ...]
    saved: tuple[dt.datetime, ...]

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Move it back, unless somebody moved it again."""
        row = lock_open(Handoff.objects.get(pk=self.handoff))
        if (row.meeting_starts_at, row.meeting_ends_at) != self.saved:
            raise DomainError("The meeting has since been rescheduled.")
        move_meeting(row, by=by, at=at, starts_at=self.before[0], ends_at=self.before[1])
        period = format_period(self.before[0], self.before[1], by.zone, brief=True)
        return UndoResult(f"Earlier meeting time restored: {period}. Both engineers were notified.", part="meeting")
