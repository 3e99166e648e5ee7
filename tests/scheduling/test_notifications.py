"""Notifications about the schedule: who gets them, once, what they say, and only what is still relevant when it is sent."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.exceptions import NotAllowedError
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant, message_link
from notifications.registry import load, local_time
from scheduling.domain.weeks import Move
from scheduling.models import Rotation, RotationWeek
from scheduling.notifications import (
    Gap,
    NewCover,
    NewCoverageGap,
    NewSwapRequest,
    ShiftEnd,
    ShiftStart,
    SwapAcceptance,
    TimeOffConflict,
    UrgentCoverageGap,
)
from scheduling.services.coverage_gaps import sync_coverage_gaps
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday
from scheduling.services.offboarding import deactivate
from scheduling.services.optimizer import apply_moves
from scheduling.services.reminders import notify_shift_changes, notify_time_off_conflicts
from scheduling.services.rosters import change_roster
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, expire_swaps, request_swap
from tests.factories import import_example, make_pipeline
from tests.snapshots import this_minute

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def rotation(db, now):
    import_example(at=now)
    Message.objects.all().delete()
    return Rotation.objects.get()


@pytest.fixture
def week(rotation, now):
    """Return a function that gives somebody's n-th coming week."""
    coming = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_on")
    return lambda person, number=0: coming.filter(engineer=person)[number]


def recipients(name):
    """Return the recipients of a notification type, by name."""
    rows = Message.objects.filter(type=name).select_related("recipient").order_by("recipient__display_name", "pk")
    return [row.recipient.display_name for row in rows]


def ask(rotation, week, one, other, *, by, at, **more):
    asked = SwapProposal(week(one).starts_on, week(other).starts_on, **more)
    return request_swap(rotation, proposal=asked, by=by, at=at)


def test_the_first_roster_notifies_nobody(rotation):
    assert not Message.objects.exists()


def test_a_swap_request_notifies_its_recipient_until_it_is_decided(rotation, week, a, b, now):
    swap = ask(rotation, week, a, b, by=a, at=now, message="Please.")
    (message,) = Message.objects.all()
    assert (message.recipient, message.type) == (b, "swap-requested")
    assert message_link(message) == f"http://127.0.0.1:8000/swaps/{swap.pk}/"
    assert "“Please.”" in message.text
    assert f"{week(b).starts_on.day} {week(b).starts_on:%b %Y}" in message.text
    assert message.expires_at == swap.expires_at
    assert is_still_relevant(message, at=now)
    cancel_swap(swap, by=a, at=now)
    assert not is_still_relevant(message, at=now)
    assert recipients("swap-closed") == ["Engineer A", "Engineer B"]


def test_a_request_by_an_admin_notifies_the_requester_too(rotation, week, a, b, admin, now):
    ask(rotation, week, a, b, by=admin, at=now)
    assert recipients("swap-requested") == ["Engineer A", "Engineer B"]
    assert "Admin requested a swap for you" in Message.objects.get(recipient=a).text


def test_a_request_to_anyone_notifies_the_others_on_the_roster(rotation, week, a, b, c, now):
    swap = request_swap(rotation, proposal=SwapProposal(week(a).starts_on), by=a, at=now)
    assert recipients("swap-requested") == ["Engineer B", "Engineer C", "Engineer D"]
    decline_swap(swap, by=b, at=now)
    assert not is_still_relevant(Message.objects.get(recipient=b), at=now)
    assert is_still_relevant(Message.objects.get(recipient=c), at=now)


def test_an_accepted_swap_notifies_both_and_the_admins_and_those_of_cancelled_requests(
    rotation, week, a, b, c, admin, now
):
    other = ask(rotation, week, a, c, by=a, at=now)
    swap = ask(rotation, week, a, b, by=a, at=now)
    accept_swap(swap, by=b, at=now)
    assert recipients("swap-accepted") == ["Admin", "Engineer A", "Engineer B"]
    message = Message.objects.filter(type="swap-accepted").first()
    assert f"Engineer B is on call in the week of {swap.offered_week.day} {swap.offered_week:%b %Y}." in message.text
    assert is_still_relevant(message, at=now)
    other.refresh_from_db()
    assert other.state == "void"
    assert recipients("swap-closed") == ["Engineer A", "Engineer C"]
    assert "now belongs to Engineer B" in Message.objects.filter(type="swap-closed").first().text


