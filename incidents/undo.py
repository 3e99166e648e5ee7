"""What the Undo buttons of incidents do."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction
from django.urls import reverse

from common.exceptions import DomainError
from common.formatting import format_instant
from incidents.models import Incident
from incidents.services.transitions import Snooze, delete_note, lock_incident, restore_snooze, update_incident
from people.models import User
from people.undo import Undo, UndoResult, register


@register
@dataclass(frozen=True, slots=True)
class UndoNote(Undo):
    """Remove a note from an incident's timeline."""

    name: ClassVar[str] = "incident.note"

    incident: int
    entry: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Remove it, unless it no longer exists."""
        delete_note(Incident.objects.get(pk=self.incident), entry=self.entry, by=by)
        return UndoResult("Note removed.", reverse("incident", args=[self.incident]), "timeline")


@register
@dataclass(frozen=True, slots=True)
class UndoSnooze(Undo):
    """Remove a snooze."""

    name: ClassVar[str] = "incident.snooze"

    incident: int
    before: Snooze
    saved: dt.datetime

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Remove it, unless the incident has since been snoozed again, reassigned or resolved."""
        row = restore_snooze(Incident.objects.get(pk=self.incident), before=self.before, saved=self.saved, by=by, at=at)
        if row.snoozed_until is None:
            return UndoResult("Snooze ended.")
        return UndoResult(f"Snoozed until {format_instant(row.snoozed_until, by.zone, brief=True)}, as before.")


@register
@dataclass(frozen=True, slots=True)
class UndoEdit(Undo):
    """Restore the kind, severity, title and text of an incident."""

    name: ClassVar[str] = "incident.edit"

    incident: int
    before: dict[str, str]
    saved: dict[str, str]

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore them, unless someone has edited the incident since."""
        row = lock_incident(Incident.objects.get(pk=self.incident))
        if {name: getattr(row, name) for name in self.saved} != self.saved:
            raise DomainError("This incident has since been edited.")
        update_incident(row, by=by, at=at, **self.before)
        return UndoResult("Edit undone.")
