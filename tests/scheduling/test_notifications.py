"""What people are told of the schedule: who, once, in words, and only what is still true when it is sent."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.exceptions import NotAllowedError
from handbook.services import import_handbook
from notifications.models import Message
from notifications.registry import notification_type
from scheduling.domain.weeks import Move
from scheduling.models import Rotation, RotationWeek
from scheduling.services.coverage_gaps import sync_coverage_gaps
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday
from scheduling.services.offboarding import deactivate
from scheduling.services.optimizer import apply_moves
from scheduling.services.reminders import notify_absences_in_weeks, notify_shift_changes
from scheduling.services.rosters import change_roster
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, expire_swaps, request_swap
from tests.factories import make_pipeline

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def rotation(db, seed, now):
    import_handbook(seed.read_bytes(), at=now)
    Message.objects.all().delete()
    return Rotation.objects.get()


@pytest.fixture
def week(rotation, now):
    """Return a function that gives somebody's n-th coming week."""
    coming = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_on")
    return lambda person, number=0: coming.filter(engineer=person)[number]


def told(event):
    """Return who was told of an event, by name, with the subject."""
    rows = Message.objects.filter(event=event).select_related("recipient").order_by("recipient__display_name", "pk")
    return [row.recipient.display_name for row in rows]


def is_still_relevant(message, at):
    return notification_type(message.kind).is_still_relevant(message, at)


def ask(rotation, week, one, other, *, by, at, **more):
    asked = SwapProposal(week(one).starts_on, week(other).starts_on, **more)
    return request_swap(rotation, proposal=asked, by=by, at=at)


def test_nobody_is_told_of_the_first_roster(rotation):
    assert not Message.objects.exists()


def test_who_is_asked_is_told_and_no_longer_once_it_is_decided(rotation, week, a, b, now):
    swap = ask(rotation, week, a, b, by=a, at=now, message="Please.")
    (message,) = Message.objects.all()
    assert (message.recipient, message.kind, message.path) == (b, "swap-asked", f"/swaps/{swap.pk}/")
    assert "“Please.”" in message.text
    assert f"{week(b).starts_on.day} {week(b).starts_on:%b %Y}" in message.text
    assert message.expires_at == swap.expires_at
    assert is_still_relevant(message, now)
    cancel_swap(swap, by=a, at=now)
    assert not is_still_relevant(message, now)
    assert told("swap-cancelled") == ["Engineer A", "Engineer B"]


def test_who_offers_is_told_where_an_admin_asked_for_them(rotation, week, a, b, admin, now):
    ask(rotation, week, a, b, by=admin, at=now)
    assert told("swap-asked") == ["Engineer A", "Engineer B"]
    assert "Admin asks on Engineer A’s behalf." in Message.objects.get(recipient=a).text


def test_a_request_to_anyone_is_told_to_the_others_of_the_roster(rotation, week, a, b, c, now):
    swap = request_swap(rotation, proposal=SwapProposal(week(a).starts_on), by=a, at=now)
    assert told("swap-asked") == ["Engineer B", "Engineer C", "Engineer D"]
    decline_swap(swap, by=b, at=now)
    assert not is_still_relevant(Message.objects.get(recipient=b), now)
    assert is_still_relevant(Message.objects.get(recipient=c), now)


def test_an_accepted_swap_is_told_to_both_and_the_admins_and_the_voided_ones_too(rotation, week, a, b, c, admin, now):
    other = ask(rotation, week, a, c, by=a, at=now)
    swap = ask(rotation, week, a, b, by=a, at=now)
    accept_swap(swap, by=b, at=now)
    assert told("swap-accepted") == ["Admin", "Engineer A", "Engineer B"]
    message = Message.objects.filter(event="swap-accepted").first()
    assert f"Engineer B now holds the week of {swap.offered_week.day} {swap.offered_week:%b %Y}." in message.text
    assert is_still_relevant(message, now)
    other.refresh_from_db()
    assert other.state == "void"
    assert told("swap-void") == ["Engineer A", "Engineer C"]
    assert "Engineer B" in Message.objects.filter(event="swap-void").first().text


