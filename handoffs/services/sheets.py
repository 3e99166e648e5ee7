"""Edit hand-off sheets: notes under topics, and the signatures that freeze a sheet."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_instant
from handoffs.models import MAX_NOTE_CHARACTERS, SIGNING_LEAD_TIME, Handoff, HandoffNote
from handoffs.queries.handoffs import next_handoffs
from handoffs.queries.sheets import handoff_sheets
from handoffs.services.meetings import lock_handoff, lock_open, move_meeting
from people.models import User

CANCELLED_TEXT = "This hand-off is cancelled because the on-call engineer no longer changes."


@dataclass(frozen=True, slots=True)
class NoteChange:
    """A new text of a topic's note and the version that it is based on: 0 for a topic without notes."""

    text: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class NoteConflict:
    """A note that changed since it was read: the current text with its version and author, and the text that was sent."""

    title: str
    current: str
    version: int
    edited_by: str
    yours: str


class NoteConflictError(DomainError):
    """Someone else has changed a note since. Nothing was saved."""

    def __init__(self, conflicts: list[NoteConflict]) -> None:
        titles = ", ".join(f"“{conflict.title.removesuffix('.')}”" for conflict in conflicts)
        authors = " and ".join(sorted({conflict.edited_by for conflict in conflicts}))
        super().__init__(
            f"{authors} changed the notes on {titles} while you were editing. Nothing was saved: merge both texts, then save.",
            conflicts=[
                {
                    "title": conflict.title,
                    "current": conflict.current,
                    "yours": conflict.yours,
                    "version": conflict.version,
                    "edited_by": conflict.edited_by,
                }
                for conflict in conflicts
            ],
        )
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class SheetChange:
    """Changes to a hand-off: notes by topic title, and the meeting time."""

    notes: Mapping[str, NoteChange] = field(default_factory=dict)
    meeting_starts_at: dt.datetime | None = None
    meeting_ends_at: dt.datetime | None = None


@transaction.atomic
def change_sheet(handoff: Handoff, *, change: SheetChange, by: User, at: dt.datetime) -> Handoff:
    """Save notes and move the meeting in one transaction; return the row.

    Every user can write notes (docs/rules.md, Roles and permissions). Raise DomainError if the hand-off is signed or
    cancelled, NoteConflictError if a note has changed since, InvalidInputError for invalid notes, and the errors of
    `move_meeting`.
    """
    row = lock_open(handoff)
    if change.notes:
        _write_notes(row, change.notes, by=by, at=at)
    if change.meeting_starts_at or change.meeting_ends_at:
        row = move_meeting(row, by=by, at=at, starts_at=change.meeting_starts_at, ends_at=change.meeting_ends_at)
    return row


def _write_notes(row: Handoff, notes: Mapping[str, NoteChange], *, by: User, at: dt.datetime) -> None:
    current = {topic.title: topic for topic in handoff_sheets([row], at=at)[row.pk]}
    unknown = sorted(set(notes) - set(current))
    if unknown:
        raise InvalidInputError({"topics": [f"The sheet has no topic “{title}”." for title in unknown]})
    if any(len(note.text) > MAX_NOTE_CHARACTERS for note in notes.values()):
        raise InvalidInputError({"topics": [f"A note can have at most {MAX_NOTE_CHARACTERS:,} characters."]})
    changed = {title: note for title, note in notes.items() if note.text != current[title].notes}
    stored = {note.title: note for note in row.notes.select_related("edited_by").filter(title__in=list(changed))}
    conflicts = [
        NoteConflict(title, stored[title].text, stored[title].version, str(stored[title].edited_by), note.text)
        for title, note in changed.items()
        if title in stored and stored[title].version != note.version
    ]
    if conflicts:
        raise NoteConflictError(conflicts)
    for title, note in changed.items():
        version = stored[title].version + 1 if title in stored else 1
        values = {"text": note.text, "version": version, "edited_by": by, "edited_at": at}
        HandoffNote.objects.update_or_create(handoff=row, title=title, defaults=values)