def test_a_declined_and_an_expired_request_notify_both(rotation, week, a, b, now):
    decline_swap(ask(rotation, week, a, b, by=a, at=now), by=b, at=now, comment="I cannot.")
    assert recipients("swap-closed") == ["Engineer A", "Engineer B"]
    assert "I cannot." in Message.objects.filter(type="swap-closed").first().text
    swap = ask(rotation, week, a, b, by=a, at=now)
    assert expire_swaps(at=swap.expires_at) == 1
    assert expire_swaps(at=swap.expires_at) == 0
    assert recipients("swap-closed") == ["Engineer A", "Engineer A", "Engineer B", "Engineer B"]
    assert "expired" in Message.objects.filter(type="swap-closed").first().subject


def test_a_refused_change_notifies_nobody(rotation, week, a, b, c, now):
    swap = ask(rotation, week, a, b, by=a, at=now)
    count = Message.objects.count()

    with pytest.raises(NotAllowedError):
        accept_swap(swap, by=c, at=now)
    assert Message.objects.count() == count


def test_a_new_roster_notifies_everyone_of_their_changes(rotation, week, a, b, c, d, admin, outsider, now):
    first = week(a)
    change_roster(rotation, engineers=[outsider, b, c, d], starts_on=first.starts_on, by=admin, at=now)
    assert recipients("shifts-changed") == ["Engineer A", "Outsider"]
    lost = Message.objects.get(recipient=a)
    assert f"– {first.starts_on.day} {first.starts_on:%b %Y}, now Outsider" in lost.text
    assert re.fullmatch(r"Your shifts changed: \d+ removed \(.*\)", lost.subject)
    assert "Weeks added" not in lost.text
    gained = Message.objects.get(recipient=outsider)
    assert f"+ {first.starts_on.day} {first.starts_on:%b %Y}, previously Engineer A" in gained.text


def test_a_plan_notifies_each_person_once(rotation, week, a, b, admin, now):
    moves = [Move(week(a).starts_on, a.person, b.person), Move(week(a, 1).starts_on, a.person, b.person)]
    apply_moves(rotation, moves=moves, by=admin, at=now)
    assert recipients("shifts-changed") == ["Engineer A", "Engineer B"]
    assert recipients("swap-accepted") == []
    assert Message.objects.get(recipient=b).text.count("+ ") == 2


def test_a_leavers_weeks_are_announced_to_their_new_engineers(rotation, a, admin, now):
    deactivate(a, by=admin, at=now)
    changed = recipients("shifts-changed")
    assert "Engineer A" not in changed
    assert set(changed) == {"Engineer B", "Engineer C", "Engineer D"}


def test_a_cover_notifies_both_when_it_is_created_and_when_it_ends(rotation, week, a, b, now):
    one = week(a)
    b.time_zone = "Europe/Berlin"
    b.save()
    cover = create_cover(rotation, data=CoverData(b, one.starts_at, one.starts_at + DAY, "dentist"), by=a, at=now)
    assert recipients("cover-created") == ["Engineer A", "Engineer B"]
    text = Message.objects.get(recipient=b).text
    assert "dentist" in text
    assert one.starts_at.astimezone(b.zone).strftime("%H:%M CE") in text
    assert "UTC" in Message.objects.get(recipient=a).text
    end_cover(cover, by=b, at=now)
    assert recipients("cover-ended") == ["Engineer A", "Engineer B"]


def test_coverage_gaps_notify_the_admins_once(rotation, a, b, admin, now):
    lonely = make_pipeline("Lonely", primary=a, secondary=b)
    for person in (a, b):
        days = HolidayData((now + 10 * DAY).date(), (now + 11 * DAY).date())
        create_holiday(person, data=days, by=person)
    sync_coverage_gaps(at=now)
    sync_coverage_gaps(at=now + SECOND)
    (message,) = Message.objects.filter(type="coverage-gap")
    assert (message.recipient, message.type) == (admin, "coverage-gap")
    assert lonely.full_name in message.text
    assert is_still_relevant(message, at=now)
    for block in a.holidays.all():
        delete_holiday(block, by=a)
    sync_coverage_gaps(at=now)
    assert not is_still_relevant(message, at=now)


