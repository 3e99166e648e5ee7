"""Notifications about the schedule: shifts, swaps, covers, time off and coverage gaps."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.urls import reverse

from common.formatting import format_day
from notifications.registry import Notification, dedup_key, local_period, local_time, paragraphs, register
from notifications.services.outbox import enqueue
from people.domain.person import Person
from people.models import User
from scheduling.domain.weeks import Move
from scheduling.models import (
    Cover,
    CoverageGap,
    CoverRequest,
    HolidayBlock,
    RequestQuerySet,
    Rotation,
    RotationWeek,
    SwapRequest,
)
from scheduling.queries.on_call import MIN_LOOKAHEAD, responder_chains
from scheduling.queries.stints import Stint, on_call_stints, stints_since
from scheduling.queries.swaps import recipients

# A change to an engineer's upcoming shifts stays worth sending for this long.
NEWS_LIFETIME = dt.timedelta(days=7)
# The start or end of a shift is not worth sending half a day later.
SHIFT_CHANGE_LIFETIME = dt.timedelta(hours=12)
URGENT_GAP_PERIOD = dt.timedelta(days=1)
MAX_LISTED = 20


def shorten(lines: Sequence[str]) -> str:
    """Return the lines as text; a long list ends with a count of the rest."""
    listed = list(lines) if len(lines) <= MAX_LISTED else [*lines[:MAX_LISTED], f"and {len(lines) - MAX_LISTED} more"]
    return "\n".join(listed)


def admins() -> list[User]:
    """Return the active admins."""
    return list(User.objects.get_queryset().admins())


# Covers


def is_open_for(recipient: User, rows: RequestQuerySet, *, at: dt.datetime) -> bool:
    """Return True if the request in `rows` is open at `at`, and is the recipient's or awaits their answer."""
    request = rows.pending().filter(expires_at__gt=at).first()
    return request is not None and (recipient.pk == request.requester_id or request.awaits_answer_from(recipient))


@dataclass(frozen=True, slots=True)
class _CoverNotification(Notification):
    """What both notifications about a cover have in common."""

    cover_id: int
    rotation: str
    engineer: str
    covered_engineer: str
    starts_at: dt.datetime
    ends_at: dt.datetime

    def link(self) -> str:
        return reverse("schedule")


@register
@dataclass(frozen=True, slots=True)
class NewCover(_CoverNotification):
    """An engineer covers part of another's shift."""

    name = "cover-created"
    label = "Cover created"
    identity = ("cover_id",)

    reason: str

    def subject(self, reader: User) -> str:
        return f"{self.engineer} covers {self.covered_engineer} for {self.rotation}"

    def body(self, reader: User) -> str:
        text = f"{self.engineer} is on call for {self.rotation} instead of {self.covered_engineer} from {local_period(self, reader)}."
        return paragraphs(text, self.reason and f"Reason: {self.reason}")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return Cover.objects.filter(pk=self.cover_id, ends_at__gt=at).exists()


@register
@dataclass(frozen=True, slots=True)
class CoverEnd(_CoverNotification):
    """A cover was ended early or cancelled."""

    name = "cover-ended"
    label = "Cover ended or cancelled"
    identity = ("cover_id", "ended_at")

    ended_at: dt.datetime

    def subject(self, reader: User) -> str:
        state = "Ended" if self.starts_at <= self.ended_at else "Cancelled"
        return f"{state}: {self.engineer} covers {self.covered_engineer} for {self.rotation}"

    def body(self, reader: User) -> str:
        state = "ended early" if self.starts_at <= self.ended_at else "was cancelled"
        return f"The cover from {local_period(self, reader)} {state}."


def notify_cover_created(cover: Cover, *, at: dt.datetime) -> None:
    """Notify both engineers of a new cover and its period."""
    notification = NewCover(
        cover_id=cover.pk,
        rotation=str(cover.rotation),
        engineer=str(cover.engineer),
        covered_engineer=str(cover.covered_engineer),
        starts_at=cover.starts_at,
        ends_at=cover.ends_at,
        reason=cover.reason,
    )
    enqueue([cover.engineer, cover.covered_engineer], notification, due_at=at, expires_at=cover.ends_at)


def notify_cover_ended(cover: Cover, *, at: dt.datetime) -> None:
    """Notify both engineers that a cover ended early or was cancelled; `cover` is as it was before."""
    notification = CoverEnd(
        cover_id=cover.pk,
        rotation=str(cover.rotation),
        engineer=str(cover.engineer),
        covered_engineer=str(cover.covered_engineer),
        starts_at=cover.starts_at,
        ends_at=cover.ends_at,
        ended_at=at,
    )
    enqueue([cover.engineer, cover.covered_engineer], notification, due_at=at, expires_at=cover.ends_at)


