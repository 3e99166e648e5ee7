"""Checks before a shift: whether its engineer is reachable, available, and has read the updated runbooks."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, OuterRef, QuerySet, Subquery
from django.urls import reverse

from common.formatting import format_instant
from notifications.models import ContactMethod, Message, PushDevice
from notifications.queries.contact_methods import email_rejections
from notifications.queries.preferences import channel_list, needed_channels
from people.models import User
from runbooks.models import Runbook, RunbookRead, RunbookRevision
from scheduling.models import CoverRequest, HolidayBlock, RotationWeek, SwapRequest

ENGINEER_NOTICE, ADMIN_NOTICE = dt.timedelta(days=5), dt.timedelta(days=2)
# A contact method is known to work if it was confirmed within this time.
CONFIRMATION_PERIOD = dt.timedelta(days=90)
# For an engineer without an earlier shift: runbooks that changed within this time.
FIRST_SHIFT_PERIOD = dt.timedelta(days=90)
MAX_RUNBOOKS_LISTED = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem before a shift, and the path of the page where it can be solved."""

    text: str
    link: str


@dataclass(frozen=True, slots=True)
class ShiftCheck:
    """A shift with its open problems; `problems` is empty if its engineer is ready."""

    week: RotationWeek
    problems: tuple[Problem, ...]


def shift_checks(
    *, at: dt.datetime, notice: dt.timedelta = ENGINEER_NOTICE, engineer: User | None = None
) -> list[ShiftCheck]:
    """Return the checks of the shifts that start within `notice`, earliest first, for one engineer or all."""
    rows = shifts_to_check(at=at, notice=notice, engineer=engineer)
    weeks = list(rows.select_related("rotation", "engineer").order_by("starts_at", "pk"))
    if not weeks:
        return []
    reachable = _reachable(weeks, at=at)
    absences = _absences(weeks)
    unread = _unread_runbooks(weeks, at=at)
    return [ShiftCheck(week, (*reachable[week.engineer_id], *absences[week.pk], *unread[week.pk])) for week in weeks]


def shifts_to_check(*, at: Any, notice: dt.timedelta = ENGINEER_NOTICE, engineer: Any = None) -> QuerySet[RotationWeek]:
    """Return the shifts that start within `notice`, of one engineer or all.

    The instant and the engineer may be parameters of a prepared statement.
    """
    rows = RotationWeek.objects.filter(starts_at__gt=at, starts_at__lte=at + notice, engineer__is_active=True)
    return rows if engineer is None else rows.filter(engineer=engineer)


def _reachable(weeks: Sequence[RotationWeek], *, at: dt.datetime) -> dict[int, list[Problem]]:
    """Return the problems of each engineer: no contact method for high urgency confirmed recently, a rejected e-mail address."""
    since, needed = at - CONFIRMATION_PERIOD, needed_channels()
    people = {week.engineer_id for week in weeks}
    methods = ContactMethod.objects.live().filter(person__in=people, verified_at__gte=since)
    if needed:
        methods = methods.filter(channel__in=needed)
    confirmed = set(methods.order_by().values_list("person", flat=True))
    if not needed or Message.Channel.PUSH in needed:
        devices = PushDevice.objects.live().filter(person__in=people, confirmed_at__gte=since)
        confirmed |= set(devices.order_by().values_list("person", flat=True))
    names = channel_list(needed) or "a contact method besides e-mail"
    text = f"Confirm that urgent messages reach you by {names}. Nothing has been confirmed in the last 90 days."
    problem = Problem(text, reverse("notifications"))
    problems: dict[int, list[Problem]] = {person: [] if person in confirmed else [problem] for person in people}
    for row in email_rejections(people):
        problems[row.person_id].append(Problem(f"Correct your e-mail address. {row.problem}", reverse("profile")))
    return problems