def test_a_declined_and_an_expired_request_are_told_to_both(rotation, week, a, b, now):
    decline_swap(ask(rotation, week, a, b, by=a, at=now), by=b, at=now, comment="I cannot.")
    assert told("swap-declined") == ["Engineer A", "Engineer B"]
    assert "I cannot." in Message.objects.filter(event="swap-declined").first().text
    swap = ask(rotation, week, a, b, by=a, at=now)
    assert expire_swaps(at=swap.expires_at) == 1
    assert expire_swaps(at=swap.expires_at) == 0
    assert told("swap-expired") == ["Engineer A", "Engineer B"]


def test_a_refused_change_tells_nobody(rotation, week, a, b, c, now):
    swap = ask(rotation, week, a, b, by=a, at=now)
    count = Message.objects.count()

    with pytest.raises(NotAllowedError):
        accept_swap(swap, by=c, at=now)
    assert Message.objects.count() == count


def test_a_new_roster_tells_everybody_their_difference(rotation, week, a, b, c, d, admin, outsider, now):
    first = week(a)
    change_roster(rotation, engineers=[outsider, b, c, d], starts_on=first.starts_on, by=admin, at=now)
    assert told("weeks-changed") == ["Engineer A", "Outsider"]
    lost = Message.objects.get(recipient=a)
    assert f"– {first.starts_on.day} {first.starts_on:%b %Y}, now Outsider’s" in lost.text
    assert "fewer" in lost.subject
    assert "You now hold" not in lost.text
    gained = Message.objects.get(recipient=outsider)
    assert f"+ {first.starts_on.day} {first.starts_on:%b %Y}, until now Engineer A’s" in gained.text


def test_a_plan_tells_each_person_once(rotation, week, a, b, admin, now):
    moves = [Move(week(a).starts_on, a.pk, b.pk), Move(week(a, 1).starts_on, a.pk, b.pk)]
    apply_moves(rotation, moves=moves, by=admin, at=now)
    assert told("weeks-changed") == ["Engineer A", "Engineer B"]
    assert told("swap-accepted") == []
    assert Message.objects.get(recipient=b).text.count("+ ") == 2


def test_a_leaver_s_weeks_are_told_to_those_who_get_them(rotation, a, admin, now):
    deactivate(a, by=admin, at=now)
    changed = told("weeks-changed")
    assert "Engineer A" not in changed
    assert set(changed) == {"Engineer B", "Engineer C", "Engineer D"}


def test_a_cover_is_told_to_both_when_it_is_taken_and_when_it_ends(rotation, week, a, b, now):
    one = week(a)
    b.time_zone = "Europe/Berlin"
    b.save()
    cover = create_cover(rotation, data=CoverData(b, one.starts_at, one.starts_at + DAY, "dentist"), by=a, at=now)
    assert told("cover-taken") == ["Engineer A", "Engineer B"]
    text = Message.objects.get(recipient=b).text
    assert "dentist" in text
    assert one.starts_at.astimezone(b.zone).strftime("%H:%M CE") in text
    assert "UTC" in Message.objects.get(recipient=a).text
    end_cover(cover, by=b, at=now)
    assert told("cover-ended") == ["Engineer A", "Engineer B"]


def test_moments_nobody_covers_are_told_to_the_admins_once(rotation, a, b, admin, now):
    lonely = make_pipeline("Lonely", primary=a, secondary=b)
    for person in (a, b):
        days = HolidayData((now + 10 * DAY).date(), (now + 11 * DAY).date())
        create_holiday(person, data=days, by=person)
    sync_coverage_gaps(at=now)
    sync_coverage_gaps(at=now + SECOND)
    (message,) = Message.objects.filter(event="uncovered")
    assert (message.recipient, message.kind) == (admin, "uncovered")
    assert lonely.full_name in message.text
    assert is_still_relevant(message, now)
    for block in a.holidays.all():
        delete_holiday(block, by=a)
    sync_coverage_gaps(at=now)
    assert not is_still_relevant(message, now)


def test_a_moment_nobody_covers_within_a_day_is_urgent(rotation, a, b, admin, now):
    make_pipeline("Lonely", primary=a, secondary=b)
    for person in (a, b):
        create_holiday(person, data=HolidayData(now.date(), (now + DAY).date()), by=person)
    sync_coverage_gaps(at=now)
    assert Message.objects.get(event="uncovered").urgent


# Weeks that begin and end


