"""What the Undo buttons of time off, rotations, rosters, covers, swap requests and cover requests do."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import ClassVar

from django.db import transaction
from django.urls import reverse

from common.exceptions import DomainError
from common.formatting import format_period
from people.models import User
from people.undo import Undo, UndoResult, register
from scheduling.domain.sentences import cover_sentence
from scheduling.domain.wall_time import to_utc
from scheduling.loaders import rotation_hours
from scheduling.models import Cover, CoverRequest, HolidayBlock, Rotation, SwapRequest
from scheduling.queries.on_call import assignments_between
from scheduling.services.answers import Answer, undo_cover_answer, undo_swap_answer
from scheduling.services.cover_requests import CoverProposal, cancel_cover_request, request_cover
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday, holiday_data, update_holiday
from scheduling.services.locks import lock_active_rotation, lock_availability, lock_rotation
from scheduling.services.rosters import change_roster
from scheduling.services.rotations import archive_rotation, update_rotation
from scheduling.services.snapshots import ScheduleSnapshot, restore_schedule
from scheduling.services.swaps import SwapProposal, cancel_swap, request_swap

ANSWER_UNDONE = "Answer undone. The request is open again"


def _request_result(text: str, row: SwapRequest | CoverRequest, *, by: User) -> UndoResult:
    """Return what happened to a request, and its page."""
    page = "swap" if isinstance(row, SwapRequest) else "cover_request"
    return UndoResult(f"{text}: {row.subject_for(by)}.", reverse(page, args=[row.pk]))


@register
@dataclass(frozen=True, slots=True)
class UndoAddTimeOff(Undo):
    """Delete time off that was added."""

    name: ClassVar[str] = "time-off.add"

    block: int
    saved: HolidayData

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Delete it, unless it has since changed or been deleted."""
        block = _unchanged_block(self.block, saved=self.saved)
        delete_holiday(block, by=by)
        return UndoResult(f"Time off {block.days} deleted.", _month(self.saved.starts_on))


@register
@dataclass(frozen=True, slots=True)
class UndoChangeTimeOff(Undo):
    """Restore the dates, kind and note of time off."""

    name: ClassVar[str] = "time-off.change"

    block: int
    before: HolidayData
    saved: HolidayData

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore them, unless it has since changed or been deleted."""
        block = update_holiday(_unchanged_block(self.block, saved=self.saved), data=self.before, by=by)
        return UndoResult(f"Time off changed back to {block.days}.", _month(self.before.starts_on))


@register
@dataclass(frozen=True, slots=True)
class UndoDeleteTimeOff(Undo):
    """Add time off again that was deleted."""

    name: ClassVar[str] = "time-off.delete"

    engineer: int
    deleted: HolidayData

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Add it, unless the same time off is there again."""
        block = create_holiday(User.objects.get(pk=self.engineer), data=self.deleted, by=by)
        return UndoResult(f"Time off {block.days} restored.", _month(self.deleted.starts_on))


@dataclass(frozen=True, slots=True)
class UndoScheduleChange(Undo):
    """Restore the schedule of a rotation."""

    rotation: int
    before: ScheduleSnapshot
    # The digest of the schedule after the action.
    saved: str

    why: ClassVar[str]
    done: ClassVar[str]

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore it, unless it has since changed or a restored shift has started."""
        row = Rotation.objects.get(pk=self.rotation)
        rotation = restore_schedule(row, before=self.before, saved=self.saved, why=self.why.format(row), by=by, at=at)
        return UndoResult(self.done.format(rotation), reverse("schedule"))


@register
@dataclass(frozen=True, slots=True)
class UndoArchiveRotation(UndoScheduleChange):
    """Make an archived rotation active again, with its schedule, pipelines and requests."""

    name: ClassVar[str] = "rotation.archive"
    why = "{} is active again."
    done = "Rotation “{}” restored."


@register
@dataclass(frozen=True, slots=True)
class UndoChangeRoster(UndoScheduleChange):
    """Restore the earlier roster of a rotation."""

    name: ClassVar[str] = "rotation.roster"
    why = "The earlier roster of {} was restored."
    done = "Earlier roster of {} restored."


@transaction.atomic
def archive_with_undo(rotation: Rotation, *, by: User, at: dt.datetime) -> UndoArchiveRotation:
    """Archive a rotation; return its undo action. Raises the same errors as `archive_rotation`."""
    row = lock_rotation(rotation)
    before = ScheduleSnapshot.load(row, since=at)
    archive_rotation(row, by=by, at=at)
    return UndoArchiveRotation(row.pk, before, ScheduleSnapshot.load(row, since=at).digest)


@transaction.atomic
def change_roster_with_undo(
    rotation: Rotation, *, engineers: Sequence[User], starts_on: dt.date, by: User, at: dt.datetime
) -> UndoChangeRoster:
    """Change a roster; return its undo action. Raises the same errors as `change_roster`."""
    row = lock_rotation(rotation)
    hours = rotation_hours(row)
    since = to_utc(starts_on, hours.hour, zone=hours.zone)
    before = ScheduleSnapshot.load(row, since=since)
    change_roster(row, engineers=engineers, starts_on=starts_on, by=by, at=at)
    return UndoChangeRoster(row.pk, before, ScheduleSnapshot.load(row, since=since).digest)


@dataclass(frozen=True, slots=True)
class RotationValues:
    """A rotation's name, description, hand-off and weekly drill."""

    name: str
    description: str
    time_zone: str
    handoff_weekday: int
    handoff_time: dt.time
    weekly_drill: bool
    drill_weekday: int
    drill_time: dt.time

    @classmethod
    def load(cls, rotation: Rotation) -> "RotationValues":
        """Return the values of a rotation."""
        return cls(**{field.name: getattr(rotation, field.name) for field in fields(cls)})


