"""Reading somebody else's calendar: busy whole days, and nothing that passes the limits."""

import datetime as dt
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.ical_busy import UnreadableCalendarError, busy_days
from scheduling.ical_subprocess import busy_days_within

FIRST, LAST = dt.date(2026, 11, 1), dt.date(2027, 12, 31)


def calendar(*events, head="BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y\n"):
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"{head}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def event(start="20261221", *lines, uid="u1"):
    return "\n".join([f"UID:{uid}", f"DTSTART;VALUE=DATE:{start}", "SUMMARY:Skiing", *lines])


def days(*events):
    return [(str(one.starts_on), str(one.ends_on)) for one in busy_days(calendar(*events), first=FIRST, last=LAST)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], [("2026-12-21", "2026-12-21")]),
        (["DTEND;VALUE=DATE:20261226"], [("2026-12-21", "2026-12-25")]),
        (["DURATION:P3D"], [("2026-12-21", "2026-12-23")]),
        (["DTEND;VALUE=DATE:20261221"], [("2026-12-21", "2026-12-21")]),
        (["TRANSP:TRANSPARENT"], []),
        (["TRANSP:OPAQUE"], [("2026-12-21", "2026-12-21")]),
        (["STATUS:CANCELLED"], []),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], []),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF"], [("2026-12-21", "2026-12-21")]),
        (["RRULE:FREQ=WEEKLY;COUNT=3"], [("2026-12-21", "2026-12-21"), ("2026-12-28", "2026-12-28"), ("2027-01-04", "2027-01-04")]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20261228"], [("2026-12-21", "2026-12-21"), ("2026-12-28", "2026-12-28")]),
        (["RRULE:FREQ=WEEKLY;UNTIL=20261228T000000Z"], [("2026-12-21", "2026-12-21"), ("2026-12-28", "2026-12-28")]),
        (["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20261228"], [("2026-12-21", "2026-12-21"), ("2027-01-04", "2027-01-04")]),
        (["RDATE;VALUE=DATE:20270201,20270301"], [("2026-12-21", "2026-12-21"), ("2027-02-01", "2027-02-01"), ("2027-03-01", "2027-03-01")]),
        (["DTEND;VALUE=DATE:20281221"], [("2026-12-21", "2027-12-21"), ("2027-12-22", "2028-12-20")]),
    ],
)  # fmt: skip
def test_busy_whole_days_are_read(lines, expected):
    assert days(event("20261221", *lines)) == expected


def test_an_event_with_hours_and_one_outside_the_window_are_left_out():
    timed = "UID:t\nDTSTART:20261221T100000Z\nDTEND:20261222T100000Z"
    assert days(timed, event("20200101", uid="old"), event("20300101", uid="far")) == []


def test_an_event_that_began_before_the_window_and_lasts_into_it_counts():
    assert days(event("20261025", "DTEND;VALUE=DATE:20261103")) == [("2026-10-25", "2026-11-02")]


def test_an_occurrence_that_was_moved_or_cancelled_replaces_the_one_of_the_rule():
    rule = event("20261221", "RRULE:FREQ=WEEKLY;COUNT=3")
    moved = event("20261230", "RECURRENCE-ID;VALUE=DATE:20261228")
    cancelled = event("20270104", "RECURRENCE-ID;VALUE=DATE:20270104", "STATUS:CANCELLED")
    assert days(rule, moved, cancelled) == [("2026-12-21", "2026-12-21"), ("2026-12-30", "2026-12-30")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "calendar"),
        (b"<html>Sign in</html>", "calendar"),
        (b"x" * (512 * 1024 + 1), "512 KiB"),
        (calendar(*[event(uid=str(number)) for number in range(2_001)]), "2,000 events"),
        (calendar(event("20261221", "RRULE:FREQ=HOURLY")), "within a day"),
        (calendar(event("20261221", "RRULE:FREQ=SECONDLY;COUNT=5")), "within a day"),
        (calendar(event("20261221", "RRULE:FREQ=DAILY;BYHOUR=1,2,3")), "within a day"),
        (calendar(event("00010101", "RRULE:FREQ=DAILY")), "occurrences"),
        (calendar(*[event("20261101", "RRULE:FREQ=DAILY", uid=str(number)) for number in range(5)]), "1,000"),
    ],
)
def test_what_passes_a_limit_is_unreadable_and_says_which(text, why):
    with pytest.raises(UnreadableCalendarError, match=why):
        busy_days(text, first=FIRST, last=LAST)


def test_an_empty_calendar_is_read_as_empty():
    assert busy_days(calendar(), first=FIRST, last=LAST) == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4",
    ],
)
def test_a_rule_that_never_comes_true_ends_at_the_time_limit(rule):
    text = calendar(*[event("00010101", f"RRULE:{rule}", uid=str(number)) for number in range(200)])
    began = time.monotonic()
    with pytest.raises(UnreadableCalendarError, match="longer than 2 seconds"):
        busy_days_within(text, first=FIRST, last=LAST, seconds=2)
    assert time.monotonic() - began < 4


def test_in_its_own_process_it_says_the_same():
    text = calendar(event("20261221", "DTEND;VALUE=DATE:20261226"))
    assert busy_days_within(text, first=FIRST, last=LAST) == busy_days(text, first=FIRST, last=LAST)
    with pytest.raises(UnreadableCalendarError, match="does not answer with a calendar"):
        busy_days_within(b"nothing", first=FIRST, last=LAST)


SEED = calendar(
    event("20261221", "DTEND;VALUE=DATE:20261226", "RRULE:FREQ=YEARLY;COUNT=3", "EXDATE;VALUE=DATE:20271221"),
    event("20261230", "RECURRENCE-ID;VALUE=DATE:20261221", "RDATE;VALUE=DATE:20270201"),
)


@settings(max_examples=300, deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, len(SEED) - 1), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, len(SEED)),
)
def test_a_damaged_calendar_is_read_or_unreadable_and_nothing_else(places, cut):
    damaged = bytearray(SEED)
    for place, value in places:
        damaged[place] = value
    try:
        found = busy_days(bytes(damaged[:cut] if cut % 3 == 0 else damaged), first=FIRST, last=LAST)
    except UnreadableCalendarError as error:
        assert str(error)
    else:
        assert all(one.starts_on <= one.ends_on <= one.starts_on + dt.timedelta(days=365) for one in found)
