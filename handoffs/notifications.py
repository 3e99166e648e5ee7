"""Notifications about hand-off meetings."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from common.formatting import format_day, format_duration
from handoffs.models import Handoff
from handoffs.queries.sheets import sheet_text
from notifications.registry import Notification, local_time, paragraphs, register
from people.models import User
from scheduling.models import HolidayBlock

# A message contains the start of a long sheet and links to the rest.
MAX_SHEET_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class HandoffNotification(Notification):
    """What all notifications about one version of a hand-off have in common."""

    identity: ClassVar[tuple[str, ...]] = ("handoff_id", "sequence")
    action = "Open hand-off"

    handoff_id: int
    # Rises with every change of the meeting or its people.
    sequence: int
    rotation: str
    outgoing: str
    incoming: str
    starts_at: dt.datetime
    ends_at: dt.datetime

    @property
    def people(self) -> str:
        """The two engineers, as subjects name them."""
        return f"{self.outgoing} → {self.incoming}"

    def meeting(self, reader: User) -> str:
        """Return the meeting's time and length in the reader's time zone."""
        return f"{local_time(self.starts_at, reader)} ({format_duration(self.ends_at - self.starts_at)})"

    def link(self) -> str:
        return reverse("handoff", args=[self.handoff_id])

    def handoff(self) -> Handoff | None:
        """Return the hand-off with its people, or None if it is gone."""
        return Handoff.objects.with_people().filter(pk=self.handoff_id).first()

    def with_sheet(self, text: str) -> str:
        """Return a text followed by the current sheet."""
        handoff = self.handoff()
        sheet = sheet_text(handoff, at=timezone.now()) if handoff else ""
        return paragraphs(text, Truncator(sheet).chars(MAX_SHEET_CHARACTERS))

    def current_handoff(self) -> Handoff | None:
        """Return the hand-off if it takes place and has not changed since, or None."""
        return Handoff.objects.not_cancelled().filter(pk=self.handoff_id, sequence=self.sequence).first()


def handoff_facts(handoff: Handoff) -> dict[str, Any]:
    """Return the fields of `HandoffNotification`."""
    return {
        "handoff_id": handoff.pk,
        "sequence": handoff.sequence,
        "rotation": str(handoff.rotation),
        "outgoing": str(handoff.outgoing),
        "incoming": str(handoff.incoming),
        "starts_at": handoff.meeting_starts_at,
        "ends_at": handoff.meeting_ends_at,
    }


def is_attendee(person: User, handoff: Handoff) -> bool:
    """Return True if the person hands over or takes over in this hand-off, and it is not cancelled."""
    return handoff.cancelled_at is None and person.pk in (handoff.outgoing_id, handoff.incoming_id)


@register
@dataclass(frozen=True, slots=True)
class HandoffInvitation(HandoffNotification):
    """An invitation to a hand-off meeting, or its new time."""

    name = "handoff-invitation"
    label = "Hand-off invitation"

    def subject(self, reader: User) -> str:
        return f"Hand-off: {self.people} ({self.rotation})"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.outgoing} hands {self.rotation} over to {self.incoming}.", f"Meeting: {self.meeting(reader)}"
        )

    def delivery_body(self, reader: User) -> str:
        return self.with_sheet(self.body(reader))

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        handoff = self.current_handoff()
        return handoff is not None and is_attendee(recipient, handoff)


@register
@dataclass(frozen=True, slots=True)
class HandoffCancellation(HandoffNotification):
    """A meeting was cancelled, or goes on without the recipient."""

    name = "handoff-cancelled"
    label = "Hand-off cancelled"

    # False if only the recipient is no longer in it.
    for_everyone: bool

    def subject(self, reader: User) -> str:
        return f"Cancelled: hand-off {self.people} ({self.rotation})"

    def body(self, reader: User) -> str:
        if self.for_everyone:
            reason = "The on-call engineer does not change, so there is no hand-off."
        else:
            reason = "Someone else takes your place."
        return f"You no longer need to attend the hand-off on {local_time(self.starts_at, reader)}. {reason}"

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        handoff = self.handoff()
        return handoff is not None and not is_attendee(recipient, handoff)


@register
@dataclass(frozen=True, slots=True)
class HandoffReminder(HandoffNotification):
    """A hand-off meeting is soon."""

    name = "handoff-reminder"
    label = "Hand-off reminder"
    identity = ("handoff_id", "sequence", "minutes_before")

    minutes_before: int

    def subject(self, reader: User) -> str:
        if self.minutes_before < dt.timedelta(days=1) // dt.timedelta(minutes=1):
            return f"Hand-off in {self.minutes_before} min: {self.people}"
        return f"Hand-off on {format_day(self.starts_at.astimezone(reader.zone), 'brief')}: {self.people}"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.outgoing} hands {self.rotation} over to {self.incoming}.",
            f"Meeting: {self.meeting(reader)}",
            "Check the sheet before the meeting.",
        )

    def delivery_body(self, reader: User) -> str:
        return self.with_sheet(self.body(reader))

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        handoff = self.current_handoff()
        return handoff is not None and is_attendee(recipient, handoff)


@register
@dataclass(frozen=True, slots=True)
class HandoffConflict(HandoffNotification):
    """An attendee is away at the time of the meeting."""

    name = "handoff-conflict"
    label = "Hand-off conflict"
    identity = ("handoff_id", "sequence", "absence_id")

    absence_id: int
    engineer: str
    # Such as "on holiday 21–25 Dec".
    reason: str

    def subject(self, reader: User) -> str:
        return f"Hand-off conflict: {self.engineer} is away ({self.people})"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.engineer} is {self.reason}, during the hand-off meeting of {self.rotation}: {self.meeting(reader)}",
            "Either attendee or an admin can move the meeting.",
        )

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        handoff = self.current_handoff()
        if handoff is None:
            return False
        overlap = {"starts_at__lt": handoff.meeting_ends_at, "ends_at__gt": handoff.meeting_starts_at}
        return HolidayBlock.objects.filter(pk=self.absence_id, **overlap).exists()


@register
@dataclass(frozen=True, slots=True)
class HandoffSignatureReset(HandoffNotification):
    """The people or the time of a hand-off changed after somebody had signed it."""

    name = "handoff-signatures-cleared"
    label = "Hand-off signatures cleared"

    def subject(self, reader: User) -> str:
        return f"Signatures cleared: hand-off {self.people} ({self.rotation})"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"The hand-off of {self.rotation} changed after it was signed, so its signatures no longer count.",
            f"It is now from {self.outgoing} to {self.incoming}. Meeting: {self.meeting(reader)}",
        )

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        handoff = self.current_handoff()
        return handoff is not None and not handoff.is_locked


@register
@dataclass(frozen=True, slots=True)
class UnsignedHandoff(HandoffNotification):
    """A hand-off is over and not signed by both engineers."""

    name = "handoff-unsigned"
    label = "Hand-off not signed"

    def subject(self, reader: User) -> str:
        return f"Hand-off not signed: {self.people} ({self.rotation})"

    def body(self, reader: User) -> str:
        handoff = self.handoff()
        missing = []
        if handoff is None or handoff.signed_outgoing_at is None:
            missing.append(f"{self.outgoing} has not signed “handed over”.")
        if handoff is None or handoff.signed_incoming_at is None:
            missing.append(f"{self.incoming} has not signed “taken over”.")
        if handoff is not None and handoff.has_lost_engineer:
            return paragraphs(
                " ".join(missing), "An engineer who has to sign left. Open the sheet to close the hand-off."
            )
        return paragraphs(" ".join(missing), "Open the sheet to sign.")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        handoff = self.handoff()
        return handoff is not None and not handoff.is_locked