@transaction.atomic
def sign_handoff(
    handoff: Handoff,
    *,
    by: User,
    at: dt.datetime,
    notes: Mapping[str, NoteChange] | None = None,
    confirm_early: bool = False,
) -> Handoff:
    """Sign as the outgoing or incoming engineer. The second signature freezes the sheet.

    Signing opens a day before the hand-off. Before the meeting it needs `confirm_early`.

    The signer's notes, by topic title, are saved first. Raise InvalidInputError and NoteConflictError for notes,
    NotAllowedError for anyone else, including admins (docs/rules.md, Roles and permissions), and DomainError if this person
    has already signed, it is too early, or the hand-off is closed or cancelled.
    """
    row = lock_handoff(handoff)
    if by not in row.people:
        raise NotAllowedError("Only the outgoing and the incoming engineer can sign this hand-off.")
    name = _signature(row, by)
    if row.cancelled_at is not None:
        raise DomainError(CANCELLED_TEXT)
    if row.closed_at is not None:
        raise DomainError(f"{row.closed_by} closed this hand-off.")
    if getattr(row, name) is not None:
        raise DomainError("You have already signed this hand-off.")
    _check_signing_time(row, at=at, reader=by, confirm_early=confirm_early)
    if notes:
        _write_notes(row, notes, by=by, at=at)
    setattr(row, name, at)
    if row.is_signed:
        row.frozen = _snapshot(row, at=at)
    row.save(update_fields=[name, "frozen"])
    return row


def _check_signing_time(row: Handoff, *, at: dt.datetime, reader: User, confirm_early: bool) -> None:
    opens_at = row.at - SIGNING_LEAD_TIME
    if at < opens_at:
        raise DomainError(f"You can sign from {format_instant(opens_at, reader.zone)}, a day before the hand-off.")
    if at < min(row.meeting_starts_at, row.at) and not confirm_early:
        raise DomainError("The meeting has not started. Confirm that you want to sign early.", confirm="confirm_early")


@transaction.atomic
def withdraw_signature(handoff: Handoff, *, by: User) -> Handoff:
    """Withdraw a signature while the other engineer has not signed. Raise NotAllowedError or DomainError."""
    row = lock_handoff(handoff)
    if by not in row.people:
        raise NotAllowedError("Only the outgoing and the incoming engineer can withdraw a signature.")
    if row.is_locked:
        raise DomainError("This hand-off is complete. Its signatures cannot be withdrawn.")
    name = _signature(row, by)
    if getattr(row, name) is None:
        raise DomainError("You have not signed this hand-off.")
    setattr(row, name, None)
    row.save(update_fields=[name])
    return row


@transaction.atomic
def close_handoff(handoff: Handoff, *, by: User, at: dt.datetime) -> Handoff:
    """Close a hand-off whose missing signer was deactivated, and freeze its sheet.

    An admin, the other engineer, or the incoming engineer of the rotation's next hand-off can close it. Raise NotAllowedError for
    anyone else, and DomainError if both can still sign or the hand-off is in the future, signed, closed or cancelled.
    """
    row = lock_handoff(handoff)
    if not may_close(row, by, at=at):
        raise NotAllowedError("Only an admin, the other engineer or the next on-call engineer can close this hand-off.")
    if row.is_locked:
        raise DomainError("This hand-off is already closed.")
    if not row.has_lost_engineer:
        raise DomainError("Both engineers are active. They can still sign.")
    if row.at > at:
        raise DomainError(f"This hand-off can be closed after {format_instant(row.at, by.zone)}.")
    row.closed_at, row.closed_by, row.frozen = at, by, _snapshot(row, at=at)
    row.save(update_fields=["closed_at", "closed_by", "frozen"])
    return row


def may_close(row: Handoff, person: User, *, at: dt.datetime) -> bool:
    """Return True if the person can close the hand-off when a signer has left."""
    if person.is_staff or person in row.people:
        return True
    return any(person in following.people for following in next_handoffs(at=at, rotations=[row.rotation]))


def _signature(row: Handoff, person: User) -> str:
    return "signed_outgoing_at" if person == row.outgoing else "signed_incoming_at"


def _snapshot(row: Handoff, *, at: dt.datetime) -> list[dict[str, object]]:
    return [topic.to_json() for topic in handoff_sheets([row], at=at)[row.pk]]