# Cover requests


@dataclass(frozen=True, slots=True)
class _CoverRequestNotification(Notification):
    """What all notifications about a cover request have in common."""

    identity: ClassVar[tuple[str, ...]] = ("request_id",)
    action = "Open request"

    request_id: int
    requester: str
    rotation: str
    starts_at: dt.datetime
    ends_at: dt.datetime

    def link(self) -> str:
        return reverse("cover_request", args=[self.request_id])


@register
@dataclass(frozen=True, slots=True)
class NewCoverRequest(_CoverRequestNotification):
    """A cover request waits for an answer."""

    name = "cover-requested"
    label = "Cover requested"
    action = "Answer request"

    requester_id: int
    message: str
    # Set if an admin made the request for the requester.
    requested_by: str

    def subject(self, reader: User) -> str:
        return f"Cover requested: {self.requester}, {self.rotation}, {local_time(self.starts_at, reader)}"

    def body(self, reader: User) -> str:
        message = self.message and f"“{self.message}”"
        if reader.pk == self.requester_id:
            text = (
                f"{self.requested_by} requested a cover for you for {self.rotation}, from {local_period(self, reader)}."
            )
            return paragraphs(text, message)
        behalf = f"{self.requested_by} made the request for {self.requester}." if self.requested_by else ""
        text = f"{self.requester} asks you to be on call for {self.rotation} from {local_period(self, reader)}."
        return paragraphs(text, message, behalf, "Accept all or part of it, or decline.")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return is_open_for(recipient, CoverRequest.objects.filter(pk=self.request_id), at=at)


@register
@dataclass(frozen=True, slots=True)
class CoverReminder(NewCoverRequest):
    """A reminder that a cover request waits for an answer."""

    name = "cover-reminder"
    label = "Cover request reminder"
    identity = ("request_id", "reminded_at")

    reminded_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"Reminder: {self.requester} asks for cover, {self.rotation}, {local_time(self.starts_at, reader)}"


@dataclass(frozen=True, slots=True)
class CoverPeriod:
    """A period that was accepted."""

    starts_at: dt.datetime
    ends_at: dt.datetime


@register
@dataclass(frozen=True, slots=True)
class CoverRequestAcceptance(_CoverRequestNotification):
    """An engineer accepted all or part of a cover request."""

    name = "cover-request-accepted"
    label = "Cover request accepted"

    cover_ids: tuple[int, ...]
    engineer: str
    parts: tuple[CoverPeriod, ...]
    # True if some of the time is still open.
    is_partial: bool
    # Set if an admin accepted it for the engineer.
    accepted_by: str

    @property
    def dedup_key(self) -> str:
        """The request and the first of its new covers: a request can be accepted in parts."""
        return dedup_key(self.request_id, self.cover_ids[0])

    def subject(self, reader: User) -> str:
        share = "part of " if self.is_partial else ""
        return f"Cover accepted: {self.engineer} covers {share}{self.requester}’s request, {self.rotation}"

    def body(self, reader: User) -> str:
        lines = [f"{self.engineer} is on call from {local_period(part, reader)}." for part in self.parts]
        remainder = "The rest of the request is still open." if self.is_partial else ""
        return paragraphs("\n".join(lines), self.accepted_by and f"Accepted by {self.accepted_by}.", remainder)

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return Cover.objects.filter(pk__in=self.cover_ids, ends_at__gt=at).exists()


@dataclass(frozen=True, slots=True)
class _CoverRequestClosure(_CoverRequestNotification):
    """A cover request was closed. That can happen again after the answer was undone."""

    identity = ("request_id", "closed_at")

    closed_at: dt.datetime

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return CoverRequest.objects.filter(pk=self.request_id, decided_at=self.closed_at).exists()


@register
@dataclass(frozen=True, slots=True)
class CoverRequestDecline(_CoverRequestClosure):
    """Everyone who was asked for a cover declined."""

    name = "cover-request-declined"
    label = "Cover request declined"

    counterpart: str
    # Set if an admin declined it for the recipient.
    declined_by: str
    reason: str

    def subject(self, reader: User) -> str:
        return f"Cover declined: {self.requester}, {self.rotation}, {local_time(self.starts_at, reader)}"

    def body(self, reader: User) -> str:
        decliners = self.counterpart or "Everyone in the rotation"
        by = f" Declined by {self.declined_by}." if self.declined_by else ""
        on_call = f"{self.requester} stays on call for the time that nobody covers."
        return paragraphs(
            f"{decliners} declined the request to cover from {local_period(self, reader)}.{by}", self.reason, on_call
        )


