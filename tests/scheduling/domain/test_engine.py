"""The domain of the schedule: wall-clock times, weeks, chains, timelines, impact."""

import datetime as dt
import random
import zoneinfo
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.impact import find_responder_changes
from scheduling.domain.responder_chain import Absence, Availability, RotationSchedule, chain_at, coverage_gaps, timeline
from scheduling.domain.wall_time import dates_to_interval, format_days, to_utc
from scheduling.domain.weeks import Hours, RosterVersion, planned_weeks
from tests.each import each
from tests.scheduling.domain import oracle
from tests.scheduling.domain.cast import A, B, C, D, engineer, engineers
from tests.thorough import cases

# `make faults` compares ten thousand.
SCHEDULES = 1_000
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Asia/Gaza",
         "Africa/Cairo", "Asia/Kathmandu", "America/Havana", "Antarctica/Troll", "Africa/Casablanca"]  # fmt: skip


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


# Wall-clock times


def test_a_time_that_does_not_exist_is_the_first_instant_after_the_gap():
    assert to_utc(dt.date(2026, 3, 29), dt.time(2, 30), zone="Europe/Berlin") == utc(2026, 3, 29, 1)
    assert to_utc(dt.date(2026, 3, 29), dt.time(2), zone="Europe/Berlin") == utc(2026, 3, 29, 1)


def test_a_time_that_occurs_twice_is_the_first():
    assert to_utc(dt.date(2026, 10, 25), dt.time(2, 30), zone="Europe/Berlin") == utc(2026, 10, 25, 0, 30)


def test_a_skipped_day_starts_with_the_next_day():
    skipped = to_utc(dt.date(2011, 12, 30), dt.time(10), zone="Pacific/Apia")
    assert skipped == to_utc(dt.date(2011, 12, 31), dt.time(), zone="Pacific/Apia") == utc(2011, 12, 30, 10)


def test_a_skipped_midnight_is_the_first_instant_of_the_day():
    assert to_utc(dt.date(2018, 11, 4), dt.time(), zone="America/Sao_Paulo") == utc(2018, 11, 4, 3)


def test_an_absence_lasts_until_the_end_of_its_last_day():
    begin, end = dates_to_interval(dt.date(2026, 12, 21), dt.date(2026, 12, 25), zone="Europe/Berlin")
    assert (begin, end) == (utc(2026, 12, 20, 23), utc(2026, 12, 25, 23))


def test_an_absence_with_hours_lasts_from_start_to_end_hour():
    day = dt.date(2026, 11, 3)
    assert dates_to_interval(day, day, zone="UTC", start=dt.time(13), end=dt.time(17)) == (
        utc(2026, 11, 3, 13),
        utc(2026, 11, 3, 17),
    )
    with pytest.raises(ValueError, match="after the start"):
        dates_to_interval(day, day, zone="UTC", start=dt.time(17), end=dt.time(13))


@each(
    ("first", "last", "start", "end", "words"),
    [
        ((2026, 12, 21), (2026, 12, 25), None, None, "21–25 Dec"),
        ((2026, 12, 30), (2027, 1, 2), None, None, "30 Dec – 2 Jan"),
        ((2026, 11, 3), (2026, 11, 3), None, None, "3 Nov"),
        ((2026, 11, 3), (2026, 11, 3), (13, 0), (17, 0), "3 Nov 13:00–17:00"),
        ((2026, 11, 3), (2026, 11, 5), (13, 0), None, "3 Nov 13:00 – 5 Nov"),
        ((2026, 11, 3), (2026, 11, 3), None, (12, 0), "3 Nov until 12:00"),
    ],
)
def test_dates_in_words(first, last, start, end, words):
    hours = {"start": dt.time(*start) if start else None, "end": dt.time(*end) if end else None}
    assert format_days(dt.date(*first), dt.date(*last), **hours) == words


# Weeks


def check_weeks_meet(zone, *, years=range(2020, 2036), hours=range(24)):
    """Check that a zone's weeks meet without gap or overlap at every hour (docs/reliability.md, promise 14)."""
    first = dt.date(years[0], 1, 6)
    for hour in hours:
        weeks = list(
            planned_weeks(
                Hours(zone, first.weekday(), dt.time(hour)),
                rosters=[RosterVersion(first, (A, B, C))],
                first=first,
                until=dt.date(years[-1], 12, 31),
            )
        )
        assert len(weeks) > 50 * len(years)
        assert all(one.ends_at == two.starts_at for one, two in pairwise(weeks)), zone
        assert all(week.starts_at < week.ends_at for week in weeks), zone


@each("zone", ZONES)
def test_weeks_meet_across_every_change_of_the_clocks(zone):
    check_weeks_meet(zone, years=range(2024, 2028), hours=(0, 2, 3, 10, 23))


def test_every_zone_can_have_a_rotation():
    for zone in sorted(zoneinfo.available_timezones()):
        check_weeks_meet(zone, years=range(2026, 2027), hours=(2,))


