"""The timeline in a browser: bars with details, a drag to request a cover, keys, the table, and one screen for a large team."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from people.models import User
from scheduling.domain.weeks import week_start
from scheduling.models import CoverageGap, CoverRequest, Rotation, RotationWeek
from scheduling.services.cover_requests import CoverProposal, request_cover
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rotations import create_rotation, join_rotation
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from tests.axe import findings
from tests.browser import PHONE
from tests.factories import make_engineer, make_pipeline
from tests.snapshots import build_once, this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SCREEN = {"width": 1280, "height": 800}


def make_team(at):
    """Create four rotations of seven engineers, with a swap, a cover, a cover request, time off and a gap in each."""
    admin = make_engineer("Admin", is_staff=True)
    for number in range(4):
        people = [
            make_engineer(f"Engineer {number}{letter}", country="DE", colour=1 + (place + number) % 12)
            for place, letter in enumerate("ABCDEFG")
        ]
        rotation = create_rotation(name=f"Rotation {number}", engineers=people, by=admin, at=at)
        weeks = list(rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on"))
        swap = request_swap(
            rotation, proposal=SwapProposal(weeks[1].starts_on, weeks[2].starts_on), by=weeks[1].engineer, at=at
        )
        accept_swap(swap, by=weeks[2].engineer, at=at)
        cover = CoverData(weeks[5].engineer, weeks[0].starts_at + 2 * DAY, weeks[0].starts_at + 4 * DAY, "Dentist")
        create_cover(rotation, data=cover, by=admin, at=at)
        begin = weeks[3].starts_at
        request_cover(rotation, proposal=CoverProposal(begin + DAY, begin + 3 * DAY), by=admin, at=at)
        away = weeks[4]
        create_holiday(away.engineer, data=HolidayData(away.starts_on, away.starts_on + 4 * DAY), by=admin)
        pipeline = make_pipeline(f"Pipeline {number}", primary=people[0], secondary=people[1], position=number)
        join_rotation(rotation, pipelines=[pipeline])
        if number == 0:
            CoverageGap.objects.create(pipeline=pipeline, starts_at=away.starts_at, ends_at=away.starts_at + 2 * DAY)


@pytest.fixture
def team(db):
    """Return the admin of a site with four rotations."""
    at = this_minute()
    build_once(("timeline", at), lambda: make_team(at))
    return User.objects.get(is_staff=True)


@pytest.fixture
def a(team):
    return User.objects.get(username="engineer-0a")


def own_bar(user):
    """Return a user's first upcoming shift without a cover, which is one bar."""
    weeks = RotationWeek.objects.filter(engineer=user, starts_at__gt=timezone.now()).order_by("starts_at")
    return next(
        week
        for week in weeks
        if not week.rotation.covers.filter(starts_at__range=(week.starts_at, week.ends_at)).exists()
    )


def bar_of(page, week):
    return page.locator(f'svg[data-rotation="{week.rotation.slug}"] a.shift[data-from="{week.starts_at.isoformat()}"]')


def test_four_rotations_of_seven_fit_on_one_screen(open_page, team, complaints):
    page = open_page(team, size=SCREEN)
    page.goto("/schedule/")
    box = page.locator(".timeline").bounding_box()
    assert page.locator("svg.timeline-chart").count() == 4
    assert page.locator(".timeline-names").first.locator("li").count() == 8
    assert box["y"] + box["height"] <= SCREEN["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == SCREEN["width"]
    assert complaints == []


def test_a_bar_opens_its_details(open_page, a, complaints):
    page = open_page(a)
    page.goto("/schedule/?weeks=12")
    week = own_bar(a)
    bar_of(page, week).click()
    details = page.locator("#timeline-details")
    expect(details).to_contain_text("Engineer 0A is on call")
    assert details.get_by_role("link").all_inner_texts() == ["Request cover", "Request swap", "Open shift"]
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(bar_of(page, week)).to_be_focused()
    assert complaints == []


def test_dragging_over_ones_own_bar_requests_a_cover(open_page, a, complaints):
    page = open_page(a)
    page.goto("/schedule/?weeks=4&from=" + str(week_start(own_bar(a).starts_on, weekday=0)))
    week = own_bar(a)
    box = bar_of(page, week).locator("rect").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 2.1 / 7, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 4.1 / 7, y, steps=8)
    page.mouse.up()
    page.wait_for_url("**/covers/request/**")
    begin, end = (page.get_by_label(name).input_value() for name in ("From", "Until"))
    begin, end = dt.datetime.fromisoformat(begin), dt.datetime.fromisoformat(end)
    assert abs(end - begin - 2 * DAY) <= 6 * HOUR
    assert week.starts_at.replace(tzinfo=None) < begin < end < week.ends_at.replace(tzinfo=None)
    page.get_by_role("button", name="Request cover").click()
    page.wait_for_url("**/covers/requests/*/")
    assert CoverRequest.objects.filter(requester=a, counterpart=None, starts_at__date=begin.date()).exists()
    assert complaints == []


def test_dragging_over_anothers_bar_does_nothing(open_page, a):
    page = open_page(a)
    page.goto("/schedule/?weeks=4")
    other = page.locator("a.shift:not(.mine)").first
    assert page.locator("a.mine").count() < page.locator("a.shift").count()
    assert "mine" not in other.get_attribute("class")


def test_keys_move_between_bars_and_open_them(open_page, a):
    page = open_page(a)
    page.goto("/schedule/")
    chart = page.locator("svg.timeline-chart").first
    assert chart.locator('a[tabindex="0"]').count() == 1
    chart.locator('a[tabindex="0"]').focus()
    first = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert first != second
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator("#timeline-details")).to_be_visible()


def test_a_gap_leads_to_the_form_that_fills_it(open_page, team, complaints):
    page = open_page(team)
    page.goto("/schedule/")
    page.locator("a.gap").first.click()
    page.wait_for_url("**/schedule/rotation-0/cover/**")
    gap = CoverageGap.objects.get()
    assert page.get_by_label("From").input_value() == f"{gap.starts_at:%Y-%m-%dT%H:%M}"
    assert page.get_by_label("Until").input_value() == f"{gap.ends_at:%Y-%m-%dT%H:%M}"
    assert complaints == []


def test_without_javascript_bars_are_links_and_the_table_has_everything(open_page, a):
    page = open_page(a, javascript=False)
    page.goto("/schedule/?rotation=rotation-0")
    rows = page.locator(".timeline-table tbody tr")
    rotation = Rotation.objects.get(slug="rotation-0")
    assert rows.count() > 12
    assert page.get_by_text("On call while away").count() >= 1
    week = own_bar(a)
    bar_of(page, week).click()
    page.wait_for_url(f"**/schedule/{week.starts_on}/#{rotation.slug}")


def test_on_a_phone_the_shifts_are_a_list(open_page, a, complaints):
    page = open_page(a, size=PHONE)
    page.goto("/schedule/")
    expect(page.locator(".timeline")).to_be_hidden()
    expect(page.locator(".timeline-table").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert complaints == []


def test_the_timeline_has_no_axe_findings(open_page, team):
    """Each state in a view of its own."""
    page = open_page(team, size=PHONE)
    page.goto("/schedule/")
    assert findings(page, number=0) == []
    page.set_viewport_size(SCREEN)
    page.goto("/schedule/")
    assert findings(page, number=2) == []
    page.set_viewport_size(SCREEN)
    page.locator("a.shift").nth(3).click()
    expect(page.locator("#timeline-details")).to_be_visible()
    assert findings(page, number=3) == []