@register
@dataclass(frozen=True, slots=True)
class UndoCreateRotation(Undo):
    """Archive a rotation that was created."""

    name: ClassVar[str] = "rotation.create"

    rotation: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Archive it unless it is already archived."""
        rotation = Rotation.objects.get(pk=self.rotation)
        archive_rotation(rotation, by=by, at=at)
        return UndoResult(f"Rotation “{rotation}” archived.", reverse("schedule"))


@register
@dataclass(frozen=True, slots=True)
class UndoSaveRotation(Undo):
    """Restore the name, description, hand-off and weekly drill of a rotation."""

    name: ClassVar[str] = "rotation.save"

    rotation: int
    before: RotationValues
    saved: RotationValues

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore them unless they have since changed or the rotation is archived."""
        rotation = lock_active_rotation(Rotation.objects.get(pk=self.rotation))
        if RotationValues.load(rotation) != self.saved:
            raise DomainError("This rotation has since been changed.")
        update_rotation(rotation, **asdict(self.before), by=by, at=at)
        return UndoResult("Earlier settings restored.", reverse("schedule"))


def _unchanged_block(pk: int, *, saved: HolidayData) -> HolidayBlock:
    """Lock and return time off; raise DomainError if it is not as it was saved."""
    rows = HolidayBlock.objects.select_related("engineer").filter(pk=pk)
    if (unlocked := rows.first()) is not None:
        lock_availability(unlocked.engineer)
    block: HolidayBlock | None = rows.all().first()
    if block is None:
        raise DomainError("This time off has since been deleted.")
    if holiday_data(block) != saved:
        raise DomainError("This time off has since changed. Edit or delete it in the calendar.")
    return block


def _month(day: dt.date) -> str:
    return reverse("calendar_month", args=[day.year, day.month])


@dataclass(frozen=True, slots=True)
class CoverPart:
    """A part of a cover: who covers for whom, and when."""

    engineer: int
    covered: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str

    @classmethod
    def load(cls, cover: Cover) -> "CoverPart":
        """Return the values of a row."""
        return cls(cover.engineer_id, cover.covered_engineer_id, cover.starts_at, cover.ends_at, cover.reason)


@register
@dataclass(frozen=True, slots=True)
class UndoCreateCover(Undo):
    """End a cover that was created."""

    name: ClassVar[str] = "cover.create"

    cover: int
    saved: CoverPart

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """End it, unless it has since changed or ended."""
        row = Cover.objects.select_related("rotation").filter(pk=self.cover).first()
        if row is not None:
            lock_rotation(row.rotation)
            row = Cover.objects.select_related("rotation", "engineer").filter(pk=self.cover).first()
        if row is None:
            raise DomainError("This cover has since ended.")
        if CoverPart.load(row) != self.saved:
            raise DomainError("This cover has since changed. End it on the rotation page.")
        period = format_period(row.starts_at, row.ends_at, by.zone, brief=True)
        end_cover(row, by=by, at=at)
        return UndoResult(f"Cover by {row.engineer} removed: {period}.", reverse("schedule"))