def test_a_coverage_gap_within_a_day_is_urgent(rotation, a, b, admin, now):
    make_pipeline("Lonely", primary=a, secondary=b)
    for person in (a, b):
        create_holiday(person, data=HolidayData(now.date(), (now + DAY).date()), by=person)
    sync_coverage_gaps(at=now)
    assert Message.objects.get(type="coverage-gap-urgent").urgent


# Weeks that begin and end


def test_the_start_and_end_of_a_shift_are_notified_when_they_come(rotation, now):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    running = RotationWeek.objects.get(ends_at=first.starts_at)
    for minutes in (90, 60, 0):
        notify_shift_changes(at=first.starts_at - dt.timedelta(minutes=minutes))
    begins, ends = Message.objects.get(type="shift-started"), Message.objects.get(type="shift-ended")
    assert (begins.recipient, begins.due_at) == (first.engineer, first.starts_at)
    assert (ends.recipient, ends.due_at) == (running.engineer, first.starts_at)
    assert first.engineer.display_name in ends.text
    at = first.starts_at + SECOND
    assert is_still_relevant(begins, at=at)
    assert is_still_relevant(ends, at=at)
    assert not is_still_relevant(begins, at=first.starts_at - SECOND)
    assert not is_still_relevant(begins, at=first.ends_at)


def test_a_covered_engineer_is_notified_when_the_cover_ends(rotation, now, outsider):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    until = first.starts_at + DAY
    notify_shift_changes(at=first.starts_at - HOUR)
    own_start = Message.objects.get(type="shift-started")
    create_cover(rotation, data=CoverData(outsider, first.starts_at, until), by=first.engineer, at=now)
    for at in (first.starts_at - HOUR, first.starts_at, until - HOUR, until, until):
        notify_shift_changes(at=at)
    assert not is_still_relevant(own_start, at=first.starts_at + SECOND)
    cover_start = Message.objects.get(type="shift-started", recipient=outsider)
    assert cover_start.due_at == first.starts_at
    assert is_still_relevant(cover_start, at=first.starts_at + SECOND)
    assert f"It ends {local_time(until, outsider)}." in cover_start.text
    back = Message.objects.get(type="shift-started", recipient=first.engineer, due_at=until)
    assert is_still_relevant(back, at=until + SECOND)
    assert not is_still_relevant(back, at=until - SECOND)
    ended = Message.objects.get(type="shift-ended", recipient=outsider)
    assert (ended.due_at, is_still_relevant(ended, at=until + SECOND)) == (until, True)
    RotationWeek.objects.filter(pk=first.pk).update(engineer=outsider)
    assert not is_still_relevant(back, at=until + SECOND)


def test_a_cover_taken_in_the_middle_of_a_shift_notifies_both_at_once(rotation, week, a, outsider):
    now = week(a).starts_at + DAY
    cover = create_cover(rotation, data=CoverData(outsider, now, now + 2 * HOUR), by=a, at=now)
    notify_shift_changes(at=now + SECOND)
    started = Message.objects.get(type="shift-started", recipient=outsider)
    assert (started.due_at, is_still_relevant(started, at=now + SECOND)) == (now, True)
    assert Message.objects.get(type="shift-ended", recipient=a).due_at == now
    end_cover(cover, by=outsider, at=now + HOUR)
    notify_shift_changes(at=now + HOUR + SECOND)
    back = Message.objects.get(type="shift-started", recipient=a, due_at=now + HOUR)
    assert is_still_relevant(back, at=now + HOUR + SECOND)


def test_two_shifts_in_a_row_have_no_change_between_them(rotation, now):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    RotationWeek.objects.filter(pk=first.pk).update(engineer=RotationWeek.objects.get(ends_at=first.starts_at).engineer)
    notify_shift_changes(at=first.starts_at - dt.timedelta(hours=1))
    assert recipients("shift-ended") == []


# Holidays