def _absences(weeks: Sequence[RotationWeek]) -> dict[int, list[Problem]]:
    """Return by shift the absences of its engineer, without their kinds."""
    problems: dict[int, list[Problem]] = defaultdict(list)
    window = {"starts_at": weeks[0].starts_at, "ends_at": max(week.ends_at for week in weeks)}
    rows = list(HolidayBlock.objects.overlapping(**window).filter(engineer__in={week.engineer_id for week in weeks}))
    requests = _open_requests({row.engineer_id for row in rows}) if rows else []
    for row in rows:
        for week in weeks:
            if week.engineer_id == row.engineer_id and row.starts_at < week.ends_at and row.ends_at > week.starts_at:
                begin = format_instant(row.starts_at, week.engineer.zone)
                text = f"Request cover or a swap for the time off from {begin}."
                link = reverse("week", args=[week.starts_on])
                if any(request.would_free(week, absence=row) for request in requests):
                    text = f"Nobody has accepted your request for the time off from {begin} yet."
                    link = reverse("swaps")
                problems[week.pk].append(Problem(text, link))
    return problems


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """An open swap request for the week of `starts_on`, or an open cover request for `period`. The other field is None."""

    rotation: int
    requester: int
    starts_on: dt.date | None = None
    period: tuple[dt.datetime, dt.datetime] | None = None

    def would_free(self, week: RotationWeek, *, absence: HolidayBlock) -> bool:
        """Return True if, once the request is accepted, someone else is on call for the part of the absence in the week."""
        if (self.rotation, self.requester) != (week.rotation_id, week.engineer_id):
            return False
        if self.period is None:
            return self.starts_on == week.starts_on
        begin, end = self.period
        return begin <= max(absence.starts_at, week.starts_at) and end >= min(absence.ends_at, week.ends_at)


def _open_requests(people: set[int]) -> list[OpenRequest]:
    swaps = SwapRequest.objects.pending().filter(requester__in=people).order_by()
    covers = CoverRequest.objects.pending().filter(requester__in=people).order_by()
    return [
        *(OpenRequest(*row) for row in swaps.values_list("rotation", "requester", "offered_week")),
        *(
            OpenRequest(rotation, requester, period=(begin, end))
            for rotation, requester, begin, end in covers.values_list("rotation", "requester", "starts_at", "ends_at")
        ),
    ]


def _unread_runbooks(weeks: Sequence[RotationWeek], *, at: dt.datetime) -> dict[int, list[Problem]]:
    """Return by shift the runbooks that others changed since its engineer's last shift, and that the engineer has not read."""
    engineers = {week.engineer_id for week in weeks}
    past = RotationWeek.objects.filter(engineer__in=engineers, ends_at__lte=at).order_by()
    since = dict.fromkeys(engineers, at - FIRST_SHIFT_PERIOD)
    since.update(past.values_list("engineer").annotate(Max("ends_at")))
    newest = RunbookRevision.objects.filter(runbook=OuterRef("pk"), number=OuterRef("revision"))
    rows = Runbook.objects.filter(pipeline__in_rotation__rotation__in={week.rotation_id for week in weeks}).annotate(
        rotation=F("pipeline__in_rotation__rotation"),
        changed_at=Subquery(newest.values("created_at")[:1]),
        changed_by=Subquery(newest.values("author")[:1]),
    )
    changed = list(
        rows.filter(changed_at__gt=min(since.values())).select_related("pipeline").order_by("pipeline__position", "pk")
    )
    read = {
        (person, runbook): revision
        for person, runbook, revision in RunbookRead.objects.filter(
            person__in=engineers, runbook__in=changed
        ).values_list("person", "runbook", "revision")
    }
    problems: dict[int, list[Problem]] = {}
    for week in weeks:
        unread = [
            row
            for row in changed
            if row.rotation == week.rotation_id
            and row.changed_at > since[week.engineer_id]
            and row.changed_by != week.engineer_id
            and read.get((week.engineer_id, row.pk), 0) < row.revision
        ]
        problems[week.pk] = [
            Problem(f"Read the updated runbook of {row.pipeline}.", reverse("runbook", args=[row.pipeline.slug]))
            for row in unread[:MAX_RUNBOOKS_LISTED]
        ]
    return problems