def test_a_week_s_beginning_and_end_are_told_when_they_come(rotation, now):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    running = RotationWeek.objects.get(ends_at=first.starts_at)
    for minutes in (90, 60, 0):
        notify_shift_changes(at=first.starts_at - dt.timedelta(minutes=minutes))
    begins, ends = Message.objects.get(event="week-begins"), Message.objects.get(event="week-ends")
    assert (begins.recipient, begins.due_at) == (first.engineer, first.starts_at)
    assert (ends.recipient, ends.due_at) == (running.engineer, first.starts_at)
    assert first.engineer.display_name in ends.text
    at = first.starts_at + SECOND
    assert is_still_relevant(begins, at)
    assert is_still_relevant(ends, at)
    assert not is_still_relevant(begins, first.starts_at - SECOND)
    assert not is_still_relevant(begins, first.ends_at)


def test_who_is_covered_or_gave_the_week_away_is_not_told_that_it_begins(rotation, now, outsider):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    notify_shift_changes(at=first.starts_at - dt.timedelta(hours=1))
    begins = Message.objects.get(event="week-begins")
    span = CoverData(outsider, first.starts_at, first.starts_at + DAY)
    create_cover(rotation, data=span, by=first.engineer, at=now)
    assert not is_still_relevant(begins, first.starts_at + SECOND)
    assert is_still_relevant(begins, first.starts_at + DAY)
    RotationWeek.objects.filter(pk=first.pk).update(engineer=outsider)
    assert not is_still_relevant(begins, first.starts_at + DAY)


def test_who_goes_on_is_not_told_that_the_week_ends(rotation, now):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    RotationWeek.objects.filter(pk=first.pk).update(engineer=RotationWeek.objects.get(ends_at=first.starts_at).engineer)
    notify_shift_changes(at=first.starts_at - dt.timedelta(hours=1))
    assert told("week-ends") == []


# Holidays


def test_a_holiday_in_one_s_week_is_told_to_its_engineer_and_who_steps_in(rotation, week, a, now):
    one = week(a)
    block = create_holiday(a, data=HolidayData(one.starts_on + DAY, one.starts_on + 2 * DAY), by=a)
    notify_absences_in_weeks(at=now)
    notify_absences_in_weeks(at=now + SECOND)
    rows = {row.recipient.display_name: row for row in Message.objects.filter(event="holiday-hits")}
    assert "You are away" in rows.pop("Engineer A").subject
    assert rows
    for row in rows.values():
        assert "You step in for Engineer A" in row.subject
    assert all(is_still_relevant(row, now) for row in rows.values())
    delete_holiday(block, by=a)
    assert not any(is_still_relevant(row, now) for row in rows.values())


def test_a_week_swapped_into_a_holiday_is_told_too(rotation, week, a, b, now):
    one = week(a)
    create_holiday(b, data=HolidayData(one.starts_on + DAY, one.starts_on + 2 * DAY), by=b)
    notify_absences_in_weeks(at=now)
    assert told("holiday-hits") == []
    swap = ask(rotation, week, a, b, by=a, at=now)
    accept_swap(swap, by=b, at=now, acknowledge_conflicts=True)
    notify_absences_in_weeks(at=now)
    assert "Engineer B" in told("holiday-hits")


def test_a_sweep_with_nothing_new_is_three_statements_at_most(rotation, week, a, b, c, now):
    for person in (a, b, c):
        day = week(person).starts_on + DAY
        create_holiday(person, data=HolidayData(day, day), by=person)
    notify_absences_in_weeks(at=now)
    with CaptureQueriesContext(connection) as captured:
        notify_absences_in_weeks(at=now)
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 4


def test_every_kind_says_whether_it_is_still_true_of_rows_that_are_gone(rotation, week, a, now, admin):
    kinds = ("swap-asked", "swap-accepted", "week-begins", "week-ends", "holiday-hits", "uncovered")
    occurrences = {"week-begins": f"9@{now.isoformat()}", "week-ends": f"9@{now.isoformat()}", "holiday-hits": "9.9"}
    for kind in kinds:
        occurrence = occurrences.get(kind, "999999-999999" if kind == "uncovered" else "999999")
        row = Message(kind=kind, occurrence=occurrence, recipient=a)
        assert not is_still_relevant(row, now)
