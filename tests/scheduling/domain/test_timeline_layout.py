"""The timeline's layout: positions on the axis, bars with covers, swaps and conflicts, gaps, rows and the axis's labels."""

import datetime as dt
from zoneinfo import ZoneInfo

from people.domain.person import Person
from scheduling.domain.responder_chain import Absence, Availability, Cover, RotationSchedule
from scheduling.domain.timeline_layout import (
    Axis,
    Band,
    board,
    engineers_in,
    holiday_marks,
    row_height,
    ticks,
)
from scheduling.domain.weeks import RosterVersion, Week

A, B, C, D = (Person(number, f"engineer-{number}", f"Engineer {number}") for number in range(4))
DAY, HOUR, WEEK = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(weeks=1)
MONDAY = dt.date(2026, 11, 30)


def instant(days, hours=0):
    return dt.datetime(2026, 11, 30, tzinfo=dt.UTC) + days * DAY + hours * HOUR


def axis(days=28, *, first=MONDAY, zone=dt.UTC):
    dates = [first + DAY * number for number in range(days + 1)]
    starts = [dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in dates]
    return Axis(tuple(starts), tuple(dates[:-1]))


def week(number, engineer, planned=None):
    starts_on = MONDAY + number * WEEK
    starts_at = instant(7 * number, 10)
    return Week(starts_on, starts_at, starts_at + WEEK, engineer, planned or engineer)


def schedule(*weeks, covers=(), absences=(), rosters=()):
    availability = Availability(absences=list(absences))
    return RotationSchedule(availability=availability, weeks=weeks, covers=covers, rosters=rosters)


def shown(bars):
    return [(bar.engineer, bar.starts_at, bar.ends_at, bar.is_cover, bar.other) for bar in bars]


def test_positions_are_percentages_and_stop_at_the_edges():
    window = axis(10)
    assert [window.percent(instant(days)) for days in (-1, 0, 5, 10, 11)] == [0, 0, 50, 100, 100]
    assert window.band(instant(-3), instant(5)) == Band(0, 50)
    assert (window.includes(instant(-3), instant(0)), window.includes(instant(9), instant(12))) == (False, True)


def test_a_short_bar_can_be_seen_and_has_no_label():
    band = Band(0, 0.01)
    assert (band.width, band.has_room) == ("0.350%", False)
    assert (Band(12.34567, 5).x, Band(0, 5).width, Band(0, 5).has_room) == ("12.346%", "5.000%", True)


def test_days_have_the_length_that_they_have_in_the_zone():
    # In Berlin the clocks go back on 25 October 2026: that day has 25 hours.
    window = axis(2, first=dt.date(2026, 10, 25), zone=ZoneInfo("Europe/Berlin"))
    [(_, first), (_, second)] = window.days(window.dates)
    assert first.length / second.length == 25 / 24


def test_weekends_are_one_band_each():
    assert [(band.x, band.width) for band in axis(14).weekends()] == [("35.714%", "14.286%"), ("85.714%", "14.286%")]


def test_shifts_are_bars_with_their_real_ends():
    actual = board(schedule(week(-1, A), week(0, B)), axis=axis(7), engineers=[A, B], height=20)
    assert shown(actual.bars) == [
        (A, instant(-7, 10), instant(0, 10), False, None),
        (B, instant(0, 10), instant(7, 10), False, None),
    ]
    assert actual.rows[0].bars[0].band.start == 0
    assert actual.rows[1].bars[0].band.start + actual.rows[1].bars[0].band.length == 100


def test_a_cover_is_a_bar_in_the_covering_engineers_row():
    cover = Cover(C, A, instant(2), instant(4))
    actual = board(schedule(week(0, A), covers=[cover]), axis=axis(14), engineers=[A, C], height=20)
    assert shown(actual.bars) == [
        (A, instant(0, 10), instant(2), False, None),
        (C, instant(2), instant(4), True, A),
        (A, instant(4), instant(7, 10), False, None),
    ]
    mine, theirs = actual.rows
    assert [bar.starts_at for bar in mine.bars] == [instant(0, 10), instant(4)]
    assert mine.covered == (theirs.bars[0].band,)


