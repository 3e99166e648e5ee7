"""Build the events of a calendar feed: on-call weeks, covers, hand-offs, coverage gaps and time off."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from handoffs.domain.ical import Content
from handoffs.models import Handoff
from people.models import User
from scheduling.domain.weeks import Week
from scheduling.models import Cover, HolidayBlock, Rotation
from scheduling.queries.calendar_days import gaps_between
from scheduling.queries.rosters import newest_roster, roster_engineers
from scheduling.queries.weeks import rotations_with, weeks_between

FEED_AHEAD, FEED_BACK = dt.timedelta(days=366), dt.timedelta(weeks=26)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FeedEventSpec:
    """An event to show in a feed: its source row, start, end and text.

    `uid` and `sequence` are set only for meetings that people are also invited to; other events get theirs from the feed.
    """

    source: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    content: Content
    uid: str = ""
    sequence: int = 0


def feed_start(at: dt.datetime) -> dt.datetime:
    """Return the earliest instant that a feed shows."""
    return at - FEED_BACK


def engineer_events(engineer: User, *, at: dt.datetime) -> list[FeedEventSpec]:
    """Return the events of an engineer's feed: half a year back and one year ahead. Time off has no upper limit."""
    starts_at, ends_at = feed_start(at), at + FEED_AHEAD
    events = [
        _week_event(rotation, week, summary=f"On call: {rotation}")
        for rotation in rotations_with(engineer)
        for week in _weeks_in_window(rotation, starts_at=starts_at, ends_at=ends_at)
        if week.engineer == engineer.person
    ]
    covers = _covers(Q(engineer=engineer) | Q(covered_engineer=engineer), starts_at=starts_at, ends_at=ends_at)
    events += [_cover_event(cover, summary=_cover_summary(engineer, cover)) for cover in covers]
    rows = _handoffs(Q(outgoing=engineer) | Q(incoming=engineer), starts_at=starts_at, ends_at=ends_at)
    events += [_meeting_event(row, summary=_handoff_summary(engineer, row)) for row in rows]
    owned = Q(pipeline__primary_owner=engineer) | Q(pipeline__secondary_owner=engineer)
    events += _gap_events(owned, starts_at=starts_at, ends_at=ends_at)
    absences = _absences([engineer.pk], starts_at=starts_at)
    return events + [_holiday_event(absence, summary=f"Away: {absence.get_kind_display()}") for absence in absences]


def _cover_summary(engineer: User, cover: Cover) -> str:
    mine = cover.engineer_id == engineer.pk
    return f"{f'On call for {cover.covered_engineer}' if mine else f'Covered by {cover.engineer}'}: {cover.rotation}"


def _handoff_summary(engineer: User, row: Handoff) -> str:
    if row.outgoing_id == engineer.pk:
        return f"Hand over {row.rotation} to {row.incoming}"
    return f"Take over {row.rotation} from {row.outgoing}"


def rotation_events(rotation: Rotation, *, at: dt.datetime) -> list[FeedEventSpec]:
    """Return the events of a rotation's feed. Time off shows only who is away and when."""
    starts_at, ends_at = feed_start(at), at + FEED_AHEAD
    weeks = list(_weeks_in_window(rotation, starts_at=starts_at, ends_at=ends_at))
    roster = newest_roster(rotation)
    engineers = {week.engineer.id for week in weeks} | {
        engineer.pk for engineer in (roster_engineers(roster) if roster else ())
    }
    events = [_week_event(rotation, week, summary=f"On call: {week.engineer}") for week in weeks]
    covers = _covers(Q(rotation=rotation), starts_at=starts_at, ends_at=ends_at)
    events += [_cover_event(cover, summary=f"{cover.engineer} covers for {cover.covered_engineer}") for cover in covers]
    rows = _handoffs(Q(rotation=rotation), starts_at=starts_at, ends_at=ends_at)
    events += [_meeting_event(row, summary=f"Hand-off: {row.outgoing} to {row.incoming}") for row in rows]
    events += _gap_events(Q(pipeline__in_rotation__rotation=rotation), starts_at=starts_at, ends_at=ends_at)
    absences = _absences(sorted(engineers), starts_at=starts_at)
    return events + [_holiday_event(absence, summary=f"{absence.engineer} is away") for absence in absences]


def _weeks_in_window(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Iterator[Week]:
    rows = weeks_between(rotation, first=starts_at.date() - 8 * DAY, last=ends_at.date())
    return (week for week in rows if week.ends_at > starts_at and week.starts_at < ends_at)


def _covers(condition: Q, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Iterator[Cover]:
    rows = Cover.objects.filter(condition).overlapping(starts_at=starts_at, ends_at=ends_at)
    yield from rows.select_related("rotation", "engineer", "covered_engineer")


def _handoffs(condition: Q, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Iterator[Handoff]:
    rows = Handoff.objects.not_cancelled().filter(condition, meeting_ends_at__gt=starts_at, at__lt=ends_at)
    yield from rows.with_people()


def _absences(engineers: list[int], *, starts_at: dt.datetime) -> Iterator[HolidayBlock]:
    rows = HolidayBlock.objects.filter(engineer__in=engineers, ends_at__gt=starts_at)
    # Notes are private.
    yield from rows.select_related("engineer").defer("note").order_by("starts_at", "pk")


def _gap_events(condition: Q, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Iterator[FeedEventSpec]:
    """Yield the stored coverage gaps: nobody is available for a pipeline."""
    for gap in gaps_between(starts_at=starts_at, ends_at=ends_at).filter(condition):
        content = Content(
            gap.starts_at, gap.ends_at, f"Coverage gap: {gap.pipeline}", url=_page_url("pipeline", gap.pipeline.slug)
        )
        yield FeedEventSpec(f"gap-{gap.pk}", gap.starts_at, gap.ends_at, content)


def _page_url(name: str, *args: object) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"


def _week_event(rotation: Rotation, week: Week, *, summary: str) -> FeedEventSpec:
    content = Content(week.starts_at, week.ends_at, summary, url=_page_url("week", week.starts_on))
    # Identified by date because weeks beyond the stored ones have no row yet.
    return FeedEventSpec(f"week-{rotation.pk}-{week.starts_on}", week.starts_at, week.ends_at, content)


def _cover_event(cover: Cover, *, summary: str) -> FeedEventSpec:
    content = Content(cover.starts_at, cover.ends_at, summary, cover.reason, _page_url("schedule"))
    return FeedEventSpec(f"cover-{cover.pk}", cover.starts_at, cover.ends_at, content)


def _meeting_event(row: Handoff, *, summary: str) -> FeedEventSpec:
    begin, end = row.meeting_starts_at, row.meeting_ends_at
    content = Content(begin, end, summary, url=_page_url("handoff", row.pk))
    return FeedEventSpec(f"handoff-{row.pk}", begin, end, content, uid=row.uid, sequence=row.sequence)


def _holiday_event(absence: HolidayBlock, *, summary: str) -> FeedEventSpec:
    hours = absence.starts_at_time or absence.ends_at_time
    starts: dt.date = absence.starts_at if hours else absence.starts_on
    ends: dt.date = absence.ends_at if hours else absence.ends_on + DAY
    return FeedEventSpec(f"holiday-{absence.pk}", absence.starts_at, absence.ends_at, Content(starts, ends, summary))
