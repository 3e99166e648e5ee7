"""What the timeline shows: the schedules of rotations in a window, laid out as boards, with open requests."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from people.models import User
from scheduling.domain.responder_chain import Period, assignments
from scheduling.domain.timeline_layout import Axis, Board, board, engineers_in, row_height
from scheduling.domain.weeks import WEEK
from scheduling.loaders import load_schedules
from scheduling.models import Cover, CoverageGap, CoverRequest, HolidayBlock, Rotation, RotationWeek, SwapRequest
from scheduling.queries.cover_requests import open_periods

DAY = dt.timedelta(days=1)
MAX_REQUESTS, MAX_GAPS, MAX_DETAILS = 200, 500, 20


def day_axis(first: dt.date, *, days: int, zone: dt.tzinfo) -> Axis:
    """Return the axis of consecutive dates in a zone."""
    dates = tuple(first + DAY * number for number in range(days + 1))
    starts = tuple(dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in dates)
    return Axis(starts, dates[:-1])


@dataclass(frozen=True, slots=True)
class RotationTimeline:
    """A rotation's board, its open cover requests with the periods still open, and the weeks that swap requests offer.

    `expiries` are the instants at which these requests expire.
    """

    rotation: Rotation
    board: Board
    cover_requests: list[tuple[CoverRequest, list[Period]]]
    offered_weeks: frozenset[dt.date]
    expiries: list[dt.datetime]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The boards of rotations on one axis, and the engineers of their rows by primary key."""

    axis: Axis
    rotations: list[RotationTimeline]
    people: Mapping[int, User]


def rotation_timelines(
    rotations: Iterable[Rotation], *, axis: Axis, at: dt.datetime, today: dt.date, other_rows: int = 0
) -> Timeline:
    """Return the timeline of rotations, in six statements for any number, and two more if covers are requested.

    `other_rows` is the number of rows of other boards on the page.
    """
    rotations = list(rotations)
    schedules = load_schedules(
        rotations, starts_at=axis.starts_at - WEEK, ends_at=axis.ends_at + WEEK, owners=()
    ).rotations
    engineers = {row.pk: engineers_in(schedules[row.pk], axis=axis, today=today) for row in rotations}
    gaps = _uncovered(rotations, axis=axis)
    height = row_height(other_rows + sum(len(keys) + (row in gaps) for row, keys in engineers.items()))
    open_requests = _cover_requests(rotations, axis=axis, at=at)
    offered = _offered_weeks(rotations, at=at)
    boards = [
        RotationTimeline(
            rotation=row,
            board=board(
                schedules[row.pk],
                axis=axis,
                engineers=engineers[row.pk],
                height=height,
                uncovered=gaps.get(row.pk, ()),
            ),
            cover_requests=open_requests.get(row.pk, []),
            offered_weeks=frozenset(offered.get(row.pk, {})),
            expiries=[
                *offered.get(row.pk, {}).values(),
                *(request.expires_at for request, _ in open_requests.get(row.pk, ())),
            ],
        )
        for row in rotations
    ]
    keys = {person.id for people in engineers.values() for person in people}
    return Timeline(axis, boards, User.objects.in_bulk(keys))


def _uncovered(rotations: list[Rotation], *, axis: Axis) -> dict[int, list[tuple[str, dt.datetime, dt.datetime]]]:
    """Return the stored coverage gaps of each rotation's pipelines."""
    rows = CoverageGap.objects.filter(pipeline__in_rotation__rotation__in=rotations)
    gaps: dict[int, list[tuple[str, dt.datetime, dt.datetime]]] = {}
    window = {"starts_at": axis.starts_at, "ends_at": axis.ends_at}
    for row in rows.overlapping(**window).select_related("pipeline__in_rotation")[:MAX_GAPS]:
        gaps_of_rotation = gaps.setdefault(row.pipeline.in_rotation.rotation_id, [])
        gaps_of_rotation.append((str(row.pipeline), row.starts_at, row.ends_at))
    return gaps


def _cover_requests(
    rotations: list[Rotation], *, axis: Axis, at: dt.datetime
) -> dict[int, list[tuple[CoverRequest, list[Period]]]]:
    rows = CoverRequest.objects.pending().filter(
        rotation__in=rotations, expires_at__gt=at, starts_at__lt=axis.ends_at, ends_at__gt=axis.starts_at
    )
    requests = list(rows.select_related("requester").order_by("starts_at", "pk")[:MAX_REQUESTS])
    periods = open_periods(requests, at=at)
    by_rotation: dict[int, list[tuple[CoverRequest, list[Period]]]] = {}
    for row in requests:
        by_rotation.setdefault(row.rotation_id, []).append((row, periods[row.pk]))
    return by_rotation


def _offered_weeks(rotations: list[Rotation], *, at: dt.datetime) -> dict[int, dict[dt.date, dt.datetime]]:
    """Return the weeks offered in each rotation, each with the instant at which its last open swap request expires."""
    rows = SwapRequest.objects.pending().filter(rotation__in=rotations, expires_at__gt=at).order_by("expires_at")
    offered: dict[int, dict[dt.date, dt.datetime]] = {}
    for rotation, week, expires_at in rows.values_list("rotation", "offered_week", "expires_at"):
        offered.setdefault(rotation, {})[week] = expires_at
    return offered


@dataclass(frozen=True, slots=True)
class TimeDetails:
    """A part of a stored shift: who is on call and why, what is in the way, and the requests for it."""

    week: RotationWeek
    cover: Cover | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    absences: list[HolidayBlock]
    gaps: list[CoverageGap]
    cover_requests: list[CoverRequest]
    swap_requests: list[SwapRequest]

    @property
    def engineer(self) -> User:
        """The engineer on call."""
        return self.cover.engineer if self.cover else self.week.engineer


def time_details(rotation: Rotation, *, moment: dt.datetime, at: dt.datetime) -> TimeDetails | None:
    """Return the part of a shift that includes an instant, cut where a cover starts or ends; None without a stored shift.

    The requests are those that are open at `at`.
    """
    rows = rotation.weeks.filter(starts_at__lte=moment, ends_at__gt=moment)
    week = rows.select_related("engineer", "planned_engineer").first()
    if week is None:
        return None
    window = {"starts_at": week.starts_at, "ends_at": week.ends_at}
    covers = rotation.covers.overlapping(**window).select_related("engineer", "covered_engineer")
    part = next(part for part in assignments([week], covers, **window) if part.starts_at <= moment < part.ends_at)
    period = {"starts_at": part.starts_at, "ends_at": part.ends_at}
    gaps = CoverageGap.objects.filter(pipeline__in_rotation__rotation=rotation).overlapping(**period)
    requests = rotation.cover_requests.pending().filter(
        expires_at__gt=at, starts_at__lt=part.ends_at, ends_at__gt=part.starts_at
    )
    swaps = rotation.swaps.pending().filter(expires_at__gt=at).touching_weeks([week.starts_on])
    return TimeDetails(
        week=week,
        cover=part.cover,
        **period,
        absences=list(HolidayBlock.objects.filter(engineer=part.engineer).overlapping(**period)),
        gaps=list(gaps.select_related("pipeline")[:MAX_DETAILS]),
        cover_requests=list(
            requests.select_related("requester", "counterpart").order_by("starts_at", "pk")[:MAX_DETAILS]
        ),
        swap_requests=list(swaps.select_related("requester", "counterpart")[:MAX_DETAILS]),
    )
