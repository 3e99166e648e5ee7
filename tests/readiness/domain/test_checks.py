"""The state of a day by a check's results, last run and next run."""

import datetime as dt
from zoneinfo import ZoneInfo

from readiness.domain.calendar import MetricCalendar, PipelineCalendar
from readiness.domain.checks import CheckSchedule, bucket_state, counts_as, run_state
from tests.each import each
from validation.domain.buckets import DAY, HOUR

UTC = ZoneInfo("UTC")
NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
DAILY = MetricCalendar(1, UTC, DAY, 2 * HOUR)
HOURLY = MetricCalendar(2, UTC, HOUR, HOUR)
TODAY, YESTERDAY, BEFORE = (dt.date(2026, 11, day) for day in (25, 24, 23))


def window(day=None, at=NOON):
    return PipelineCalendar([DAILY]).window(at=at, day=day)


def schedule(status="pass", *, calendar=DAILY, ran_at=NOON, next_run_at=NOON + HOUR, expected=""):
    return CheckSchedule(1, 1, "Check", calendar, status, expected, None, ran_at, next_run_at)


def test_a_day_has_its_times():
    assert window() == window(YESTERDAY)
    one = window()
    assert (one.day, one.ends_at) == (YESTERDAY, dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
    assert (one.settles_at, one.next_due_at) == (one.ends_at + 2 * HOUR, one.ends_at + 26 * HOUR)
    assert [(window(day).is_current, window(day).is_settled) for day in (BEFORE, YESTERDAY, TODAY)] == [
        (False, True), (True, True), (True, False),
    ]  # fmt: skip


@each(
    ("day", "calendar", "results", "changed", "ran_at", "next_run_at", "state"),
    [
        (YESTERDAY, DAILY, ["pass"], False, NOON, NOON, "passed"),
        (YESTERDAY, DAILY, ["fail"], True, NOON, NOON, "failed"),
        (YESTERDAY, DAILY, ["warn"], True, NOON, NOON, "waiting"),
        (YESTERDAY, DAILY, [], True, NOON, NOON, "waiting"),
        (YESTERDAY, DAILY, [], False, NOON, None, None),
        (YESTERDAY, DAILY, [], False, NOON, NOON + DAY, None),
        (BEFORE, DAILY, [], False, NOON, NOON, None),
        (BEFORE, DAILY, ["skip"], False, NOON, NOON, "skipped"),
        # Hours: all of them, after the day has settled; the worst counts.
        (YESTERDAY, HOURLY, ["pass", "warn", "pass"], False, NOON, NOON, "warned"),
        (YESTERDAY, HOURLY, ["pass", "unknown", "error"], False, NOON, NOON, "broken"),
        (YESTERDAY, HOURLY, ["pass", "pass"], False, NOON - 11 * HOUR, NOON, "waiting"),
        (YESTERDAY, HOURLY, ["pass", "fail"], False, NOON - 11 * HOUR, NOON, "failed"),
        (YESTERDAY, HOURLY, ["pass", "pass"], False, NOON - 11 * HOUR, None, "passed"),
    ],
)
def test_results_of_a_days_buckets(day, calendar, results, changed, ran_at, next_run_at, state):
    check = schedule(calendar=calendar, ran_at=ran_at, next_run_at=next_run_at)
    assert bucket_state(check, results, window=window(day), is_changed=changed) == state


def test_a_check_that_broke_before_its_first_result_of_the_day_is_broken():
    assert bucket_state(schedule("error"), [], window=window(), is_changed=False) == "broken"
    assert bucket_state(schedule("error"), [], window=window(BEFORE), is_changed=False) is None


@each(
    ("status", "expected", "ran_at", "next_run_at", "at", "state"),
    [
        ("pass", "", NOON, NOON + HOUR, NOON, "passed"),
        ("fail", "", NOON - DAY, NOON + HOUR, NOON, "failed"),
        ("fail", "Migration", NOON, NOON + HOUR, NOON, "passed"),
        ("pass", "", NOON - DAY, NOON + HOUR, NOON, "waiting"),
        # It does not run before the next day is due: its last result counts, if there is one.
        ("warn", "", NOON - DAY, NOON + 5 * DAY, NOON, "warned"),
        ("", "", None, None, NOON, None),
        ("", "", None, NOON + HOUR, NOON, "waiting"),
    ],
)
def test_the_last_run_of_a_check_without_buckets(status, expected, ran_at, next_run_at, at, state):
    check = schedule(status, calendar=None, ran_at=ran_at, next_run_at=next_run_at, expected=expected)
    assert run_state(check, window=window(at=at)) == state


def test_nothing_counts_for_a_day_that_is_not_settled():
    assert run_state(schedule("fail", calendar=None), window=window(TODAY)) is None


def test_an_overdue_check_runs_within_a_minute():
    at = NOON + dt.timedelta(seconds=30)
    assert schedule(next_run_at=NOON).next_run(at) == NOON + dt.timedelta(minutes=1)
    assert schedule(next_run_at=NOON + HOUR).next_run(at) == NOON + HOUR
    assert schedule(next_run_at=None).next_run(at) is None


def test_an_expected_failure_is_a_pass():
    assert [counts_as("fail", ""), counts_as("fail", "Migration")] == ["fail", "pass"]
