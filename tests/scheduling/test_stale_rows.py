"""Services use only rows read under their lock: a caller's row may be older than the last commit."""

import datetime as dt

import pytest

from common.exceptions import DomainError
from people.models import User
from people.services.accounts import create_token
from scheduling.models import CalendarLink, Cover, HolidayBlock, Rotation, RotationWeek
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday, update_holiday
from scheduling.services.rosters import change_roster
from scheduling.services.weeks import ensure_weeks, update_hours
from tests.factories import import_example

# A Wednesday of the first week, which started on Monday the 23rd at 10:00 UTC and is Engineer A's.
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.date(2026, 12, 24)


@pytest.fixture
def rotation(db):
    import_example(at=AT, starting=dt.date(2026, 11, 23))
    return Rotation.objects.get()


def test_ending_a_cover_uses_its_current_end(rotation, b, c, d):
    create_cover(rotation, data=CoverData(b, AT + HOUR, AT + 9 * HOUR), by=b, at=AT)
    cover = create_cover(rotation, data=CoverData(c, AT + 2 * HOUR, AT + 8 * HOUR), by=c, at=AT)
    stale = Cover.objects.get(pk=cover.pk)
    # Meanwhile another cover takes over the second half.
    create_cover(rotation, data=CoverData(d, AT + 4 * HOUR, AT + 8 * HOUR), by=d, at=AT)
    end_cover(stale, by=c, at=AT + 3 * HOUR)
    rows = [(str(row.engineer), (row.starts_at - AT) / HOUR, (row.ends_at - AT) / HOUR) for row in Cover.objects.all()]
    assert rows == [
        ("Engineer B", 1, 2),
        ("Engineer C", 2, 3),
        ("Engineer B", 3, 4),
        ("Engineer D", 4, 8),
        ("Engineer B", 8, 9),
    ]


def test_new_weeks_have_the_current_hours(rotation):
    stale = Rotation.objects.get()
    update_hours(Rotation.objects.get(), at=AT, handoff_time=dt.time(14))
    ensure_weeks(stale, today=AT.date() + dt.timedelta(weeks=3))
    assert {week.starts_at.hour for week in RotationWeek.objects.all()} == {10, 14}
    assert {week.starts_at.hour for week in RotationWeek.objects.filter(starts_at__gt=AT)} == {14}


def test_a_roster_is_checked_against_the_current_hours(rotation, a, b, admin):
    stale = Rotation.objects.get()
    update_hours(Rotation.objects.get(), at=AT, handoff_time=dt.time(8))
    with pytest.raises(DomainError, match="already started"):
        change_roster(
            stale,
            engineers=[b, a],
            starts_on=dt.date(2026, 11, 30),
            by=admin,
            at=dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC),
        )


def test_time_off_counts_in_the_engineers_current_zone(a):
    stale = User.objects.get(pk=a.pk)
    User.objects.filter(pk=a.pk).update(time_zone="Asia/Tokyo")
    assert create_holiday(stale, data=HolidayData(DAY, DAY), by=stale).time_zone == "Asia/Tokyo"


def test_time_off_that_became_linked_is_not_changed(a):
    stale = create_holiday(a, data=HolidayData(DAY, DAY), by=a)
    link = CalendarLink.objects.create(engineer=a, address="sealed", host="example.com")
    HolidayBlock.objects.filter(pk=stale.pk).update(link=link)
    with pytest.raises(DomainError, match="linked calendar"):
        update_holiday(stale, data=HolidayData(DAY, DAY), by=a)
    with pytest.raises(DomainError, match="linked calendar"):
        delete_holiday(stale, by=a)


def test_a_deactivated_user_gets_no_token(a):
    stale = User.objects.get(pk=a.pk)
    User.objects.filter(pk=a.pk).update(is_active=False)
    with pytest.raises(DomainError, match="inactive"):
        create_token(stale, name="script")