def test_time_off_during_a_shift_notifies_the_engineer_and_those_who_step_in(rotation, week, a, now):
    one = week(a)
    block = create_holiday(a, data=HolidayData(one.starts_on + DAY, one.starts_on + 2 * DAY), by=a)
    notify_time_off_conflicts(at=now)
    notify_time_off_conflicts(at=now + SECOND)
    rows = {row.recipient.display_name: row for row in Message.objects.filter(type="time-off-conflict")}
    assert "you are away" in rows.pop("Engineer A").subject
    assert rows
    for row in rows.values():
        assert "You are covering for Engineer A" in row.subject
    assert all(is_still_relevant(row, at=now) for row in rows.values())
    delete_holiday(block, by=a)
    assert not any(is_still_relevant(row, at=now) for row in rows.values())


def test_a_covering_engineer_who_falls_ill_and_those_who_step_in_are_notified(rotation, week, a, outsider):
    now = week(a).starts_at + DAY
    create_cover(rotation, data=CoverData(outsider, now, now + 2 * DAY), by=a, at=now)
    create_holiday(outsider, data=HolidayData(now.date(), now.date() + DAY, kind="sick"), by=outsider)
    notify_time_off_conflicts(at=now + HOUR)
    rows = {row.recipient: row for row in Message.objects.filter(type="time-off-conflict")}
    assert rows.pop(outsider).subject == "Time-off conflict: you are away during your cover"
    assert rows
    for row in rows.values():
        assert row.subject == "You are covering for Outsider, who is away during their cover"


def test_time_off_that_is_covered_is_no_conflict_until_the_cover_is_cancelled(rotation, week, a, outsider, now):
    shift = week(a)
    cover = create_cover(rotation, data=CoverData(outsider, shift.starts_at, shift.ends_at), by=a, at=now)
    create_holiday(a, data=HolidayData(shift.starts_on + DAY, shift.starts_on + 2 * DAY), by=a)
    notify_time_off_conflicts(at=now)
    assert recipients("time-off-conflict") == []
    end_cover(cover, by=a, at=now)
    notify_time_off_conflicts(at=now)
    assert "Engineer A" in recipients("time-off-conflict")


def test_a_shift_swapped_into_time_off_is_notified_too(rotation, week, a, b, now):
    one = week(a)
    create_holiday(b, data=HolidayData(one.starts_on + DAY, one.starts_on + 2 * DAY), by=b)
    notify_time_off_conflicts(at=now)
    assert recipients("time-off-conflict") == []
    swap = ask(rotation, week, a, b, by=a, at=now)
    accept_swap(swap, by=b, at=now, acknowledge_conflicts=True)
    notify_time_off_conflicts(at=now)
    assert "Engineer B" in recipients("time-off-conflict")


def test_a_sweep_with_nothing_new_is_three_statements_at_most(rotation, week, a, b, c, now):
    for person in (a, b, c):
        day = week(person).starts_on + DAY
        create_holiday(person, data=HolidayData(day, day), by=person)
    notify_time_off_conflicts(at=now)
    with CaptureQueriesContext(connection) as captured:
        notify_time_off_conflicts(at=now)
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 4


def test_notifications_about_rows_that_are_gone_are_obsolete(a, now):
    week = now.date()
    gap = Gap(9, "Growth", now, now + DAY)
    period = {"starts_at": now, "ends_at": now + DAY}
    swap = {"swap_id": 9, "requester": "A", "offered_week": week, "decided_at": now, "decided_by": "", "reason": ""}
    cover = {"cover_id": 9, "rotation": "R", "engineer": "A", "covered_engineer": "B"}
    conflict = {"absence_id": 9, "week_id": 9, "cover_id": None, "engineer_id": a.pk, "engineer": "A", "rotation": "R"}
    request = {"requester_id": a.pk, "wanted_week": None, "third": "", "third_week": None, "message": ""}
    for notification in (
        NewSwapRequest(swap_id=9, requester="A", offered_week=week, **request, requested_by="", expires_at=now + DAY),
        SwapAcceptance(**swap, state="accepted", moves=()),
        NewCover(**cover, **period, reason=""),
        ShiftStart(rotation_id=9, rotation="R", starts_at=now),
        ShiftEnd(rotation_id=9, rotation="R", ended_at=now, next_engineer="B"),
        TimeOffConflict(**conflict, week=week, **period, stand_ins=()),
        NewCoverageGap(gaps=(gap,)),
        UrgentCoverageGap(gaps=(gap,)),
    ):
        assert load(notification.name, notification.context) == notification
        assert not notification.is_still_relevant(a, now)
