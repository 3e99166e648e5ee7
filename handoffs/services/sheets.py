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

LONGEST_NOTE = 20_000


@dataclass(frozen=True, slots=True)
class SheetChange:
    """Changes to a hand-off: notes by topic title, and the meeting time."""

    notes: Mapping[str, str] = field(default_factory=dict)
    meeting_starts_at: dt.datetime | None = None
    meeting_ends_at: dt.datetime | None = None


@transaction.atomic
def change_sheet(handoff: Handoff, *, change: SheetChange, by: User, at: dt.datetime) -> Handoff:
    """Save notes and move the meeting in one transaction; return the row.

    Every user can write notes (docs/rules.md, Roles and permissions). Raises Refused if the hand-off is signed or cancelled, Invalid
    by field, and the errors of `move_meeting` for the meeting time.
    """
    row = lock_open(handoff)
    if change.notes:
        _write_notes(row, change.notes, by=by, at=at)
    if change.meeting_starts_at or change.meeting_ends_at:
        row = move_meeting(row, by=by, at=at, starts_at=change.meeting_starts_at, ends_at=change.meeting_ends_at)
    return row


def _write_notes(row: Handoff, notes: Mapping[str, str], *, by: User, at: dt.datetime) -> None:
    there = {topic.title: topic.notes for topic in handoff_sheets([row], at=at)[row.pk]}
    unknown = sorted(set(notes) - set(there))
    if unknown:
        raise InvalidInputError({"topics": [f"The sheet has no topic “{title}”." for title in unknown]})
    if any(len(text) > LONGEST_NOTE for text in notes.values()):
        raise InvalidInputError({"topics": [f"A note has at most {LONGEST_NOTE:,} characters."]})
    for title, text in notes.items():
        if text != there[title]:
            HandoffNote.objects.update_or_create(
                handoff=row, title=title, defaults={"text": text, "edited_by": by, "edited_at": at}
            )


@transaction.atomic
def sign_handoff(handoff: Handoff, *, by: User, at: dt.datetime, notes: Mapping[str, str] | None = None) -> Handoff:
    """Sign as the outgoing or incoming engineer. The second signature freezes the sheet.

    The signer's notes, by topic title, are saved first. Raises Invalid for invalid notes, Forbidden for anyone else, including
    admins (docs/rules.md, Roles and permissions), and Refused if this person has already signed or the hand-off is cancelled.
    """
    row = Handoff.objects.select_for_update(no_key=True, of=("self",)).with_people().get(pk=handoff.pk)
    if by not in row.people:
        raise NotAllowedError("A hand-off is signed by who hands over and who takes over.")
    if row.cancelled_at is not None:
        raise DomainError("This hand-off is cancelled: the week no longer changes hands.")
    name = "signed_outgoing_at" if by == row.outgoing else "signed_incoming_at"
    if getattr(row, name) is not None:
        raise DomainError("You have signed this hand-off already.")
    if notes:
        _write_notes(row, notes, by=by, at=at)
    sheet = handoff_sheets([row], at=at)[row.pk]
    setattr(row, name, at)
    if row.is_signed:
        row.frozen = [topic.written() for topic in sheet]
    row.save(update_fields=[name, "frozen"])
    return row
