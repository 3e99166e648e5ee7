"""Conflicts are visible wherever people look: coverage gaps, on call while away, absent engineers in choices, zones."""

import datetime as dt

import pytest
from django.utils import timezone

from calendar_feeds.events import engineer_events, rotation_events
from common.formatting import format_day
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import HolidayBlock, Rotation
from scheduling.services.coverage_gaps import sync_coverage_gaps
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rotations import create_rotation
from tests.factories import import_example
from tests.snapshots import this_minute

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)


@pytest.fixture
def rotation(db):
    start = (this_minute() - 3 * WEEK).date()
    import_example(at=this_minute() - 3 * WEEK, starting=start - start.weekday() * DAY)
    return Rotation.objects.get()


@pytest.fixture
def week(rotation):
    """The next week: nothing of it has begun, whatever the hour of the test."""
    return rotation.weeks.filter(starts_at__gt=timezone.now()).select_related("engineer").first()


def away(user, first, last=None, **fields):
    return create_holiday(user, data=HolidayData(first, last or first, **fields), by=user)


def text(response):
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def gap(week, a, b, c, d):
    """A coverage gap on the second day of the next week."""
    for user in (a, b, c, d):
        away(user, week.starts_on + DAY)
    sync_coverage_gaps(at=timezone.now())
    return week.starts_on + DAY


def test_coverage_gaps_show_on_the_pipeline_calendar_week_and_schedule_pages(signed_in, gap, week, a):
    browser = signed_in(a)
    pipeline = Pipeline.objects.order_by("pk").first()
    for path in (
        "/schedule/",
        f"/schedule/{week.starts_on}/",
        f"/calendar/{gap.year}/{gap.month}/",
        f"/pipelines/{pipeline.slug}/",
    ):
        page = text(browser.get(path))
        assert "overage gaps</h2>" in page, path
        assert f"{gap.day} {gap:%b %Y}, 00:00" in page, path
    page = text(browser.get(f"/schedule/{week.starts_on}/"))
    assert "owners respond" not in page


def test_coverage_gaps_are_in_the_feeds_of_the_rotation_and_the_owners(gap, rotation, a, outsider):
    summary = f"Coverage gap: {Pipeline.objects.filter(primary_owner=a).first()}"
    at = timezone.now()
    assert summary in {event.content.summary for event in engineer_events(a, at=at)}
    assert summary in {event.content.summary for event in rotation_events(rotation, at=at)}
    assert not [event for event in engineer_events(outsider, at=at) if "gap" in event.source]


def test_on_call_while_away_is_marked_until_a_cover_takes_that_time(signed_in, week, rotation, admin, a, b, c, d):
    day = week.starts_on + DAY
    browser = signed_in(a)
    month = f"/calendar/{day.year}/{day.month}/"
    assert "On call while away" not in text(browser.get("/schedule/")) + text(browser.get(month))
    away(week.engineer, day)
    for path in ("/schedule/", month):
        assert "On call while away" in text(browser.get(path)), path
    assert '<span class="badge danger">Away</span>' in text(browser.get(f"/schedule/{week.starts_on}/"))
    taker = next(person for person in (a, b, c, d) if person != week.engineer)
    begin = dt.datetime.combine(day, dt.time(), dt.UTC)
    create_cover(rotation, data=cover_data(taker, begin, begin + DAY), by=admin, at=timezone.now())
    for path in ("/schedule/", month):
        assert "On call while away" not in text(browser.get(path)), path


def cover_data(engineer, starts_at, ends_at):
    return CoverData(engineer, starts_at, ends_at)


def test_the_calendar_shows_who_is_on_call_each_day(signed_in, week, a):
    page = text(signed_in(a).get(f"/calendar/{week.starts_on.year}/{week.starts_on.month}/"))
    assert page.count('title="On call: Weekly Rotation"') >= 28
    assert '<th scope="row">Weekly Rotation</th>' in page
    assert f'title="{week.engineer} is on call"' in page


def test_the_calendar_has_the_people_who_are_ever_on_call(signed_in, week, admin, outsider, a, b):
    day = week.starts_on
    path = f"/calendar/{day.year}/{day.month}/"
    away(b, day)
    away(outsider, day)
    page = text(signed_in(a).get(path))
    assert 'title="Outsider">Outsider</span>' not in page
    assert 'title="Admin">Admin</span>' not in page
    assert '1<span class="visually-hidden"> away</span>' in page
    assert "Show 2 more people" in page
    page = text(signed_in(a).get(path, {"everyone": "1"}))
    assert 'title="Outsider">Outsider</span>' in page
    assert '2<span class="visually-hidden"> away</span>' in page
    # An admin who is never on call has no row, an engineer has one to book time off in.
    assert 'class="mine"' not in text(signed_in(admin).get(path))
    assert 'class="mine"' in text(signed_in(outsider).get(path))


