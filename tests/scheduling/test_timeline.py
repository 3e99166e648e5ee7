"""The timeline's page and the details of a bar. Its layout is tested in domain/test_timeline_layout.py, its use in tests/e2e."""

import datetime as dt

import pytest
from django.utils import timezone

from scheduling.models import CoverageGap
from scheduling.services.cover_requests import CoverProposal, request_cover
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rotations import archive_rotation, create_rotation, join_rotation
from scheduling.services.swaps import SwapProposal, request_swap
from tests.factories import make_engineer, make_pipeline

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def rotation(a, b, c, admin, now):
    return create_rotation(name="Weekly", engineers=[a, b, c], by=admin, at=now)


@pytest.fixture
def week(rotation, now):
    """The next week, of Engineer B."""
    return rotation.weeks.filter(starts_at__gt=now, engineer__username="engineer-b").select_related("engineer").first()


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def details(browser, moment):
    return text(browser.get("/schedule/weekly/details/", {"at": moment.isoformat()}))


def test_the_reader_chooses_the_weeks_the_start_and_the_rotation(signed_in, rotation, admin, a):
    create_rotation(name="Finance", engineers=[a], by=admin, at=timezone.now())
    browser = signed_in(a)
    for weeks, shown in (("4", 4), ("12", 12), ("26", 26), ("7", 12), ("x", 12), ("", 12)):
        page = browser.get("/schedule/", {"weeks": weeks})
        assert (page.context["weeks"], len(page.context["axis"].dates)) == (shown, 7 * shown)
    page = browser.get("/schedule/", {"from": "2026-03-02", "weeks": "4"})
    assert page.context["axis"].dates[0] == dt.date(2026, 3, 2)
    assert [board.rotation.name for board in browser.get("/schedule/").context["boards"]] == ["Weekly", "Finance"]
    assert [board.rotation.name for board in browser.get("/schedule/", {"rotation": "finance"}).context["boards"]] == [
        "Finance"
    ]
    assert browser.get("/schedule/", {"rotation": "none"}).status_code == 404


def test_the_month_of_the_select_is_the_start(signed_in, rotation, a):
    browser = signed_in(a)
    answer = browser.get(
        "/schedule/", {"month": "2026-03-01", "from": "2027-01-01", "weeks": "4", "rotation": "weekly"}
    )
    assert answer.headers["Location"] == "/schedule/?weeks=4&rotation=weekly&from=2026-03-01"
    assert '<option value="2026-03-01" selected>March 2026</option>' in text(browser.get(answer.headers["Location"]))
    for month in ("", "x", "9999-13-01"):
        assert browser.get("/schedule/", {"month": month, "from": "2027-01-01"}).headers["Location"] == "/schedule/"
    assert '<option value="" selected>This month</option>' in text(browser.get("/schedule/"))


def test_days_count_in_the_reader_s_time_zone(signed_in, rotation, a):
    a.time_zone = "Asia/Tokyo"
    a.save()
    axis = signed_in(a).get("/schedule/", {"from": "2026-12-07"}).context["axis"]
    assert axis.starts_at == dt.datetime(2026, 12, 6, 15, tzinfo=dt.UTC)


def test_an_archived_rotation_is_in_the_past_only(signed_in, rotation, admin, a, now):
    archive_rotation(rotation, by=admin, at=now)
    browser = signed_in(a)
    assert [board.rotation for board in browser.get("/schedule/").context["boards"]] == [rotation]
    ahead = (now + 2 * WEEK).date()
    assert browser.get("/schedule/", {"from": str(ahead)}).context["boards"] == []


def test_the_details_of_ones_own_shift_offer_its_actions(signed_in, rotation, week, a, b):
    page = details(signed_in(b), week.starts_at + DAY)
    assert "Engineer B is on call" in page
    assert [action in page for action in ("Request cover", "Request swap", "Take over", "Open shift")] == [
        True,
        True,
        False,
        True,
    ]
    page = details(signed_in(a), week.starts_at + DAY)
    assert [action in page for action in ("Request cover", "Request swap", "Take over", "Open shift")] == [
        False,
        False,
        True,
        True,
    ]


def test_the_details_name_covers_conflicts_gaps_and_requests(signed_in, rotation, week, admin, a, b, c, now):
    create_cover(rotation, data=CoverData(c, week.starts_at, week.starts_at + DAY, "Dentist"), by=admin, at=now)
    day = week.starts_on + 2 * DAY
    create_holiday(b, data=HolidayData(day, day), by=b)
    pipeline = make_pipeline("Orders", primary=a, secondary=b)
    join_rotation(rotation, pipelines=[pipeline])
    CoverageGap.objects.create(pipeline=pipeline, starts_at=week.starts_at + 2 * DAY, ends_at=week.starts_at + 3 * DAY)
    asked = CoverProposal(week.starts_at + 4 * DAY, week.starts_at + 5 * DAY, counterpart=a)
    request_cover(rotation, proposal=asked, by=b, at=now)
    request_swap(rotation, proposal=SwapProposal(week.starts_on), by=b, at=now)
    covered = details(signed_in(c), week.starts_at)
    assert [words in covered for words in ("Engineer C covers for Engineer B", "Dentist", "End cover")] == [True] * 3
    rest = details(signed_in(a), week.starts_at + 2 * DAY)
    for words in (
        "Engineer B is on call",
        "Away",
        "Uncovered",
        "Fill gap",
        "Cover requested from Engineer A",
        "Swap requested",
    ):
        assert words in rest


def test_time_without_a_stored_shift_has_no_details(signed_in, rotation, a, now):
    assert "No stored shift" in details(signed_in(a), now - 52 * WEEK)
    assert signed_in(a).get("/schedule/weekly/details/", {"at": "x"}).status_code == 400
    assert signed_in(a).get("/schedule/none/details/").status_code == 404


def test_forty_engineers_and_half_a_year_are_one_page(signed_in, admin, now, django_assert_max_num_queries):
    people = [make_engineer(f"Engineer {number:02}", country="DE", subdivision="BE") for number in range(40)]
    create_rotation(name="Large", engineers=people, by=admin, at=now)
    browser = signed_in(people[0])
    with django_assert_max_num_queries(20):
        page = browser.get("/schedule/", {"weeks": "26"})
    [board] = page.context["boards"]
    names, entries = board.chart.count("<li title="), board.table.count("<tr") - 1
    # The week that runs and 24 or 25 more: the window began a week ago.
    assert (names, entries in (25, 26)) == (40, True)