@register
@dataclass(frozen=True, slots=True)
class CoverRequestExpiry(_CoverRequestClosure):
    """Nobody answered a cover request in time."""

    name = "cover-request-expired"
    label = "Cover request expired"

    def subject(self, reader: User) -> str:
        return f"Cover request expired: {self.requester}, {self.rotation}, {local_time(self.starts_at, reader)}"

    def body(self, reader: User) -> str:
        text = f"Nobody accepted the request to cover {self.requester} from {local_period(self, reader)} in time."
        return paragraphs(text, f"{self.requester} stays on call for the time that nobody covers.")


@register
@dataclass(frozen=True, slots=True)
class CoverRequestCancellation(_CoverRequestClosure):
    """A cover request was withdrawn, or another change superseded it."""

    name = "cover-request-cancelled"
    label = "Cover request withdrawn or superseded"

    outcome: str
    # Set if an admin withdrew it.
    cancelled_by: str
    reason: str

    def subject(self, reader: User) -> str:
        return f"Cover request {self.outcome}: {self.requester}, {self.rotation}, {local_time(self.starts_at, reader)}"

    def body(self, reader: User) -> str:
        by = f" by {self.cancelled_by}" if self.cancelled_by else ""
        return paragraphs(
            f"The request to cover {self.requester} from {local_period(self, reader)} was {self.outcome}{by}.",
            self.reason,
        )


def _reopening_text(
    one: "CoverRequestReopening | SwapReopening", undone: str, *, lines: Sequence[str], reader: User
) -> str:
    """Return who undid what, the lines about each change, and until when the request is open."""
    return paragraphs(
        f"{one.undone_by or one.engineer} undid {undone}.",
        "\n".join(lines),
        f"The request is open until {local_time(one.expires_at, reader)}.",
    )


@register
@dataclass(frozen=True, slots=True)
class CoverRequestReopening(_CoverRequestNotification):
    """An engineer undid their answer to a cover request."""

    name = "cover-request-reopened"
    label = "Cover request reopened"
    identity = ("request_id", "undone_at")

    engineer: str
    undone_at: dt.datetime
    # Set if an admin undid it.
    undone_by: str
    # The covers that ended; none if the engineer had declined.
    parts: tuple[CoverPeriod, ...]
    expires_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"Cover request reopened: {self.requester}, {self.rotation}, {local_time(self.starts_at, reader)}"

    def body(self, reader: User) -> str:
        lines = [
            f"{self.engineer} no longer covers {self.requester} from {local_period(part, reader)}."
            for part in self.parts
        ]
        undone = f"the {'acceptance' if self.parts else 'decline'} of this request"
        return _reopening_text(self, undone, lines=lines, reader=reader)

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return CoverRequest.objects.pending().filter(pk=self.request_id).exists()


def _cover_request_fields(request: CoverRequest) -> dict[str, Any]:
    return {
        "request_id": request.pk,
        "requester": str(request.requester),
        "rotation": str(request.rotation),
        "starts_at": request.starts_at,
        "ends_at": request.ends_at,
    }


def notify_cover_requested(request: CoverRequest, *, people: Sequence[User], at: dt.datetime) -> None:
    """Notify the recipients of a cover request; also the requester, if an admin made the request for them."""
    on_behalf = request.requested_by_id != request.requester_id
    notification = NewCoverRequest(
        **_cover_request_fields(request),
        requester_id=request.requester_id,
        message=request.message,
        requested_by=str(request.requested_by) if on_behalf else "",
    )
    readers = [*people, *([request.requester] if on_behalf else [])]
    enqueue(readers, notification, due_at=at, expires_at=request.expires_at)


def notify_cover_reminder(request: CoverRequest, *, people: Sequence[User], at: dt.datetime) -> None:
    """Remind those who have not answered a cover request."""
    on_behalf = request.requested_by_id != request.requester_id
    notification = CoverReminder(
        **_cover_request_fields(request),
        requester_id=request.requester_id,
        message=request.message,
        requested_by=str(request.requested_by) if on_behalf else "",
        reminded_at=at,
    )
    enqueue(people, notification, due_at=at, expires_at=request.expires_at)


def notify_cover_request_accepted(
    request: CoverRequest, *, covers: Sequence[Cover], by: User, is_partial: bool, at: dt.datetime
) -> None:
    """Notify the requester and the covering engineer of what was accepted; the covers are in order."""
    engineer = covers[0].engineer
    notification = CoverRequestAcceptance(
        **_cover_request_fields(request),
        cover_ids=tuple(cover.pk for cover in covers),
        engineer=str(engineer),
        parts=tuple(CoverPeriod(cover.starts_at, cover.ends_at) for cover in covers),
        is_partial=is_partial,
        accepted_by="" if by.pk == engineer.pk else str(by),
    )
    enqueue([request.requester, engineer], notification, due_at=at, expires_at=covers[-1].ends_at)