@register
@dataclass(frozen=True, slots=True)
class UndoEndCover(Undo):
    """Restore a cover that was ended."""

    name: ClassVar[str] = "cover.end"

    rotation: int
    parts: tuple[CoverPart, ...]

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore what is left of it, unless part of that time has since been covered or swapped."""
        rotation = lock_rotation(Rotation.objects.get(pk=self.rotation))
        people = User.objects.in_bulk([key for part in self.parts for key in (part.engineer, part.covered)])
        parts = [part for part in self.parts if part.ends_at > at]
        if not parts:
            raise DomainError("This cover is in the past.")
        for part in parts:
            starts_at = max(part.starts_at, at)
            for assigned in assignments_between(rotation, starts_at=starts_at, ends_at=part.ends_at):
                if assigned.engineer.pk != part.covered:
                    raise DomainError(f"{assigned.engineer} is now on call for part of that time.")
            data = CoverData(people[part.engineer], starts_at, part.ends_at, part.reason)
            create_cover(rotation, data=data, by=by, at=at, acknowledge_conflicts=True)
        sentence = cover_sentence(
            people[parts[0].engineer].person,
            covered=[people[part.covered].person for part in parts],
            periods=[(max(part.starts_at, at), part.ends_at) for part in parts],
            reader=by.person,
            zone=by.zone,
        )
        return UndoResult(f"Cover restored. {sentence}")


@register
@dataclass(frozen=True, slots=True)
class UndoRequestSwap(Undo):
    """Withdraw a swap request."""

    name: ClassVar[str] = "swap.request"

    swap: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Withdraw it, unless it is answered or closed."""
        row = cancel_swap(SwapRequest.objects.get(pk=self.swap), by=by, at=at)
        return _request_result("Request withdrawn", row, by=by)


@register
@dataclass(frozen=True, slots=True)
class UndoWithdrawSwap(Undo):
    """Send a swap request again that was withdrawn."""

    name: ClassVar[str] = "swap.withdraw"

    swap: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Send it, unless it is no longer possible."""
        row = SwapRequest.objects.select_related("rotation", "counterpart", "third").get(pk=self.swap)
        proposal = SwapProposal(
            row.offered_week,
            wanted_week=row.wanted_week,
            counterpart=row.counterpart,
            third_week=row.third_week,
            third=row.third,
            message=row.message,
            acknowledge_conflicts=row.acknowledged,
        )
        sent = request_swap(row.rotation, proposal=proposal, by=by, at=at)
        return _request_result("Request sent again", sent, by=by)


@register
@dataclass(frozen=True, slots=True)
class UndoRequestCover(Undo):
    """Withdraw a cover request."""

    name: ClassVar[str] = "cover-request.request"

    request: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Withdraw it, unless it is accepted or closed."""
        row = cancel_cover_request(CoverRequest.objects.get(pk=self.request), by=by, at=at)
        return _request_result("Request withdrawn", row, by=by)


@register
@dataclass(frozen=True, slots=True)
class UndoWithdrawCoverRequest(Undo):
    """Send a cover request again that was withdrawn."""

    name: ClassVar[str] = "cover-request.withdraw"

    request: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Send it for the time that is left, unless it is no longer possible."""
        row = CoverRequest.objects.select_related("rotation", "counterpart").get(pk=self.request)
        proposal = CoverProposal(max(row.starts_at, at), row.ends_at, counterpart=row.counterpart, message=row.message)
        sent = request_cover(row.rotation, proposal=proposal, by=by, at=at)
        return _request_result("Request sent again", sent, by=by)


@register
@dataclass(frozen=True, slots=True)
class UndoSwapAnswer(Undo):
    """Reopen a swap request that was accepted or declined, and return its weeks."""

    name: ClassVar[str] = "swap.answer"

    answer: Answer

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Reopen it, unless something depends on the answer."""
        row = undo_swap_answer(self.answer, by=by, at=at)
        return _request_result(ANSWER_UNDONE, row, by=by)


@register
@dataclass(frozen=True, slots=True)
class UndoCoverRequestAnswer(Undo):
    """Reopen a cover request that was accepted or declined, and end its covers."""

    name: ClassVar[str] = "cover-request.answer"

    answer: Answer

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Reopen it, unless something depends on the answer."""
        row = undo_cover_answer(self.answer, by=by, at=at)
        return _request_result(ANSWER_UNDONE, row, by=by)
