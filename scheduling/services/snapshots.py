"""Snapshots of a rotation's schedule, for undoing an archived rotation or a changed roster."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Model, Q

from common.exceptions import DomainError, NotAllowedError
from common.formatting import format_day
from common.json_values import to_json
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from scheduling.domain.weeks import Move, current_week, rosters_from
from scheduling.loaders import rotation_hours
from scheduling.models import (
    Cover,
    CoverRequest,
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
    SwapRequest,
)
from scheduling.models.requests import RequestState
from scheduling.notifications import (
    notify_cover_created,
    notify_cover_reminder,
    notify_swap_reminder,
    notify_weeks_changed,
)
from scheduling.queries.cover_requests import recipients as cover_recipients
from scheduling.queries.swaps import SWAP_PEOPLE
from scheduling.queries.swaps import recipients as swap_recipients
from scheduling.services.locks import lock_people, lock_rotation
from scheduling.services.open_requests import unanswered_recipients
from scheduling.services.swaps import void_invalidated_requests
from scheduling.services.weeks import ensure_weeks

T = TypeVar("T", "SavedWeek", "SavedCover", "SavedRequest")


@dataclass(frozen=True, slots=True)
class SavedWeek:
    """A stored week."""

    id: int
    starts_on: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    engineer_id: int
    planned_engineer_id: int


@dataclass(frozen=True, slots=True)
class SavedRoster:
    """A roster and its engineers in order."""

    starts_on: dt.date
    engineers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SavedCover:
    """A stored cover."""

    id: int
    engineer_id: int
    covered_engineer_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str
    series: int | None
    request_id: int | None
    created_by_id: int


@dataclass(frozen=True, slots=True)
class SavedRequest:
    """The state of a swap request or cover request."""

    id: int
    state: str
    decided_at: dt.datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class ScheduleSnapshot:
    """The weeks and covers of a rotation that end after `since`, its rosters and pipelines, and its pending and accepted requests."""

    since: dt.datetime
    weeks: tuple[SavedWeek, ...]
    rosters: tuple[SavedRoster, ...]
    covers: tuple[SavedCover, ...]
    pipelines: tuple[int, ...]
    swaps: tuple[SavedRequest, ...]
    cover_requests: tuple[SavedRequest, ...]

    @classmethod
    def load(cls, rotation: Rotation, *, since: dt.datetime) -> "ScheduleSnapshot":
        """Return the schedule of a rotation that the caller has locked."""
        live = Q(state__in=(RequestState.PENDING, RequestState.ACCEPTED))
        rosters = rotation.rosters.order_by("starts_on").prefetch_related("members")
        weeks, covers = (
            rows.filter(ends_at__gt=since).order_by("starts_at") for rows in (rotation.weeks, rotation.covers)
        )
        first = weeks.values_list("starts_on", flat=True).first() or since.date()
        touched = Q(offered_week__gte=first) | Q(wanted_week__gte=first) | Q(third_week__gte=first)
        return cls(
            since=since,
            weeks=tuple(saved_row(SavedWeek, row) for row in weeks),
            rosters=tuple(
                SavedRoster(
                    row.starts_on,
                    tuple(member.engineer_id for member in sorted(row.members.all(), key=lambda one: one.position)),
                )
                for row in rosters
            ),
            covers=tuple(saved_row(SavedCover, row) for row in covers),
            pipelines=tuple(rotation.pipelines.order_by("pipeline").values_list("pipeline", flat=True)),
            swaps=tuple(saved_row(SavedRequest, row) for row in rotation.swaps.filter(live & touched).order_by("pk")),
            cover_requests=tuple(
                saved_row(SavedRequest, row)
                for row in rotation.cover_requests.filter(live, ends_at__gt=since).order_by("pk")
            ),
        )

    @property
    def digest(self) -> str:
        """A digest of the weeks, covers, rosters and pipelines. It differs after any other change to them."""
        values = to_json([self.weeks, self.rosters, self.covers, self.pipelines])
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def saved_row(cls: type[T], row: Model) -> T:
    """Return the values of a row."""
    return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})


@transaction.atomic
def restore_schedule(
    rotation: Rotation, *, before: ScheduleSnapshot, saved: str, why: str, by: User, at: dt.datetime
) -> Rotation:
    """Restore a rotation's schedule and notify the affected engineers; return the reloaded rotation.

    `saved` is the digest of the schedule after the action. Covers in progress continue from `at`; requests that the action
    closed are open again. Raises NotAllowedError if `by` is not an admin, and DomainError if the schedule has changed since, if a
    shift that would change has started, or if an engineer or a pipeline is no longer available.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin can restore a schedule.")
    rotation = lock_rotation(rotation)
    current = ScheduleSnapshot.load(rotation, since=before.since)
    if current.digest != saved:
        raise DomainError(f"The schedule of {rotation} has since been changed.")
    stored = RotationWeek.objects.select_related("engineer").in_bulk([week.id for week in before.weeks])
    moved = [week for week in before.weeks if week.id in stored and stored[week.id].engineer_id != week.engineer_id]
    for week in moved:
        if week.starts_at <= at:
            raise DomainError(f"The week of {format_day(week.starts_on)} has since started.")
    people = _lock_active_people(
        {week.engineer_id for week in before.weeks}
        | {cover.engineer_id for cover in before.covers}
        # Later weeks are planned from the rosters, which may have engineers without a week so far.
        | {
            key
            for roster in rosters_from(before.rosters, week=current_week(rotation_hours(rotation), at=at))
            for key in roster.engineers
        }
    )
    if rotation.archived_at is not None:
        _restore_rotation(rotation, pipelines=before.pipelines)
    _restore_rosters(rotation, before.rosters, current=current.rosters)
    changes = [Move(week.starts_on, stored[week.id].engineer.person, people[week.engineer_id].person) for week in moved]
    _restore_weeks(rotation, before.weeks, stored=stored)
    # The action may have stored weeks of its roster, beyond the earlier ones.
    rotation.weeks.filter(pk__in=[week.id for week in current.weeks]).exclude(
        pk__in=[week.id for week in before.weeks]
    ).delete()
    ensure_weeks(rotation, today=at.date())
    reopened = reopen_requests(before.swaps, before.cover_requests)
    _restore_covers(rotation, before.covers, current=current.covers, at=at)
    notify_weeks_changed(rotation, moved=changes, at=at, why=why)
    void_invalidated_requests(rotation, at=at)
    remind_recipients(reopened, at=at)
    return rotation