def notify_cover_request_closed(request: CoverRequest, *, at: dt.datetime) -> None:
    """Notify the requester and the named recipient that a request closed and no more of it will be covered."""
    people = {person.pk: person for person in (request.requester, request.counterpart) if person}
    outsider = str(request.decided_by) if request.decided_by and request.decided_by.pk not in people else ""
    fields = {**_cover_request_fields(request), "closed_at": at}
    notification: Notification
    if request.state == CoverRequest.State.DECLINED:
        notification = CoverRequestDecline(
            **fields,
            counterpart=str(request.counterpart or ""),
            declined_by=outsider if request.counterpart else "",
            reason=request.reason,
        )
    elif request.state == CoverRequest.State.EXPIRED:
        notification = CoverRequestExpiry(**fields)
    else:
        outcome = "withdrawn" if request.state == CoverRequest.State.CANCELLED else "superseded"
        notification = CoverRequestCancellation(**fields, outcome=outcome, cancelled_by=outsider, reason=request.reason)
    enqueue(people.values(), notification, due_at=at, expires_at=at + NEWS_LIFETIME)


def notify_cover_request_reopened(
    request: CoverRequest, *, covers: Sequence[Cover], engineer: User, by: User, at: dt.datetime
) -> None:
    """Notify the requester and the engineer that an answer was undone; `covers` are those that ended, in order."""
    notification = CoverRequestReopening(
        **_cover_request_fields(request),
        engineer=str(engineer),
        undone_at=at,
        undone_by="" if by.pk == engineer.pk else str(by),
        parts=tuple(CoverPeriod(max(cover.starts_at, at), cover.ends_at) for cover in covers),
        expires_at=request.expires_at,
    )
    enqueue([request.requester, engineer], notification, due_at=at, expires_at=at + NEWS_LIFETIME)


# Coverage gaps


@dataclass(frozen=True, slots=True)
class Gap:
    """A coverage gap of a pipeline, as a notification lists it."""

    gap_id: int
    pipeline: str
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class _CoverageGapNotification(Notification):
    """New coverage gaps. It is obsolete only if all of them are closed, and lists those that are open."""

    admins_only = True

    gaps: tuple[Gap, ...]

    @property
    def dedup_key(self) -> str:
        """The newest gap: each is reported once."""
        return str(max(gap.gap_id for gap in self.gaps))

    def open_gaps(self) -> list[Gap]:
        """Return the gaps that are still stored; all of them if none is, which is then about to be dropped."""
        stored = set(CoverageGap.objects.filter(pk__in=[gap.gap_id for gap in self.gaps]).values_list("pk", flat=True))
        return [gap for gap in self.gaps if gap.gap_id in stored] or list(self.gaps)

    def subject(self, reader: User) -> str:
        first, *others = self.open_gaps()
        return f"Coverage gap: {first.pipeline}" + (f" and {len(others)} more" if others else "")

    def body(self, reader: User) -> str:
        lines = [f"{gap.pipeline}: {local_period(gap, reader)}" for gap in self.open_gaps()]
        return paragraphs("Nobody is available for:", shorten(lines), "Create a cover or move time off.")

    def link(self) -> str:
        return reverse("schedule")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return CoverageGap.objects.filter(pk__in=[gap.gap_id for gap in self.gaps], ends_at__gt=at).exists()


@register
@dataclass(frozen=True, slots=True)
class NewCoverageGap(_CoverageGapNotification):
    """Coverage gaps in the coming weeks."""

    name = "coverage-gap"
    label = "Coverage gap in the coming weeks"


@register
@dataclass(frozen=True, slots=True)
class UrgentCoverageGap(_CoverageGapNotification):
    """Coverage gaps that start within a day."""

    name = "coverage-gap-urgent"
    label = "Coverage gap within 24 hours"
    urgent = True


def notify_coverage_gaps(gaps: Sequence[CoverageGap], *, at: dt.datetime) -> None:
    """Notify the admins of new coverage gaps; gaps within a day are urgent."""
    for cls in (UrgentCoverageGap, NewCoverageGap):
        selected = [gap for gap in gaps if (gap.starts_at < at + URGENT_GAP_PERIOD) == cls.urgent]
        if not selected:
            continue
        notification = cls(
            gaps=tuple(Gap(gap.pk, gap.pipeline.full_name, gap.starts_at, gap.ends_at) for gap in selected)
        )
        enqueue(admins(), notification, due_at=at, expires_at=max(gap.ends_at for gap in selected))


