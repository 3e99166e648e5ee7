"""Posts to the channels of rotations: shifts that start and end, with the hand-off, and who is on call this week."""

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.db import transaction
from django.urls import reverse

from common.datetimes import isoformat_z
from common.formatting import format_instant, format_period
from common.loops import IsolatedSteps
from handoffs.models import Handoff
from handoffs.queries.sheets import sheet_text
from scheduling.models import Rotation
from scheduling.queries.stints import Stint, on_call_stints
from team_channels.domain.events import SHIFT_ENDED, SHIFT_EVENTS, SHIFT_STARTED, WEEK_STARTED, ChannelEvent
from team_channels.models import TeamChannel
from team_channels.services.outbox import post_event

# After an outage, older shifts are no longer worth posting.
MAX_SHIFT_POST_AGE = dt.timedelta(hours=6)
# How far ahead to look for the end of a running stint, which the message shows.
STINT_LOOKAHEAD = dt.timedelta(weeks=3)
WEEK = dt.timedelta(weeks=1)
MONDAY_HOUR = dt.time(9, 0)


def post_shifts(*, at: dt.datetime) -> None:
    """Post the shifts that started and ended in the last hours and, on Monday morning, who is on call this week.

    Each is posted once, however often this runs, and only to channels that existed at that time.
    """
    posting = TeamChannel.objects.active().filter(events__overlap=list(SHIFT_EVENTS), rotation__archived_at=None)
    channels: dict[Rotation, list[TeamChannel]] = {}
    for channel in posting.exclude(rotation=None).select_related("rotation").order_by("rotation", "pk"):
        if channel.rotation is not None:
            channels.setdefault(channel.rotation, []).append(channel)
    with IsolatedSteps() as attempt:
        for rotation, rows in channels.items():
            attempt(_post_rotation, rotation, rows, at=at)


@transaction.atomic
def _post_rotation(rotation: Rotation, channels: list[TeamChannel], *, at: dt.datetime) -> None:
    since = at - MAX_SHIFT_POST_AGE
    stints = on_call_stints(rotation, starts_at=since, ends_at=at + STINT_LOOKAHEAD)
    events: list[ChannelEvent] = []
    for before, after in pairwise(stints):
        if before.ends_at <= at and before.engineer != after.engineer:
            events.append(_shift_end(before, after=after, at=at))
    # The first stint is cut off at the start of the window, unless it is the rotation's first.
    events += [_shift_start(stint) for stint in stints if since < stint.starts_at <= at]
    monday = _monday_morning(rotation, at=at)
    if since < monday <= at:
        events.append(_week(rotation, monday=monday))
    for event in sorted(events, key=lambda event: event.occurred_at):
        subscribers = [row for row in channels if event.type in row.events and row.created_at <= event.occurred_at]
        post_event(subscribers, event, at=at)


def _shift_start(stint: Stint) -> ChannelEvent:
    rotation = stint.rotation
    return ChannelEvent(
        type=SHIFT_STARTED,
        id=f"shift-started-{rotation.pk}-{stint.starts_at:%Y%m%dT%H%M%SZ}",
        occurred_at=stint.starts_at,
        title=f"{stint.engineer} is on call for {rotation}",
        path=reverse("schedule"),
        facts=(("Until", _local_time(stint.ends_at, rotation)),),
        data=_stint_data(stint),
    )


def _shift_end(stint: Stint, *, after: Stint, at: dt.datetime) -> ChannelEvent:
    rotation = stint.rotation
    rows = Handoff.objects.not_cancelled().with_people().filter(rotation=rotation, at=stint.ends_at)
    handoff = rows.first()
    return ChannelEvent(
        type=SHIFT_ENDED,
        id=f"shift-ended-{rotation.pk}-{stint.ends_at:%Y%m%dT%H%M%SZ}",
        occurred_at=stint.ends_at,
        title=f"Hand-off of {rotation}: {stint.engineer} → {after.engineer}",
        text=sheet_text(handoff, at=at) if handoff else "",
        path=reverse("handoff", args=[handoff.pk]) if handoff else reverse("schedule"),
        facts=(("Signed", _signatures(handoff)),) if handoff else (),
        data={**_stint_data(stint), "next_engineer": after.engineer.username},
    )


def _week(rotation: Rotation, *, monday: dt.datetime) -> ChannelEvent:
    stints = on_call_stints(rotation, starts_at=monday, ends_at=monday + WEEK)
    lines = [
        f"{stint.engineer}: {format_period(stint.starts_at, stint.ends_at, ZoneInfo(rotation.time_zone))}"
        for stint in stints
    ]
    return ChannelEvent(
        type=WEEK_STARTED,
        id=f"week-{rotation.pk}-{monday:%Y%m%d}",
        occurred_at=monday,
        title=f"On call for {rotation} this week: {_engineer_names(stints)}",
        text="\n".join(lines),
        path=reverse("schedule"),
        data={
            "rotation": rotation.slug,
            "starts_at": isoformat_z(monday),
            "ends_at": isoformat_z(monday + WEEK),
            "shifts": [_stint_data(stint) for stint in stints],
        },
    )


def _signatures(handoff: Handoff) -> str:
    missing = ", ".join(str(person) for person in handoff.missing_signers)
    return f"Not yet by {missing}" if missing else "By both"


def _engineer_names(stints: Iterable[Stint]) -> str:
    return ", ".join(dict.fromkeys(str(stint.engineer) for stint in stints)) or "Nobody"


def _stint_data(stint: Stint) -> dict[str, str | None]:
    return {
        "rotation": stint.rotation.slug,
        "engineer": stint.engineer.username,
        "starts_at": isoformat_z(stint.starts_at),
        "ends_at": isoformat_z(stint.ends_at),
    }


def _monday_morning(rotation: Rotation, *, at: dt.datetime) -> dt.datetime:
    """Return nine o'clock on this week's Monday in the rotation's time zone."""
    zone = ZoneInfo(rotation.time_zone)
    today = at.astimezone(zone).date()
    return dt.datetime.combine(today - dt.timedelta(days=today.weekday()), MONDAY_HOUR, zone).astimezone(dt.UTC)


def _local_time(instant: dt.datetime, rotation: Rotation) -> str:
    return format_instant(instant, ZoneInfo(rotation.time_zone))
