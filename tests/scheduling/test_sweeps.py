"""The sweeps of requests and reminders: an error in one row does not stop the others, and the sweep counts as failed."""

import datetime as dt

import pytest

from notifications.models import Message
from scheduling.models import Rotation
from scheduling.services import cover_requests, reminders, swaps
from scheduling.services.cover_requests import CoverProposal, expire_cover_requests, request_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.reminders import notify_shift_changes, notify_time_off_conflicts
from scheduling.services.rotations import create_rotation
from scheduling.services.swaps import SwapProposal, expire_swaps, request_swap
from tests.factories import import_example
from tests.snapshots import this_minute

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def weeks(db, now):
    """The weeks of the example that have not started, in order: four engineers in turn."""
    import_example(at=now)
    rows = Rotation.objects.get().weeks.filter(starts_at__gt=now).select_related("rotation", "engineer")
    return list(rows.order_by("starts_on"))


@pytest.fixture
def fail_on_first(monkeypatch):
    """Return a function that makes the first call of a module's function fail, and returns the list of its calls."""

    def patch(module, name):
        function, calls = getattr(module, name), []

        def fail_first(*arguments, **options):
            calls.append(arguments)
            if len(calls) == 1:
                raise ValueError("cannot be notified")
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, fail_first)
        return calls

    return patch


def test_swap_requests_expire_after_one_that_cannot(weeks, now, fail_on_first):
    first, second = (
        request_swap(week.rotation, proposal=SwapProposal(week.starts_on), by=week.engineer, at=now)
        for week in weeks[:2]
    )
    fail_on_first(swaps, "notify_swap_decided")
    with pytest.raises(ValueError, match="cannot be notified"):
        expire_swaps(at=now + 14 * DAY)
    assert [(row.refresh_from_db(), row.state)[1] for row in (first, second)] == ["pending", "expired"]
    assert expire_swaps(at=now + 14 * DAY) == 1


def test_cover_requests_expire_after_one_that_cannot(weeks, now, fail_on_first):
    first, second = (
        request_cover(
            week.rotation, proposal=CoverProposal(week.starts_at, week.starts_at + HOUR), by=week.engineer, at=now
        )
        for week in weeks[:2]
    )
    fail_on_first(cover_requests, "notify_cover_request_closed")
    with pytest.raises(ValueError, match="cannot be notified"):
        expire_cover_requests(at=now + 21 * DAY)
    assert [(row.refresh_from_db(), row.state)[1] for row in (first, second)] == ["pending", "expired"]
    assert expire_cover_requests(at=now + 21 * DAY) == 1


def test_shift_changes_are_notified_after_a_rotation_that_fails(weeks, now, admin, fail_on_first):
    create_rotation(name="Second", engineers=[weeks[0].engineer, weeks[1].engineer], by=admin, at=now)
    calls = fail_on_first(reminders, "notify_shift_started")
    with pytest.raises(ValueError, match="cannot be notified"):
        notify_shift_changes(at=weeks[0].starts_at)
    assert [stint.rotation.name for (stint,) in calls] == ["Weekly Rotation", "Second"]


def test_notified_shift_changes_take_five_statements_for_any_number_of_rotations(
    weeks, now, admin, django_assert_num_queries
):
    for name in ("Second", "Third", "Fourth"):
        create_rotation(name=name, engineers=[weeks[0].engineer, weeks[1].engineer], by=admin, at=now)
    notify_shift_changes(at=weeks[0].starts_at)
    assert Message.objects.filter(type="shift-started").count() == 4
    with django_assert_num_queries(5):
        notify_shift_changes(at=weeks[0].starts_at)
    assert Message.objects.filter(type="shift-started").count() == 4


def test_who_replaces_an_engineer_shortly_before_the_end_of_a_shift_is_told_of_the_end_too(weeks, now):
    ended = Message.objects.filter(type="shift-ended").values_list("recipient", flat=True)
    notify_shift_changes(at=weeks[1].starts_at - HOUR)
    assert set(ended.all()) == {weeks[0].engineer.pk}
    # The start of the next shift has been announced already.
    weeks[0].rotation.weeks.filter(pk=weeks[0].pk).update(engineer=weeks[2].engineer)
    notify_shift_changes(at=weeks[1].starts_at - HOUR)
    assert set(ended.all()) == {weeks[0].engineer.pk, weeks[2].engineer.pk}


def test_time_off_conflicts_are_notified_after_one_that_fails(weeks, now, fail_on_first):
    for week in weeks[:2]:
        create_holiday(week.engineer, data=HolidayData(week.starts_on, week.starts_on + DAY), by=week.engineer)
    calls = fail_on_first(reminders, "notify_time_off_conflict")
    with pytest.raises(ValueError, match="cannot be notified"):
        notify_time_off_conflicts(at=now)
    assert len(calls) >= 2