def test_swapped_shifts_name_the_planned_engineer():
    [bar] = board(schedule(week(0, A, planned=B)), axis=axis(), engineers=[A, B], height=20).bars
    assert (bar.is_swapped, bar.other) == (True, B)


def test_time_on_call_while_away_is_a_conflict():
    absences = [Absence(A, instant(1), instant(3), "on holiday 1–2 Dec"), Absence(B, instant(1), instant(3), "away")]
    actual = board(schedule(week(0, A), week(1, B), absences=absences), axis=axis(), engineers=[A, B], height=20)
    first, second = actual.bars
    assert first.conflicts == (axis().band(instant(1), instant(3)),)
    assert second.conflicts == ()
    assert [mark.reason for mark in actual.rows[0].absences] == ["on holiday 1–2 Dec"]
    covered = schedule(week(0, A), covers=[Cover(C, A, instant(1), instant(3))], absences=absences)
    assert [bar.conflicts for bar in board(covered, axis=axis(), engineers=[A, C], height=20).bars] == [(), (), ()]


def test_gaps_are_missing_shifts_between_others_and_uncovered_pipelines():
    window = axis(28)
    uncovered = [
        ("Orders", instant(1), instant(2)),
        ("Visits", instant(1), instant(2)),
        ("Late", instant(90), instant(91)),
    ]
    actual = board(schedule(week(0, A), week(2, B)), axis=window, engineers=[A, B], height=20, uncovered=uncovered)
    assert [(gap.starts_at, gap.ends_at, gap.pipelines) for gap in actual.gaps] == [
        (instant(1), instant(2), ("Orders", "Visits")),
        (instant(7, 10), instant(14, 10), ()),
    ]
    assert (actual.gap_y, actual.height) == (40, 60)
    assert board(schedule(week(0, A)), axis=window, engineers=[A], height=20).height == 20


def test_rows_are_the_roster_in_its_order_and_then_others_on_call():
    rosters = [RosterVersion(MONDAY - 4 * WEEK, (C, A))]
    actual = schedule(week(0, B), week(1, A), covers=[Cover(D, B, instant(2), instant(3))], rosters=rosters)
    assert engineers_in(actual, axis=axis(), today=MONDAY) == [C, A, B, D]
    assert engineers_in(schedule(), axis=axis(), today=MONDAY) == []


def test_of_a_very_long_roster_only_those_on_call_have_rows():
    people = [Person(number, f"engineer-{number}", f"Engineer {number}") for number in range(100, 200)]
    actual = schedule(week(0, B), week(1, people[7]), rosters=[RosterVersion(MONDAY - 4 * WEEK, tuple(people))])
    assert engineers_in(actual, axis=axis(), today=MONDAY) == [people[7], B]


def test_many_rows_are_lower():
    assert [row_height(rows) for rows in (1, 12, 13, 20, 21, 60)] == [32, 32, 24, 24, 18, 18]


def test_the_axis_has_days_weeks_or_every_second_week():
    assert [tick.label for tick in ticks(axis(7), weeks=4)] == ["30 Nov", "", "2", "3", "4", "5", "6"]
    assert [tick.label for tick in ticks(axis(28), weeks=12)] == ["30 Nov", "7 Dec", "14 Dec", "21 Dec"]
    assert [tick.label for tick in ticks(axis(28), weeks=26)] == ["30 Nov", "", "14 Dec", ""]


def test_public_holidays_are_bands_with_names():
    window = axis(28)
    marks = holiday_marks(window, {dt.date(2026, 12, 25): "Christmas Day", dt.date(2027, 6, 1): "Later"})
    assert marks == [(window.band(instant(25), instant(26)), "Christmas Day, 25 Dec")]