# Time off


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody who responds instead, and the pipelines they respond for."""

    user_id: int
    pipelines: tuple[str, ...]


@register
@dataclass(frozen=True, slots=True)
class TimeOffConflict(Notification):
    """An engineer is away while on call; those who respond instead are notified too."""

    name = "time-off-conflict"
    label = "Time-off conflict"
    identity = ("absence_id", "week_id", "cover_id")

    absence_id: int
    # On call by their own shift, or by covering: one of the two is set.
    week_id: int | None
    cover_id: int | None
    engineer_id: int
    engineer: str
    rotation: str
    week: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    stand_ins: tuple[StandIn, ...]

    def subject(self, reader: User) -> str:
        what = "cover" if self.cover_id else f"on-call week of {format_day(self.week)}"
        if reader.pk == self.engineer_id:
            return f"Time-off conflict: you are away during your {what}"
        return f"You are covering for {self.engineer}, who is away during their {what}"

    def body(self, reader: User) -> str:
        period = f"from {local_period(self, reader)}"
        if reader.pk == self.engineer_id:
            return f"You are on call for {self.rotation} but away {period}.\n\nRequest a swap or a cover."
        pipelines = next((row.pipelines for row in self.stand_ins if row.user_id == reader.pk), ())
        return paragraphs(
            f"{self.engineer} is away {period}.",
            f"Unless the time is swapped or covered, you respond for: {', '.join(pipelines)}.",
        )

    def link(self) -> str:
        return reverse("week", args=[self.week])

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        absence = HolidayBlock.objects.filter(pk=self.absence_id, ends_at__gt=at).first()
        shifts = (
            RotationWeek.objects.filter(pk=self.week_id)
            if self.week_id
            else Cover.objects.filter(pk=self.cover_id or 0)
        )
        row = shifts.filter(engineer=self.engineer_id).select_related("rotation").first()
        return bool(absence and row and conflict_period(row, absence, at=at))


def conflict_key(absence_id: int, *, week_id: int | None = None, cover_id: int | None = None) -> str:
    """Return the dedup key of a time-off conflict."""
    return dedup_key(absence_id, week_id, cover_id)


def conflict_period(
    row: RotationWeek | Cover, absence: HolidayBlock, *, at: dt.datetime
) -> tuple[dt.datetime, dt.datetime] | None:
    """Return from when to when an engineer is on call by this shift or cover and absent, or None.

    Parts of the shift that are covered do not count. Of several periods, it is from the first start to the last end.
    """
    starts_at, ends_at = max(row.starts_at, absence.starts_at, at), min(row.ends_at, absence.ends_at)
    if starts_at >= ends_at:
        return None
    if isinstance(row, Cover):
        return starts_at, ends_at
    stints = on_call_stints(row.rotation, starts_at=starts_at, ends_at=ends_at)
    own = [stint for stint in stints if stint.engineer.pk == row.engineer_id]
    return (own[0].starts_at, own[-1].ends_at) if own else None


def notify_time_off_conflict(row: RotationWeek | Cover, absence: HolidayBlock, *, at: dt.datetime) -> bool:
    """Notify an engineer who is away during their shift or cover, and the responders who step in; return True if they are."""
    period = conflict_period(row, absence, at=at)
    if period is None:
        return False
    starts_at, ends_at = period
    pipelines = {link.pipeline_id: link.pipeline for link in row.rotation.pipelines.select_related("pipeline")}
    by_responder: dict[Person, list[str]] = {}
    for key, chain in responder_chains(pipelines.values(), at=starts_at).items():
        if chain.responder is not None and chain.responder.id != row.engineer_id:
            by_responder.setdefault(chain.responder, []).append(pipelines[key].full_name)
    is_cover = isinstance(row, Cover)
    week = row.rotation.weeks.filter(starts_at__lte=starts_at, ends_at__gt=starts_at).first() if is_cover else row
    notification = TimeOffConflict(
        absence_id=absence.pk,
        week_id=None if is_cover else row.pk,
        cover_id=row.pk if is_cover else None,
        engineer_id=row.engineer_id,
        engineer=str(row.engineer),
        rotation=str(row.rotation),
        week=week.starts_on if isinstance(week, RotationWeek) else starts_at.date(),
        starts_at=starts_at,
        ends_at=ends_at,
        stand_ins=tuple(StandIn(person.id, tuple(names)) for person, names in by_responder.items()),
    )
    recipients = User.objects.filter(pk__in=[row.engineer_id, *(person.id for person in by_responder)])
    enqueue(recipients, notification, due_at=at, expires_at=ends_at)
    return True


# Swaps


@register
@dataclass(frozen=True, slots=True)
class NewSwapRequest(Notification):
    """A swap request waits for an answer."""

    name = "swap-requested"
    label = "Swap requested"
    identity: ClassVar[tuple[str, ...]] = ("swap_id",)
    action = "Answer request"

    swap_id: int
    requester_id: int
    requester: str
    offered_week: dt.date
    wanted_week: dt.date | None
    third: str
    third_week: dt.date | None
    message: str
    # Set if an admin made the request for the requester.
    requested_by: str
    expires_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"Swap requested: {self.requester}’s week of {format_day(self.offered_week)}"

    def body(self, reader: User) -> str:
        offer = f"{self.requester} asks you to take their on-call week of {format_day(self.offered_week)}"
        if reader.pk == self.requester_id:
            offer = (
                f"{self.requested_by} requested a swap for you: your on-call week of {format_day(self.offered_week)}"
            )
        if self.wanted_week:
            offer += f" in exchange for the week of {format_day(self.wanted_week)}"
        three_way = ""
        if self.third_week:
            three_way = f"This is a three-way swap: {self.third} gives the week of {format_day(self.third_week)} to {self.requester}."
        behalf = f"{self.requested_by} made the request for {self.requester}." if self.requested_by else ""
        answer = f"Accept or decline by {local_time(self.expires_at, reader)}."
        return paragraphs(
            f"{offer}.",
            three_way,
            self.message and f"“{self.message}”",
            "" if reader.pk == self.requester_id else behalf,
            "" if reader.pk == self.requester_id else answer,
        )

    def link(self) -> str:
        return reverse("swap", args=[self.swap_id])

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return is_open_for(recipient, SwapRequest.objects.filter(pk=self.swap_id), at=at)


@register
@dataclass(frozen=True, slots=True)
class SwapReminder(NewSwapRequest):
    """A reminder that a swap request waits for an answer."""

    name = "swap-reminder"
    label = "Swap request reminder"
    identity = ("swap_id", "reminded_at")

    reminded_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"Reminder: {self.requester} asks for a swap, week of {format_day(self.offered_week)}"


@dataclass(frozen=True, slots=True)
class _SwapClosureNotification(Notification):
    """What both notifications about the outcome of a swap request have in common.

    It can be decided again after its answer was undone.
    """

    identity = ("swap_id", "decided_at")
    action = "Open request"

    swap_id: int
    requester: str
    offered_week: dt.date
    decided_at: dt.datetime
    state: str
    # Set if somebody outside the swap decided it.
    decided_by: str
    reason: str

    def subject(self, reader: User) -> str:
        return f"Swap {self.state}: {self.requester}’s week of {format_day(self.offered_week)}"

    def link(self) -> str:
        return reverse("swap", args=[self.swap_id])

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return SwapRequest.objects.filter(pk=self.swap_id, decided_at=self.decided_at).exists()


@dataclass(frozen=True, slots=True)
class ShiftMove:
    """A week that changes hands, and the name of its new engineer."""

    week: dt.date
    engineer: str


@register
@dataclass(frozen=True, slots=True)
class SwapAcceptance(_SwapClosureNotification):
    """A swap was made."""

    name = "swap-accepted"
    label = "Swap accepted"

    moves: tuple[ShiftMove, ...]

    def body(self, reader: User) -> str:
        lines = [f"{move.engineer} is on call in the week of {format_day(move.week)}." for move in self.moves]
        return paragraphs("\n".join(lines), self.decided_by and f"Accepted by {self.decided_by}.", self.reason)

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return SwapRequest.objects.accepted().filter(pk=self.swap_id, decided_at=self.decided_at).exists()


@register
@dataclass(frozen=True, slots=True)
class SwapClosure(_SwapClosureNotification):
    """A swap request was declined, withdrawn or cancelled, or expired: no shift changes."""

    name = "swap-closed"
    label = "Swap declined, withdrawn, cancelled or expired"

    def body(self, reader: User) -> str:
        by = f" by {self.decided_by}" if self.decided_by else ""
        week = f"{self.requester}’s week of {format_day(self.offered_week)}"
        return paragraphs(f"The swap request for {week} was {self.state}{by}. No shift changes.", self.reason)


@register
@dataclass(frozen=True, slots=True)
class SwapReopening(Notification):
    """An engineer undid their answer to a swap request."""

    name = "swap-reopened"
    label = "Swap request reopened"
    identity = ("swap_id", "undone_at")
    action = "Open request"

    swap_id: int
    requester: str
    offered_week: dt.date
    engineer: str
    undone_at: dt.datetime
    # Set if an admin undid it.
    undone_by: str
    # The weeks that were returned, with their engineers' names; none if the engineer had declined.
    moves: tuple[ShiftMove, ...]
    expires_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"Swap request reopened: {self.requester}’s week of {format_day(self.offered_week)}"

    def body(self, reader: User) -> str:
        lines = [f"{move.engineer} is on call in the week of {format_day(move.week)} again." for move in self.moves]
        return _reopening_text(self, "the swap" if self.moves else "the decline", lines=lines, reader=reader)

    def link(self) -> str:
        return reverse("swap", args=[self.swap_id])

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        row = SwapRequest.objects.filter(pk=self.swap_id)
        # Returned weeks are news even if the request has closed since, unless the swap was made again.
        return (row.exclude(state=SwapRequest.State.ACCEPTED) if self.moves else row.pending()).exists()


SWAP_OUTCOMES = {
    SwapRequest.State.ACCEPTED: "accepted",
    SwapRequest.State.DECLINED: "declined",
    SwapRequest.State.CANCELLED: "withdrawn",
    SwapRequest.State.EXPIRED: "expired",
    SwapRequest.State.VOID: "cancelled",
}


def _swap_request_fields(swap: SwapRequest) -> dict[str, Any]:
    on_behalf = swap.requested_by_id != swap.requester_id
    return {
        "swap_id": swap.pk,
        "requester_id": swap.requester_id,
        "requester": str(swap.requester),
        "offered_week": swap.offered_week,
        "wanted_week": swap.wanted_week,
        "third": str(swap.third or ""),
        "third_week": swap.third_week,
        "message": swap.message,
        "requested_by": str(swap.requested_by) if on_behalf else "",
        "expires_at": swap.expires_at,
    }


def notify_swap_reminder(swap: SwapRequest, *, people: Sequence[User], at: dt.datetime) -> None:
    """Remind those who have not answered a swap request."""
    notification = SwapReminder(**_swap_request_fields(swap), reminded_at=at)
    enqueue(people, notification, due_at=at, expires_at=swap.expires_at)


def notify_swap_requested(swap: SwapRequest, *, at: dt.datetime) -> None:
    """Notify the recipients of a swap request; also the requester, if someone else made the request for them."""
    on_behalf = swap.requested_by_id != swap.requester_id
    notification = NewSwapRequest(**_swap_request_fields(swap))
    people = [*recipients(swap), *([swap.requester] if on_behalf else [])]
    enqueue(people, notification, due_at=at, expires_at=swap.expires_at)


def notify_swap_decided(swap: SwapRequest, *, at: dt.datetime) -> None:
    """Notify everyone in a swap of its outcome; also the admins, if it was accepted."""
    people = {person.pk: person for person in (swap.requester, swap.counterpart, swap.third) if person}
    decided_by = str(swap.decided_by) if swap.decided_by and swap.decided_by.pk not in people else ""
    common: dict[str, Any] = {
        "swap_id": swap.pk,
        "requester": str(swap.requester),
        "offered_week": swap.offered_week,
        "decided_at": at,
        "state": SWAP_OUTCOMES[SwapRequest.State(swap.state)],
        "decided_by": decided_by,
        "reason": swap.reason,
    }
    if swap.state == SwapRequest.State.ACCEPTED:
        moves = tuple(ShiftMove(move.week, move.taker.name) for move in swap.moves())
        accepted = SwapAcceptance(**common, moves=moves)
        enqueue([*people.values(), *admins()], accepted, due_at=at, expires_at=at + NEWS_LIFETIME)
    else:
        enqueue(people.values(), SwapClosure(**common), due_at=at, expires_at=at + NEWS_LIFETIME)


def notify_swap_reopened(
    swap: SwapRequest, *, moves: Sequence[Move], engineer: User, by: User, at: dt.datetime
) -> None:
    """Notify everyone in a swap that an answer was undone; also the admins if the swap had been made. `moves` are its moves, if so."""
    notification = SwapReopening(
        swap_id=swap.pk,
        requester=str(swap.requester),
        offered_week=swap.offered_week,
        engineer=str(engineer),
        undone_at=at,
        undone_by="" if by.pk == engineer.pk else str(by),
        moves=tuple(ShiftMove(move.week, move.giver.name) for move in moves),
        expires_at=swap.expires_at,
    )
    people = {person.pk: person for person in [*swap.people, engineer, *(admins() if moves else [])]}
    enqueue(people.values(), notification, due_at=at, expires_at=at + NEWS_LIFETIME)


# Shifts


@register
@dataclass(frozen=True, slots=True)
class ShiftChange(Notification):
    """Upcoming shifts of an engineer changed, for example by a new roster."""

    name = "shifts-changed"
    label = "My upcoming shifts changed"
    identity = ("rotation_id", "changed_at")

    rotation_id: int
    rotation: str
    changed_at: dt.datetime
    reason: str
    # Each with the name of the other engineer.
    lost: tuple[ShiftMove, ...]
    gained: tuple[ShiftMove, ...]

    def subject(self, reader: User) -> str:
        changes = [f"{len(self.gained)} added"] if self.gained else []
        changes += [f"{len(self.lost)} removed"] if self.lost else []
        return f"Your shifts changed: {', '.join(changes)} ({self.rotation})"

    def body(self, reader: User) -> str:
        lost = [f"– {format_day(move.week)}, now {move.engineer}" for move in self.lost]
        gained = [f"+ {format_day(move.week)}, previously {move.engineer}" for move in self.gained]
        return paragraphs(
            self.reason,
            f"Weeks removed:\n{shorten(lost)}" if lost else "",
            f"Weeks added:\n{shorten(gained)}" if gained else "",
        )

    def link(self) -> str:
        return reverse("schedule")


def notify_weeks_changed(rotation: Rotation, *, moved: Sequence[Move], at: dt.datetime, why: str) -> None:
    """Notify every engineer whose upcoming weeks changed of the weeks they lost and gained."""
    for user in User.objects.in_bulk({person.id for move in moved for person in (move.giver, move.taker)}).values():
        notification = ShiftChange(
            rotation_id=rotation.pk,
            rotation=str(rotation),
            changed_at=at,
            reason=why,
            lost=tuple(ShiftMove(move.week, move.taker.name) for move in moved if move.giver.id == user.pk),
            gained=tuple(ShiftMove(move.week, move.giver.name) for move in moved if move.taker.id == user.pk),
        )
        enqueue([user], notification, due_at=at, expires_at=at + NEWS_LIFETIME)


@register
@dataclass(frozen=True, slots=True)
class ShiftStart(Notification):
    """An engineer is on call from now on, by their shift or by a cover."""

    name = "shift-started"
    label = "My shift starts"
    identity = ("rotation_id", "starts_at")

    rotation_id: int
    rotation: str
    starts_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"You are on call for {self.rotation}"

    def body(self, reader: User) -> str:
        stints = stints_since(self.rotation_id, change=self.starts_at, until=self.starts_at + MIN_LOOKAHEAD)
        own = next((one for one in stints if (one.engineer.pk, one.starts_at) == (reader.pk, self.starts_at)), None)
        until = f" It ends {local_time(own.ends_at, reader)}." if own else ""
        return f"Your shift started {local_time(self.starts_at, reader)}.{until}"

    def link(self) -> str:
        return reverse("schedule")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        stints = stints_since(self.rotation_id, change=self.starts_at, until=at)
        # A later start has a notification of its own.
        return bool(stints) and (stints[-1].engineer.pk, stints[-1].starts_at) == (recipient.pk, self.starts_at)


@register
@dataclass(frozen=True, slots=True)
class ShiftEnd(Notification):
    """An engineer is no longer on call, because another one is now."""

    name = "shift-ended"
    label = "My shift ends"
    identity = ("rotation_id", "ended_at")

    rotation_id: int
    rotation: str
    ended_at: dt.datetime
    next_engineer: str

    def subject(self, reader: User) -> str:
        return f"Your shift ended: {self.rotation}"

    def body(self, reader: User) -> str:
        return f"Your shift ended {local_time(self.ended_at, reader)}. {self.next_engineer} is on call now."

    def link(self) -> str:
        return reverse("now")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        stints = stints_since(self.rotation_id, change=self.ended_at, until=at)
        if not stints or (stints[0].engineer.pk, stints[0].ends_at) != (recipient.pk, self.ended_at):
            return False
        return len(stints) > 1 and all(stint.engineer.pk != recipient.pk for stint in stints[1:])


def shift_change_key(rotation: Rotation, instant: dt.datetime) -> str:
    """Return the dedup key of the notifications of a change of engineer."""
    return dedup_key(rotation.pk, instant)


def notify_shift_started(stint: Stint) -> None:
    """Notify an engineer when they are on call from an instant on."""
    notification = ShiftStart(rotation_id=stint.rotation.pk, rotation=str(stint.rotation), starts_at=stint.starts_at)
    enqueue([stint.engineer], notification, due_at=stint.starts_at, expires_at=stint.starts_at + SHIFT_CHANGE_LIFETIME)


def notify_shift_ended(stint: Stint, *, next_engineer: User) -> None:
    """Notify an engineer when they are no longer on call."""
    notification = ShiftEnd(
        rotation_id=stint.rotation.pk,
        rotation=str(stint.rotation),
        ended_at=stint.ends_at,
        next_engineer=str(next_engineer),
    )
    enqueue([stint.engineer], notification, due_at=stint.ends_at, expires_at=stint.ends_at + SHIFT_CHANGE_LIFETIME)