def _lock_active_people(keys: Iterable[int]) -> dict[int, User]:
    """Lock and return users by primary key; raise DomainError if one of them is no longer active."""
    people = lock_people(User.objects.filter(pk__in=set(keys)))
    for person in people.values():
        if not person.is_active:
            raise DomainError(f"{person} is no longer active.")
    return people


def _restore_rotation(rotation: Rotation, *, pipelines: Collection[int]) -> None:
    """Make an archived rotation active again, with its pipelines."""
    names = Rotation.objects.active().exclude(pk=rotation.pk).values_list("name", flat=True)
    if match_key(rotation.name) in {match_key(name) for name in names}:
        raise DomainError("Another rotation now has this name.")
    # None is deleted until the transaction ends.
    locked = Pipeline.objects.select_for_update(no_key=True).filter(pk__in=pipelines).order_by("pk")
    if len(locked) < len(pipelines):
        raise DomainError("One of its pipelines has since been deleted.")
    elsewhere = PipelineRotation.objects.filter(pipeline__in=pipelines).select_related("pipeline", "rotation").first()
    if elsewhere is not None:
        raise DomainError(f"{elsewhere.pipeline} now belongs to {elsewhere.rotation}.")
    rotation.archived_at = None
    rotation.save(update_fields=["archived_at"])
    try:
        with transaction.atomic():
            PipelineRotation.objects.bulk_create(
                PipelineRotation(pipeline_id=row.pk, rotation=rotation) for row in locked
            )
    except IntegrityError as error:
        raise DomainError("One of its pipelines now belongs to another rotation.") from error


