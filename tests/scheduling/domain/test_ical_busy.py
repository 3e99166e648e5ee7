"""All-day busy events of iCalendar files, as calendar clients write them, and the limits of reading them."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.ical_busy import SkippedEvent, busy_days
from scheduling.domain.ical_parser import UnreadableCalendarError
from scheduling.ical_subprocess import busy_days_within
from tests.each import each
from tests.scheduling.ical import calendar, event
from tests.thorough import cases

FIRST, LAST = dt.date(2026, 11, 1), dt.date(2027, 12, 31)
DAMAGED_RULE = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"


def read(*events, zone="Europe/Berlin", **header):
    return busy_days(calendar(*events, **header), first=FIRST, last=LAST, zone=zone)


def days(*events, **options):
    """Return the dates of the busy days, "2026-12-07" or "2026-12-07/2026-12-11"; nothing may be skipped."""
    actual = read(*events, **options)
    assert actual.skipped == []
    return [
        str(one.starts_on) if one.starts_on == one.ends_on else f"{one.starts_on}/{one.ends_on}"
        for one in actual.events
    ]


def lines(*values, uid="u1"):
    return "\n".join([f"UID:{uid}", "SUMMARY:Skiing", *values])


# Dates


@each(
    ("values", "expected"),
    [
        ([], ["2026-12-21"]),
        (["DTEND;VALUE=DATE:20261226"], ["2026-12-21/2026-12-25"]),
        (["DURATION:P3D"], ["2026-12-21/2026-12-23"]),
        (["DURATION:P1W"], ["2026-12-21/2026-12-27"]),
        (["DTEND;VALUE=DATE:20261221"], ["2026-12-21"]),
        (["DTEND:20261223T000000"], ["2026-12-21/2026-12-22"]),
        (["DTEND:20261223T170000"], ["2026-12-21/2026-12-23"]),
        (["TRANSP:TRANSPARENT"], []),
        (["TRANSP:OPAQUE"], ["2026-12-21"]),
        (["STATUS:CANCELLED"], []),
        (["STATUS:TENTATIVE"], ["2026-12-21"]),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], []),
        (["X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"], []),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF"], ["2026-12-21"]),
        (["DTEND;VALUE=DATE:20281221"], ["2026-12-21/2027-12-21", "2027-12-22/2028-12-20"]),
    ],
)
def test_an_event_of_dates_covers_its_days(values, expected):
    assert days(event("20261221", *values)) == expected


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("DTSTART;TZID=Europe/Berlin;VALUE=DATE:20261207", "DTEND;TZID=Europe/Berlin;VALUE=DATE:20261208"),
        ("DTSTART:20261207", "DTEND:20261208"),
        ("DTSTART;VALUE=DATE:20261207T000000", "DTEND;VALUE=DATE:20261208T000000"),
        ("dtstart;value=date:20261207", "dtend;value=date:20261208"),
    ],
)
def test_a_date_is_a_date_whatever_its_parameters(start, end):
    assert days(lines(start, end)) == ["2026-12-07"]


# Times


@each(
    ("start", "end", "expected"),
    [
        # Nextcloud's out of office, Outlook, Exchange's own zone names, floating times.
        (";TZID=Europe/Berlin:20261207T000000", ";TZID=Europe/Berlin:20261212T000000", ["2026-12-07/2026-12-11"]),
        (";TZID=W. Europe Standard Time:20261207T000000", ";TZID=W. Europe Standard Time:20261208T000000", ["2026-12-07"]),
        (';TZID="(UTC+01:00) Berlin, Rome":20261207T000000', ';TZID="(UTC+01:00) Berlin, Rome":20261208T000000', ["2026-12-07"]),
        (";TZID=(UTC+01:00) Berlin:20261207T000000", ";TZID=(UTC+01:00) Berlin:20261208T000000", ["2026-12-07"]),
        (";TZID=/freeassociation.sourceforge.net/Europe/Berlin:20261207T000000", ";TZID=Europe/Berlin:20261208T000000", ["2026-12-07"]),
        (":20261207T000000", ":20261209T000000", ["2026-12-07/2026-12-08"]),
        # Local midnights written in UTC, and days of UTC.
        (":20261206T230000Z", ":20261211T230000Z", ["2026-12-07/2026-12-11"]),
        (":20261207T000000Z", ":20261208T000000Z", ["2026-12-07"]),
        (";TZID=Europe/Berlin:20261207T000000", ":20261207T230000Z", ["2026-12-07"]),
        # Until a minute before midnight.
        (":20261207T000000", ":20261208T235900", ["2026-12-07/2026-12-08"]),
        (";TZID=Europe/Berlin:20261207T000000", ";TZID=Europe/Berlin:20261207T235959", ["2026-12-07"]),
        # Clocks change: days of 23 and 25 hours, and a day that begins at 01:00.
        (";TZID=Europe/Berlin:20270328T000000", ";TZID=Europe/Berlin:20270329T000000", ["2027-03-28"]),
        (":20270327T230000Z", ":20270328T220000Z", ["2027-03-28"]),
        (":20271030T220000Z", ":20271031T230000Z", ["2027-10-31"]),
        (";TZID=America/Santiago:20270905T010000", ";TZID=America/Santiago:20270906T000000", ["2027-09-05"]),
        # Timed.
        (":20261221T100000Z", ":20261222T100000Z", []),
        (":20261221T090000", ":20261224T170000", []),
        (":20261221T000000", ":20261221T120000", []),
    ],
)  # fmt: skip
def test_an_event_from_midnight_to_midnight_in_its_zone_is_all_day(start, end, expected):
    assert days(lines(f"DTSTART{start}", f"DTEND{end}")) == expected


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        (";TZID=Europe/Berlin:20261207T000000", "P2D", ["2026-12-07/2026-12-08"]),
        (";TZID=Europe/Berlin:20261207T000000", "PT24H", ["2026-12-07"]),
        (";TZID=Europe/Berlin:20271031T000000", "PT25H", ["2027-10-31"]),
        (";TZID=Europe/Berlin:20271031T000000", "P1D", ["2027-10-31"]),
        (";TZID=Europe/Berlin:20261207T000000", "PT8H", []),
    ],
)
def test_a_duration_ends_at_midnight_too(start, duration, expected):
    assert days(lines(f"DTSTART{start}", f"DURATION:{duration}")) == expected


def test_midnight_counts_in_the_zone_of_the_calendar_before_that_of_the_engineer():
    tokyo = lines("DTSTART:20261206T150000Z", "DTEND:20261207T150000Z")
    assert days(tokyo, zone="UTC") == []
    assert days(tokyo, zone="UTC", header="X-WR-TIMEZONE:Asia/Tokyo") == ["2026-12-07"]
    assert days(tokyo, zone="Asia/Tokyo") == ["2026-12-07"]


@each("flag", ["X-MICROSOFT-CDO-ALLDAYEVENT:TRUE", "X-FUNAMBOL-ALLDAY:1"])
@each("zone", ["Europe/Berlin", "UTC", "America/New_York"])
def test_the_all_day_flag_of_outlook_makes_an_event_all_day(flag, zone):
    assert days(lines("DTSTART:20261207T000000Z", "DTEND:20261209T000000Z", flag), zone="UTC") == [
        "2026-12-07/2026-12-08"
    ]
    local = lines("DTSTART;TZID=Some Zone:20261207T000000", "DTEND;TZID=Some Zone:20261208T000000", flag)
    assert days(local, zone=zone) == ["2026-12-07"]
    assert days(lines("DTSTART;TZID=Europe/Berlin:20261207T000000", flag), zone=zone) == ["2026-12-07"]


def test_events_outside_the_window_are_left_out_and_those_that_reach_into_it_are_not():
    assert days(event("20200101", uid="old"), event("20300101", uid="far")) == []
    assert days(event("20261025", "DTEND;VALUE=DATE:20261103")) == ["2026-10-25/2026-11-02"]


# Recurrence

WEEKLY = ["2026-12-07", "2026-12-14", "2026-12-21"]
TIMED = ["DTSTART;TZID=Europe/Berlin:20261207T000000", "DTEND;TZID=Europe/Berlin:20261208T000000"]
SERIES = {
    "dates": ["DTSTART;VALUE=DATE:20261207", "DTEND;VALUE=DATE:20261208"],
    "zone": TIMED,
    "Windows zone": [line.replace("Europe/Berlin", "W. Europe Standard Time") for line in TIMED],
    "UTC": ["DTSTART:20261206T230000Z", "DTEND:20261207T230000Z"],
    "floating": ["DTSTART:20261207T000000", "DTEND:20261208T000000"],
}


@pytest.fixture(params=SERIES.values(), ids=SERIES.keys())
def series(request):
    """Three Mondays, the first on 7 December, in each way to write them."""
    return request.param


def test_a_weekly_series(series):
    assert days(lines(*series, "RRULE:FREQ=WEEKLY;COUNT=3")) == WEEKLY


@pytest.mark.parametrize(
    "until", ["20261221", "20261220T230000Z", "20261221T000000", "20261221T225959Z", "20261221T235959"]
)
def test_the_end_of_a_series_is_a_date_or_a_time(series, until):
    assert days(lines(*series, f"RRULE:FREQ=WEEKLY;UNTIL={until}")) == WEEKLY


@pytest.mark.parametrize(
    "excluded",
    [
        ";VALUE=DATE:20261214",
        ":20261214",
        ";TZID=Europe/Berlin:20261214T000000",
        ":20261213T230000Z",
        ":20261214T000000",
        ";TZID=W. Europe Standard Time:20261214T000000",
        ";VALUE=DATE:20261214,20261228",
    ],
)
def test_an_excluded_occurrence_is_a_date_or_a_time(series, excluded):
    assert days(lines(*series, "RRULE:FREQ=WEEKLY;COUNT=3", f"EXDATE{excluded}")) == ["2026-12-07", "2026-12-21"]


@pytest.mark.parametrize(
    "replaced", [";VALUE=DATE:20261214", ";TZID=Europe/Berlin:20261214T000000", ":20261213T230000Z", ":20261214T000000"]
)
def test_a_changed_occurrence_is_named_by_a_date_or_a_time(series, replaced):
    rule = lines(*series, "RRULE:FREQ=WEEKLY;COUNT=3")
    moved = lines("DTSTART;VALUE=DATE:20261216", f"RECURRENCE-ID{replaced}")
    assert days(rule, moved) == ["2026-12-07", "2026-12-16", "2026-12-21"]
    assert days(moved, rule) == ["2026-12-07", "2026-12-16", "2026-12-21"]
    cancelled = lines("DTSTART;VALUE=DATE:20261214", f"RECURRENCE-ID{replaced}", "STATUS:CANCELLED")
    assert days(rule, cancelled) == ["2026-12-07", "2026-12-21"]
    timed = lines("DTSTART:20261214T100000Z", "DTEND:20261214T110000Z", f"RECURRENCE-ID{replaced}")
    assert days(rule, timed) == ["2026-12-07", "2026-12-21"]


def test_a_change_of_this_and_future_occurrences_moves_all_that_follow(series):
    rule = lines(*series, "RRULE:FREQ=WEEKLY;COUNT=4")
    following = "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261214"
    longer = lines("DTSTART;VALUE=DATE:20261215", "DTEND;VALUE=DATE:20261217", following)
    moved = ["2026-12-07", "2026-12-15/2026-12-16", "2026-12-22/2026-12-23", "2026-12-29/2026-12-30"]
    assert days(rule, longer) == moved
    single = lines("DTSTART;VALUE=DATE:20261224", "RECURRENCE-ID;VALUE=DATE:20261221")
    assert days(rule, longer, single) == ["2026-12-07", "2026-12-15/2026-12-16", "2026-12-24", "2026-12-29/2026-12-30"]
    assert days(rule, lines("DTSTART;VALUE=DATE:20261214", following, "STATUS:CANCELLED")) == ["2026-12-07"]
    assert days(rule, lines("DTSTART;VALUE=DATE:20261214", following, "TRANSP:TRANSPARENT")) == ["2026-12-07"]


def test_a_timed_series_may_become_all_day():
    rule = lines("DTSTART;TZID=Europe/Berlin:20261207T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3")
    following = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261214T090000"
    assert days(rule, lines("DTSTART;VALUE=DATE:20261214", following)) == ["2026-12-14", "2026-12-21"]


@each(
    ("values", "expected"),
    [
        (["RDATE;VALUE=DATE:20270201,20270301"], ["2026-12-21", "2027-02-01", "2027-03-01"]),
        (["RDATE;VALUE=PERIOD:20270201T000000Z/P1D"], ["2026-12-21", "2027-02-01"]),
        (["RRULE:FREQ=DAILY;COUNT=2;BYHOUR=0;BYMINUTE=0;BYSECOND=0"], ["2026-12-21", "2026-12-22"]),
        (["RRULE:FREQ=DAILY;COUNT=2;RSCALE=GREGORIAN"], ["2026-12-21", "2026-12-22"]),
        (["RRULE:FREQ=WEEKLY;COUNT=3;UNTIL=20261228"], ["2026-12-21", "2026-12-28"]),
        (["RRULE:FREQ=WEEKLY;BYDAY=MO,TU;WKST=SU;COUNT=3"], ["2026-12-21", "2026-12-22", "2026-12-28"]),
        (["RRULE:FREQ=YEARLY"], ["2026-12-21", "2027-12-21"]),
        (["RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2"], ["2026-12-21", "2026-12-25", "2027-01-29"]),
    ],
)
def test_rules_and_added_dates(values, expected):
    assert days(event("20261221", *values)) == expected


def test_an_old_daily_or_weekly_series_is_read_as_quickly_as_a_new_one():
    fortnightly = event("00010101", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20261130")
    assert days(fortnightly)[:2] == ["2026-11-09", "2026-11-23"]
    assert len(days(event("00010101", "RRULE:FREQ=DAILY;UNTIL=20261231"))) == 61


def test_a_copy_of_an_event_is_one_absence_as_long_as_the_longest():
    assert days(event("20261221"), event("20261221", "DTEND;VALUE=DATE:20261226"), event("20261221")) == [
        "2026-12-21/2026-12-25"
    ]


def test_an_alarm_inside_an_event_is_not_the_event():
    alarm = ["BEGIN:VALARM", "TRIGGER;VALUE=DURATION:-P1D", "DURATION:PT1H", "SUMMARY:Ring", "UID:alarm", "END:VALARM"]
    actual = read(event("20261221", *alarm))
    assert [(one.uid, one.summary, str(one.ends_on)) for one in actual.events] == [("u1", "Skiing", "2026-12-21")]


def test_text_is_unfolded_and_unescaped():
    summary = "SUMMARY:Sk\n iing\\, with Zo\\; two\\nlines"
    [actual] = busy_days(calendar(f"UID:u\nDTSTART;VALUE=DATE:20261221\n{summary}"), first=FIRST, last=LAST).events
    assert actual.summary == "Skiing, with Zo; two\nlines"
    assert busy_days(b"\xef\xbb\xbf" + calendar(event()), first=FIRST, last=LAST).events
    assert busy_days(calendar(event()).decode().encode("utf-16"), first=FIRST, last=LAST).events


# Malformed events


@each(
    ("values", "reason"),
    [
        (["DTSTART;VALUE=DATE:2026-12-07"], "The start date “2026-12-07” is invalid."),
        (["DTSTART;VALUE=DATE:20261332"], "The start date “20261332” is invalid."),
        (["DTSTART;VALUE=DATE20261207"], "The start date is missing."),
        (["DTSTART;VALUE=DATE:20261207", "DTEND;VALUE=DATE:20261201"], "The end is before the start."),
        (["DTSTART;VALUE=DATE:20261207", "DTEND:soon"], "The end date “soon” is invalid."),
        (["DTSTART;VALUE=DATE:20261207", "DURATION:long"], "The duration “long” is invalid."),
        (["DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=SOMETIMES"], "The recurrence rule “FREQ=SOMETIMES” is invalid."),
        (["DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=DAILY;INTERVAL=0"], "The recurrence rule “FREQ=DAILY;INTERVAL=0” is invalid."),
        (["DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=WEEKLY;BYDAY=XX"], "The recurrence rule “FREQ=WEEKLY;BYDAY=XX” is invalid."),
        (["DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=WEEKLY;UNTIL=never"], "The UNTIL date “NEVER” is invalid."),
        (["DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=DAILY", "EXDATE:x"], "The EXDATE date “x” is invalid."),
        (["DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=HOURLY"], "It recurs within a day, which is not supported."),
        (["DTSTART;VALUE=DATE:99991231", "RRULE:FREQ=YEARLY"], "Its dates or its recurrence rule are invalid."),
    ],
)  # fmt: skip
def test_a_malformed_event_is_skipped_and_named_and_the_others_are_read(values, reason):
    actual = read("\n".join(["UID:bad", "SUMMARY:bad", *values]), event("20261214", uid="good"))
    assert [str(one.starts_on) for one in actual.events] == ["2026-12-14"]
    assert actual.skipped == [SkippedEvent("bad", reason)]


def test_a_malformed_change_is_named_and_the_series_stays():
    actual = read(
        event("20261207", "RRULE:FREQ=WEEKLY;COUNT=2"), lines("DTSTART:x", "RECURRENCE-ID;VALUE=DATE:20261214")
    )
    assert [str(one.starts_on) for one in actual.events] == ["2026-12-07", "2026-12-14"]
    assert [one.title for one in actual.skipped] == ["Skiing"]


def test_an_event_without_an_end_line_is_named():
    text = calendar(event("20261214")).replace(
        b"BEGIN:VEVENT", b"BEGIN:VEVENT\r\nUID:cut\r\nSUMMARY:cut\r\nBEGIN:VEVENT", 1
    )
    actual = busy_days(text, first=FIRST, last=LAST)
    assert [str(one.starts_on) for one in actual.events] == ["2026-12-14"]
    assert actual.skipped == [SkippedEvent("cut", "The end of the event is missing.")]


def test_a_free_event_is_not_named():
    assert read(lines("DTSTART:x", "TRANSP:TRANSPARENT")).skipped == []


# Limits


@each(
    ("text", "why"),
    [
        (b"", "calendar"),
        (b"<html>Sign in</html>", "calendar"),
        (b"x" * (512 * 1024 + 1), "512 KiB"),
        (calendar(*[event(uid=str(number)) for number in range(2_001)]), "2,000 events"),
        (calendar(*[event("20261101", "RRULE:FREQ=DAILY", uid=str(number)) for number in range(5)]), "1,000"),
        (calendar(event()).replace(b"END:VCALENDAR", b""), "incomplete"),
    ],
)
def test_text_beyond_a_limit_is_unreadable_and_the_reason_names_the_limit(text, why):
    with pytest.raises(UnreadableCalendarError, match=why):
        busy_days(text, first=FIRST, last=LAST)


def test_an_empty_calendar_has_no_events():
    assert days() == []


def test_a_rule_that_never_matches_is_named_and_costs_the_others_nothing():
    endless = [event("20200101", DAMAGED_RULE, uid=str(number)) for number in range(20)]
    actual = busy_days_within(calendar(*endless, event("20261214", uid="good")), first=FIRST, last=LAST, seconds=60)
    assert "2026-12-14" in {str(one.starts_on) for one in actual.events}
    assert len(actual.skipped) == 20
    assert "too long to compute" in actual.skipped[0].reason


def test_a_process_past_its_time_is_killed():
    with pytest.raises(UnreadableCalendarError, match="longer than 0 seconds"):
        busy_days_within(calendar(event()), first=FIRST, last=LAST, seconds=0.001)


def test_the_process_returns_the_same_result():
    text = calendar(event("20261221", "DTEND;VALUE=DATE:20261226"), lines("DTSTART:x", uid="bad"))
    assert busy_days_within(text, first=FIRST, last=LAST) == busy_days(text, first=FIRST, last=LAST)
    with pytest.raises(UnreadableCalendarError, match="does not return a calendar"):
        busy_days_within(b"nothing", first=FIRST, last=LAST)


SEED = calendar(
    event("20261221", "DTEND;VALUE=DATE:20261226", "RRULE:FREQ=YEARLY;COUNT=3", "EXDATE;VALUE=DATE:20271221"),
    event("20261230", "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261221", "RDATE;VALUE=DATE:20270201"),
    lines("DTSTART;TZID=Europe/Berlin:20261207T000000", "DURATION:P1D", "RRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z"),
)


@settings(max_examples=cases(300), deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, len(SEED) - 1), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, len(SEED)),
)
def test_a_damaged_calendar_is_read_or_unreadable_and_nothing_else(places, cut):
    damaged = bytearray(SEED)
    for place, value in places:
        damaged[place] = value
    try:
        actual = busy_days(bytes(damaged[:cut] if cut % 3 == 0 else damaged), first=FIRST, last=LAST)
    except UnreadableCalendarError as error:
        assert str(error)
    else:
        assert all(one.starts_on <= one.ends_on <= one.starts_on + dt.timedelta(days=365) for one in actual.events)
        assert all(one.reason for one in actual.skipped)