@given(
    size=st.integers(1, 9),
    weekday=st.integers(0, 6),
    skip=st.integers(0, 60),
    length=st.integers(0, 60),
)
def test_engineers_take_turns_in_roster_order(size, weekday, skip, length):
    start = dt.date(2026, 1, 5) + dt.timedelta(days=weekday)
    roster = RosterVersion(start, engineers(*range(size)))
    first = start + dt.timedelta(days=skip)
    weeks = list(
        planned_weeks(
            Hours("UTC", weekday, dt.time(10)), rosters=[roster], first=first, until=first + dt.timedelta(weeks=length)
        )
    )
    assert len(weeks) == length
    assert all(week.starts_on.weekday() == weekday and week.starts_on >= first for week in weeks)
    assert all(week.engineer == engineer((week.starts_on - start).days // 7 % size) for week in weeks)


def test_a_later_roster_starts_with_its_first_engineer_and_keeps_earlier_weeks():
    old, new = RosterVersion(dt.date(2026, 1, 5), (A, B, C)), RosterVersion(dt.date(2026, 1, 26), (D, A))
    hours = Hours("UTC", 0, dt.time(10))
    until = dt.date(2026, 2, 16)
    before = list(planned_weeks(hours, rosters=[old], first=old.starts_on, until=until))
    after = list(planned_weeks(hours, rosters=[new, old], first=old.starts_on, until=until))
    assert [week.engineer for week in before] == [A, B, C, A, B, C]
    assert [week.engineer for week in after] == [A, B, C, D, A, D]


def test_there_are_no_weeks_before_the_first_roster():
    roster = RosterVersion(dt.date(2026, 1, 5), (A,))
    weeks = list(
        planned_weeks(
            Hours("UTC", 0, dt.time(10)), rosters=[roster], first=dt.date(2025, 1, 1), until=dt.date(2026, 1, 6)
        )
    )
    assert [week.starts_on for week in weeks] == [dt.date(2026, 1, 5)]


# Chains


def check_chains(count, *, seed):
    """Compare the chain and its `until` with the oracle in random schedules, at a random instant of each."""
    source = random.Random(seed)
    for _ in range(count):
        schedule, parts = oracle.random_schedule(source)
        at = oracle.START + oracle.HOUR * source.randint(-20, oracle.WEEKS * 168 + 20)
        primary, secondary = parts["owners"]
        chain = chain_at(schedule, primary=primary, secondary=secondary, at=at)
        expected = oracle.links(parts, at)
        assert [(link.engineer, link.role, link.reason) for link in chain.links] == expected
        assert all(link.available == (link.reason == "") for link in chain.links)
        free = [person for person, _, why in expected if not why]
        assert chain.responder == (free[0] if free else None)
        owners_free = [owner for owner in (primary, secondary) if not oracle.reason(parts, owner, at)]
        assert chain.acting_owner == (owners_free[0] if owners_free else None)
        assert chain.until == oracle.next_change(parts, at)


def test_the_chain_and_its_until_agree_with_the_oracle():
    check_chains(SCHEDULES, seed=20261123)


@settings(max_examples=cases(60), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_timeline_is_unbroken_and_says_what_each_instant_does(seed):
    source = random.Random(seed)
    schedule, parts = oracle.random_schedule(source)
    begin = oracle.START + oracle.HOUR * source.randint(0, 400)
    end = begin + oracle.HOUR * source.randint(1, 400)
    intervals = timeline(schedule, starts_at=begin, ends_at=end)
    assert (intervals[0].starts_at, intervals[-1].ends_at) == (begin, end)
    assert all(one.ends_at == two.starts_at for one, two in pairwise(intervals))
    assert all((one.engineer, one.because) != (two.engineer, two.because) for one, two in pairwise(intervals))
    for part in intervals:
        at = part.starts_at
        while at < part.ends_at:
            holder, why = next(((e, w) for e, role, w in oracle.links(parts, at) if role == "on_call"), (None, ""))
            assert part.engineer == (None if why else holder)
            assert (part.because == "away") == bool(why)
            at += oracle.HOUR


@settings(max_examples=cases(40), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_coverage_gaps_are_exactly_the_times_without_a_responder(seed):
    source = random.Random(seed)
    schedule, parts = oracle.random_schedule(source)
    begin, end = oracle.START, oracle.START + oracle.HOUR * 500
    actual = coverage_gaps(schedule, owners={7: parts["owners"]}, starts_at=begin, ends_at=end)
    for step in range(500):
        at = begin + oracle.HOUR * step
        nobody = all(why for _, _, why in oracle.links(parts, at))
        assert nobody == any(first <= at < last for _, first, last in actual)
    assert all(one[2] < two[1] for one, two in pairwise(actual))


@settings(max_examples=cases(40), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_changes_of_responder_are_the_difference_between_before_and_after(seed):
    source = random.Random(seed)
    schedule, parts = oracle.random_schedule(source)
    begin = oracle.START + oracle.HOUR * source.randint(0, 300)
    end = begin + oracle.HOUR * source.randint(1, 200)
    block = Absence(source.choice(parts["owners"]), begin, end, "on holiday")
    availability = Availability(inactive=schedule.availability.inactive, absences=[*parts["absences"], block])
    after = RotationSchedule(
        availability=availability, weeks=schedule.weeks, covers=schedule.covers, rosters=schedule.rosters
    )
    changes = find_responder_changes(schedule, after, owners={7: parts["owners"]}, starts_at=begin, ends_at=end)
    with_block = {**parts, "absences": [*parts["absences"], block]}
    at = begin
    while at < end:
        old = next((person for person, _, why in oracle.links(parts, at) if not why), None)
        new = next((person for person, _, why in oracle.links(with_block, at) if not why), None)
        here = [(change.before, change.after) for change in changes if change.starts_at <= at < change.ends_at]
        assert here == ([(old, new)] if old != new else [])
        at += oracle.HOUR