def test_the_calendar_shows_one_rotation(signed_in, week, admin, outsider, a):
    create_rotation(name="Finance", engineers=[outsider], by=admin, at=timezone.now())
    path = f"/calendar/{week.starts_on.year}/{week.starts_on.month}/"
    page = text(signed_in(a).get(path, {"rotation": "finance"}))
    assert '<th scope="row">Finance</th>' in page
    assert '<th scope="row">Weekly Rotation</th>' not in page
    assert 'title="Engineer B">Engineer B</span>' not in page
    assert signed_in(a).get(path, {"rotation": "none"}).status_code == 404


def test_only_admins_and_the_engineer_see_who_is_sick(signed_in, week, admin, a, b, c):
    day = week.starts_on
    away(b, day, kind="sick")
    # Another kind reads the same, so "Away" does not mean "Sick".
    away(c, day, kind="other")
    month = f"/calendar/{day.year}/{day.month}/"
    for path in (month, f"/schedule/{day}/", "/schedule/"):
        assert "ick</" not in text(signed_in(a).get(path)).replace("S: sick", ""), path
    assert text(signed_in(a).get(month)).count('<span class="visually-hidden">: Away</span>') == 2
    for reader in (b, admin):
        assert '<span class="visually-hidden">: Sick</span>' in text(signed_in(reader).get(month))


def test_absent_engineers_are_marked_in_the_choices_of_covers_and_swaps(signed_in, week, rotation, admin, a, b, c, d):
    other = next(person for person in (a, b, c, d) if person != week.engineer)
    absence = away(other, week.starts_on + DAY)
    browser = signed_in(admin)
    for path in (
        f"/schedule/weekly-rotation/cover/?week={week.starts_on}",
        f"/swaps/request/?rotation=weekly-rotation&week={week.starts_on}",
    ):
        assert f"{other} (away {absence.days})</option>" in text(browser.get(path)), path


def test_past_weeks_are_one_link_away(signed_in, rotation, a):
    browser = signed_in(a)
    today = timezone.now().date()
    # The timeline starts a week ago.
    earlier = today - dt.timedelta(days=today.weekday()) - 13 * WEEK
    page = text(browser.get("/schedule/"))
    assert f'href="?from={earlier}"' in page
    first = rotation.weeks.order_by("starts_on").first().starts_on
    assert f"/schedule/{first}/" not in page
    page = text(browser.get("/schedule/", {"from": first}))
    assert f"/schedule/{first}/" in page
    assert "Today" in page
    assert "No shifts in this period" in text(browser.get("/schedule/", {"from": "2001-01-01"}))
    for value in ("x", "2026-02-31", "0001-01-01", "9999-12-31", "\0"):
        assert "Earlier" in text(browser.get("/schedule/", {"from": value}))


def test_two_dates_of_the_calendar_lead_straight_to_the_preview(signed_in, week, a):
    browser = signed_in(week.engineer)
    page = text(browser.get("/calendar/add/", {"from": week.starts_on, "to": week.starts_on + DAY}))
    assert "Impact of" in page
    assert f"week of {week.starts_on.day} {week.starts_on:%b}" in page
    assert not HolidayBlock.objects.exists()
    # Two dates in the wrong order mean the days between them.
    turned = text(browser.get("/calendar/add/", {"from": week.starts_on + DAY, "to": week.starts_on}))
    assert "Impact of" in turned
    assert f'value="{week.starts_on}"' in turned


def test_an_admin_previews_the_dates_of_another_engineer(signed_in, week, admin):
    query = {"from": week.starts_on, "to": week.starts_on, "engineer": week.engineer.username}
    page = text(signed_in(admin).get("/calendar/add/", query))
    assert f"Conflicts with {week.engineer}’s on-call week" in page


def test_time_off_is_shown_in_the_viewer_s_zone_with_the_engineer_s_dates_on_hover(signed_in, week, a, b, c, d):
    viewer = next(person for person in (a, b, c, d) if person != week.engineer)
    User.objects.filter(pk=week.engineer_id).update(time_zone="Asia/Tokyo")
    week.engineer.refresh_from_db()
    day = week.starts_on + 2 * DAY
    absence = away(week.engineer, day)
    before = day - DAY
    page = text(signed_in(viewer).get(f"/schedule/{week.starts_on}/"))
    first, last = (f"{format_day(one, 'brief')}, 15:00 UTC" for one in (before, day))
    assert f'title="{absence.days} (Asia/Tokyo)">{first} – {last}</span>' in page
    own = text(signed_in(week.engineer).get(f"/schedule/{week.starts_on}/"))
    assert f'title="{absence.days} (Asia/Tokyo)">{absence.days}</span>' in own


def test_covers_name_their_zone(signed_in, week, rotation, admin, a, b, c, d):
    taker = next(person for person in (a, b, c, d) if person != week.engineer)
    data = cover_data(taker, week.starts_at + DAY, week.starts_at + 2 * DAY)
    create_cover(rotation, data=data, by=admin, at=timezone.now())
    end = week.starts_at + 2 * DAY
    assert f"to {end:%a} {end.day} {end:%b}, {end:%H:%M} UTC" in text(signed_in(a).get("/schedule/"))