def _restore_rosters(rotation: Rotation, rosters: Iterable[SavedRoster], *, current: Collection[SavedRoster]) -> None:
    wanted = set(rosters)
    dates = [roster.starts_on for roster in current if roster not in wanted]
    rotation.rosters.filter(starts_on__in=dates).delete()
    for saved in wanted.difference(current):
        roster = Roster.objects.create(rotation=rotation, starts_on=saved.starts_on)
        RosterMember.objects.bulk_create(
            RosterMember(roster=roster, engineer_id=key, position=position)
            for position, key in enumerate(saved.engineers)
        )


def _restore_weeks(rotation: Rotation, saved: Iterable[SavedWeek], *, stored: Mapping[int, RotationWeek]) -> None:
    rows = [RotationWeek(rotation=rotation, **asdict(week)) for week in saved]
    known = [row for row in rows if row.pk in stored]
    RotationWeek.objects.bulk_update(known, ["ends_at", "engineer", "planned_engineer"])
    RotationWeek.objects.bulk_create([row for row in rows if row.pk not in stored])


def _restore_covers(
    rotation: Rotation, saved: Iterable[SavedCover], *, current: Collection[SavedCover], at: dt.datetime
) -> None:
    """Restore what is left of the covers. A cover that was ended or deleted is created again, and its engineers are notified."""
    stored = {cover.id for cover in current}
    series: dict[int, int] = {}
    for cover in saved:
        if cover.id in stored:
            Cover.objects.filter(pk=cover.id).update(covered_engineer=cover.covered_engineer_id)
        elif cover.ends_at > at:
            values: dict[str, Any] = {**asdict(cover), "starts_at": max(cover.starts_at, at)}
            del values["id"], values["series"]
            row = Cover.objects.create(rotation=rotation, **values)
            if cover.series:
                row.series = series.setdefault(cover.series, row.pk)
                row.save(update_fields=["series"])
            notify_cover_created(row, at=at)


def reopen_requests(
    swaps: Iterable[SavedRequest], cover_requests: Iterable[SavedRequest]
) -> list[SwapRequest | CoverRequest]:
    """Restore the state of the requests that an action closed; return those that are open again.

    The caller has locked the rotation.
    """
    reopened: list[SwapRequest | CoverRequest] = []
    for saved in swaps:
        swap = SwapRequest.objects.select_related("rotation", *SWAP_PEOPLE, "requested_by").get(pk=saved.id)
        if swap.state == RequestState.VOID:
            reopened += _reopen(swap, saved)
    for saved in cover_requests:
        cover = CoverRequest.objects.select_related("rotation", "requester", "counterpart", "requested_by")
        request = cover.get(pk=saved.id)
        same_time = CoverRequest.objects.pending().filter(
            rotation=request.rotation, requester=request.requester, starts_at__lt=request.ends_at
        )
        # The requester may have requested cover for that time again.
        if request.state == RequestState.VOID and not same_time.filter(ends_at__gt=request.starts_at).exists():
            reopened += _reopen(request, saved)
    return reopened


def _reopen(row: SwapRequest | CoverRequest, saved: SavedRequest) -> list[SwapRequest | CoverRequest]:
    row.state, row.reason, row.decided_at = RequestState(saved.state), saved.reason, saved.decided_at
    row.save(update_fields=["state", "reason", "decided_at"])
    return [row] if row.state == RequestState.PENDING else []


def remind_recipients(requests: Iterable[SwapRequest | CoverRequest], *, at: dt.datetime) -> None:
    """Notify the recipients of reopened requests that are still open."""
    for row in requests:
        row.refresh_from_db(fields=["state"])
        # One that has expired meanwhile is closed by the next sweep.
        if row.state != RequestState.PENDING or row.expires_at <= at:
            continue
        if isinstance(row, SwapRequest):
            notify_swap_reminder(row, people=unanswered_recipients(row, people=swap_recipients(row)), at=at)
        else:
            notify_cover_reminder(row, people=unanswered_recipients(row, people=cover_recipients(row)), at=at)
