"""My week ahead: a person's next seven days, in lines."""

import datetime as dt

from django.db.models import Q

from common.formatting import format_instant
from handoffs.models import Handoff
from notifications.registry import local_period
from people.models import User
from scheduling.models import Cover, HolidayBlock, RotationWeek
from scheduling.queries.cover_requests import cover_requests_to_answer
from scheduling.queries.swaps import swaps_to_answer

WEEK = dt.timedelta(days=7)


def week_ahead(person: User, *, at: dt.datetime) -> list[str]:
    """Return a person's shifts, covers, hand-offs, absences and requests of the next seven days, each as a line."""
    window = {"starts_at": at, "ends_at": at + WEEK}

    weeks = RotationWeek.objects.overlapping(**window).filter(engineer=person).select_related("rotation")
    covers = Cover.objects.overlapping(**window).filter(Q(engineer=person) | Q(covered_engineer=person))
    handoffs = Handoff.objects.not_cancelled().filter(Q(outgoing=person) | Q(incoming=person))
    handoffs = handoffs.filter(meeting_starts_at__gte=at, meeting_starts_at__lt=at + WEEK).select_related("rotation")
    absences = HolidayBlock.objects.overlapping(**window).filter(engineer=person)
    requests = len(swaps_to_answer(person, at=at)) + len(cover_requests_to_answer(person, at=at))
    lines = [f"On call for {row.rotation}: {local_period(row, person)}" for row in weeks]
    for row in covers.select_related("rotation", "engineer", "covered_engineer"):
        what = f"You cover {row.covered_engineer}" if row.engineer_id == person.pk else f"{row.engineer} covers you"
        lines.append(f"{what} in {row.rotation}: {local_period(row, person)}")
    lines += [
        f"Hand-off of {meeting.rotation}: {format_instant(meeting.meeting_starts_at, person.zone)}"
        for meeting in handoffs.order_by("meeting_starts_at", "pk")
    ]
    lines += [f"Away: {local_period(row, person)}" for row in absences]
    if requests:
        lines.append(f"{requests} request{'s' if requests > 1 else ''} to answer")
    return lines
