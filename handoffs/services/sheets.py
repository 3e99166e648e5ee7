"""Edit hand-off sheets: notes under topics, and the two signatures that freeze a sheet."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from handoffs.models import Handoff, HandoffNote
from handoffs.queries.sheets import handoff_sheets
from handoffs.services.meetings import lock_open, move_meeting
from people.models import User

MAX_NOTE_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class SheetChange:
    """Changes to a hand-off: notes by topic title, and the meeting time."""

    notes: Mapping[str, str] = field(default_factory=dict)
    meeting_starts_at: dt.datetime | None = None
    meeting_ends_at: dt.datetime | None = None


@transaction.atomic
def change_sheet(handoff: Handoff, *, change: SheetChange, by: User, at: dt.datetime) -> Handoff:
    """Save notes and move the meeting in one transaction; return the row.

    Every user can write notes (docs/rules.md, Roles and permissions). Raise DomainError if the hand-off is signed or
    cancelled, InvalidInputError for invalid notes, and the errors of `move_meeting`.
    """
    row = lock_open(handoff)
    if change.notes:
        _write_notes(row, change.notes, by=by, at=at)
    if change.meeting_starts_at or change.meeting_ends_at:
        row = move_meeting(row, by=by, at=at, starts_at=change.meeting_starts_at, ends_at=change.meeting_ends_at)
    return row


def _write_notes(row: Handoff, notes: Mapping[str, str], *, by: User, at: dt.datetime) -> None:
    current = {topic.title: topic.notes for topic in handoff_sheets([row], at=at)[row.pk]}
    unknown = sorted(set(notes) - set(current))
    if unknown:
        raise InvalidInputError({"topics": [f"The sheet has no topic “{title}”." for title in unknown]})
    if any(len(text) > MAX_NOTE_CHARACTERS for text in notes.values()):
        raise InvalidInputError({"topics": [f"A note can have at most {MAX_NOTE_CHARACTERS:,} characters."]})
    for title, text in notes.items():
        if text != current[title]:
            HandoffNote.objects.update_or_create(
                handoff=row, title=title, defaults={"text": text, "edited_by": by, "edited_at": at}
            )


@transaction.atomic
def sign_handoff(handoff: Handoff, *, by: User, at: dt.datetime, notes: Mapping[str, str] | None = None) -> Handoff:
    """Sign as the outgoing or incoming engineer. The second signature freezes the sheet.

    The signer's notes, by topic title, are saved first. Raise InvalidInputError for invalid notes, NotAllowedError for
    anyone else, including admins (docs/rules.md, Roles and permissions), and DomainError if this person has already signed
    or the hand-off is cancelled.
    """
    row = Handoff.objects.select_for_update(no_key=True, of=("self",)).with_people().get(pk=handoff.pk)
    if by not in row.people:
        raise NotAllowedError("Only the outgoing and the incoming engineer can sign this hand-off.")
    if row.cancelled_at is not None:
        raise DomainError("This hand-off is cancelled because the on-call engineer no longer changes.")
    name = "signed_outgoing_at" if by == row.outgoing else "signed_incoming_at"
    if getattr(row, name) is not None:
        raise DomainError("You have already signed this hand-off.")
    if notes:
        _write_notes(row, notes, by=by, at=at)
    sheet = handoff_sheets([row], at=at)[row.pk]
    setattr(row, name, at)
    if row.is_signed:
        row.frozen = [topic.to_json() for topic in sheet]
    row.save(update_fields=[name, "frozen"])
    return row
