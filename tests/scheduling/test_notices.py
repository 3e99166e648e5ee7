"""What people are told of the schedule: who, once, in words, and only what is still true when it is sent."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.kinds import kind_named
from notifications.models import Message
from oncall_site.handbook import import_handbook
from scheduling.commands import (
    Asked,
    Dates,
    Span,
    accept_swap,
    apply_moves,
    block_holiday,
    cancel_swap,
    change_roster,
    deactivate,
    decline_swap,
    end_cover,
    expire_swaps,
    keep_gaps,
    remove_holiday,
    request_swap,
    take_cover,
    tell_of_holidays,
    tell_of_weeks,
)
from scheduling.engine.turns import Move
from scheduling.models import Rotation, RotationWeek
from tests.make import make_pipeline

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


def still_true(message, at):
    return kind_named(message.kind).still_true(message, at)


def ask(rotation, week, one, other, *, by, at, **more):
    asked = Asked(week(one).starts_on, week(other).starts_on, **more)
    return request_swap(rotation, asked=asked, by=by, at=at)


def test_nobody_is_told_of_the_first_roster(rotation):
    assert not Message.objects.exists()


def test_who_is_asked_is_told_and_no_longer_once_it_is_decided(rotation, week, a, b, now):
    swap = ask(rotation, week, a, b, by=a, at=now, message="Please.")
    (message,) = Message.objects.all()
    assert (message.recipient, message.kind, message.path) == (b, "swap-asked", f"/swaps/{swap.pk}/")
    assert "“Please.”" in message.text
    assert f"{week(b).starts_on.day} {week(b).starts_on:%b %Y}" in message.text
    assert message.expires_at == swap.expires_at
    assert still_true(message, now)
    cancel_swap(swap, by=a, at=now)
    assert not still_true(message, now)
    assert told("swap-cancelled") == ["Engineer A", "Engineer B"]


def test_who_offers_is_told_where_an_admin_asked_for_them(rotation, week, a, b, admin, now):
    ask(rotation, week, a, b, by=admin, at=now)
    assert told("swap-asked") == ["Engineer A", "Engineer B"]
    assert "Admin asks on Engineer A’s behalf." in Message.objects.get(recipient=a).text


def test_a_request_to_anyone_is_told_to_the_others_of_the_roster(rotation, week, a, b, c, now):
    swap = request_swap(rotation, asked=Asked(week(a).starts_on), by=a, at=now)
    assert told("swap-asked") == ["Engineer B", "Engineer C", "Engineer D"]
    decline_swap(swap, by=b, at=now)
    assert not still_true(Message.objects.get(recipient=b), now)
    assert still_true(Message.objects.get(recipient=c), now)


def test_an_accepted_swap_is_told_to_both_and_the_admins_and_the_voided_ones_too(rotation, week, a, b, c, admin, now):
    other = ask(rotation, week, a, c, by=a, at=now)
    swap = ask(rotation, week, a, b, by=a, at=now)
    accept_swap(swap, by=b, at=now)
    assert told("swap-accepted") == ["Admin", "Engineer A", "Engineer B"]
    message = Message.objects.filter(event="swap-accepted").first()
    assert f"Engineer B now holds the week of {swap.offered_week.day} {swap.offered_week:%b %Y}." in message.text
    assert still_true(message, now)
    other.refresh_from_db()
    assert other.state == "void"
    assert told("swap-void") == ["Engineer A", "Engineer C"]
    assert "Engineer B’s" in Message.objects.filter(event="swap-void").first().text


def test_a_declined_and_an_expired_request_are_told_to_both(rotation, week, a, b, now):
    decline_swap(ask(rotation, week, a, b, by=a, at=now), by=b, at=now, word="I cannot.")
    assert told("swap-declined") == ["Engineer A", "Engineer B"]
    assert "I cannot." in Message.objects.filter(event="swap-declined").first().text
    swap = ask(rotation, week, a, b, by=a, at=now)
    assert expire_swaps(at=swap.expires_at) == 1
    assert expire_swaps(at=swap.expires_at) == 0
    assert told("swap-expired") == ["Engineer A", "Engineer B"]


def test_a_refused_change_tells_nobody(rotation, week, a, b, c, now):
    swap = ask(rotation, week, a, b, by=a, at=now)
    count = Message.objects.count()
    from people.refusals import Forbidden

    with pytest.raises(Forbidden):
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
    cover = take_cover(rotation, span=Span(b, one.starts_at, one.starts_at + DAY, "dentist"), by=a, at=now)
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
        days = Dates((now + 10 * DAY).date(), (now + 11 * DAY).date())
        block_holiday(person, dates=days, by=person)
    keep_gaps(at=now)
    keep_gaps(at=now + SECOND)
    (message,) = Message.objects.filter(event="uncovered")
    assert (message.recipient, message.kind) == (admin, "uncovered")
    assert lonely.full_name in message.text
    assert still_true(message, now)
    for block in a.holidays.all():
        remove_holiday(block, by=a)
    keep_gaps(at=now)
    assert not still_true(message, now)


def test_a_moment_nobody_covers_within_a_day_is_urgent(rotation, a, b, admin, now):
    make_pipeline("Lonely", primary=a, secondary=b)
    for person in (a, b):
        block_holiday(person, dates=Dates(now.date(), (now + DAY).date()), by=person)
    keep_gaps(at=now)
    assert Message.objects.get(event="uncovered").urgent


# Weeks that begin and end


def test_a_week_s_beginning_and_end_are_told_when_they_come(rotation, now):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    running = RotationWeek.objects.get(ends_at=first.starts_at)
    for minutes in (90, 60, 0):
        tell_of_weeks(at=first.starts_at - dt.timedelta(minutes=minutes))
    begins, ends = Message.objects.get(event="week-begins"), Message.objects.get(event="week-ends")
    assert (begins.recipient, begins.due_at) == (first.engineer, first.starts_at)
    assert (ends.recipient, ends.due_at) == (running.engineer, first.starts_at)
    assert first.engineer.display_name in ends.text
    at = first.starts_at + SECOND
    assert still_true(begins, at)
    assert still_true(ends, at)
    assert not still_true(begins, first.starts_at - SECOND)
    assert not still_true(begins, first.ends_at)


def test_who_is_covered_or_gave_the_week_away_is_not_told_that_it_begins(rotation, now, outsider):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    tell_of_weeks(at=first.starts_at - dt.timedelta(hours=1))
    begins = Message.objects.get(event="week-begins")
    span = Span(outsider, first.starts_at, first.starts_at + DAY)
    take_cover(rotation, span=span, by=first.engineer, at=now)
    assert not still_true(begins, first.starts_at + SECOND)
    assert still_true(begins, first.starts_at + DAY)
    RotationWeek.objects.filter(pk=first.pk).update(engineer=outsider)
    assert not still_true(begins, first.starts_at + DAY)


def test_who_goes_on_is_not_told_that_the_week_ends(rotation, now):
    first = RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_at").first()
    RotationWeek.objects.filter(pk=first.pk).update(engineer=RotationWeek.objects.get(ends_at=first.starts_at).engineer)
    tell_of_weeks(at=first.starts_at - dt.timedelta(hours=1))
    assert told("week-ends") == []


# Holidays


def test_a_holiday_in_one_s_week_is_told_to_its_engineer_and_who_steps_in(rotation, week, a, now):
    one = week(a)
    block = block_holiday(a, dates=Dates(one.starts_on + DAY, one.starts_on + 2 * DAY), by=a)
    tell_of_holidays(at=now)
    tell_of_holidays(at=now + SECOND)
    rows = {row.recipient.display_name: row for row in Message.objects.filter(event="holiday-hits")}
    assert "You are away" in rows.pop("Engineer A").subject
    assert rows
    for row in rows.values():
        assert "You step in for Engineer A" in row.subject
    assert all(still_true(row, now) for row in rows.values())
    remove_holiday(block, by=a)
    assert not any(still_true(row, now) for row in rows.values())


def test_a_week_swapped_into_a_holiday_is_told_too(rotation, week, a, b, now):
    one = week(a)
    block_holiday(b, dates=Dates(one.starts_on + DAY, one.starts_on + 2 * DAY), by=b)
    tell_of_holidays(at=now)
    assert told("holiday-hits") == []
    swap = ask(rotation, week, a, b, by=a, at=now)
    accept_swap(swap, by=b, at=now, acknowledge_conflicts=True)
    tell_of_holidays(at=now)
    assert "Engineer B" in told("holiday-hits")


def test_a_sweep_with_nothing_new_is_three_statements_at_most(rotation, week, a, b, c, now):
    for person in (a, b, c):
        day = week(person).starts_on + DAY
        block_holiday(person, dates=Dates(day, day), by=person)
    tell_of_holidays(at=now)
    with CaptureQueriesContext(connection) as captured:
        tell_of_holidays(at=now)
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 4


def test_every_kind_says_whether_it_is_still_true_of_rows_that_are_gone(rotation, week, a, now, admin):
    kinds = ("swap-asked", "swap-accepted", "week-begins", "week-ends", "holiday-hits", "uncovered")
    occurrences = {"week-begins": f"9@{now.isoformat()}", "week-ends": f"9@{now.isoformat()}", "holiday-hits": "9.9"}
    for kind in kinds:
        occurrence = occurrences.get(kind, "999999-999999" if kind == "uncovered" else "999999")
        row = Message(kind=kind, occurrence=occurrence, recipient=a)
        assert not still_true(row, now)
