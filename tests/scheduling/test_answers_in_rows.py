"""Swap and cover requests answered in a row of Now and of Swaps & covers."""

import datetime as dt
import html
import re

import pytest
from django.utils import timezone

from common.formatting import format_day
from scheduling.models import CoverRequest, Rotation, SwapRequest
from scheduling.services.cover_requests import CoverProposal, accept_cover_request, request_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.swaps import SwapProposal, decline_swap, request_swap
from tests.each import each
from tests.factories import import_example
from tests.snapshots import this_minute

HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(weeks=1)


@pytest.fixture
def weeks(db):
    """The upcoming weeks of the example's rotation, in order: four engineers in turn."""
    import_example(at=this_minute())
    rows = Rotation.objects.get().weeks.filter(starts_at__gt=timezone.now())
    return list(rows.select_related("rotation", "engineer").order_by("starts_on"))


@pytest.fixture
def swap(weeks):
    """The engineer of the first week wants to swap it for the second."""
    proposal = SwapProposal(weeks[0].starts_on, weeks[1].starts_on)
    return request_swap(weeks[0].rotation, proposal=proposal, by=weeks[0].engineer, at=timezone.now())


@pytest.fixture
def cover_request(weeks):
    """The engineer of the first week asks anyone to cover part of it."""
    week = weeks[0]
    proposal = CoverProposal(week.starts_at + HOUR, week.starts_at + 2 * HOUR, None, "")
    return request_cover(week.rotation, proposal=proposal, by=week.engineer, at=timezone.now())


def press(browser, page, label):
    """Press the button with this label on a page, as a browser without JavaScript does; return the response."""
    text = browser.get(page).content.decode()
    form = re.search(r'<form id="answers"[^>]*>(.*?)</form>', text, re.DOTALL)[1]
    fields = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form))
    buttons = re.findall(r"<button ([^>]*)>(.*?)</button>", text, re.DOTALL)
    chosen = [
        attributes
        for attributes, content in buttons
        if 'form="answers"' in attributes and html.unescape(re.sub("<[^>]*>", "", content)).strip() == label
    ]
    assert len(chosen) == 1, [label, len(chosen)]
    action, name, value = (re.search(f'{key}="([^"]*)"', chosen[0])[1] for key in ("formaction", " name", "value"))
    return browser.post(action, {**fields, name: value})


@each("page", ["/", "/swaps/"])
def test_a_swap_is_accepted_in_its_row(signed_in, weeks, swap, page):
    browser = signed_in(weeks[1].engineer)
    answer = press(browser, page, f"Accept {weeks[0].engineer}’s swap request")
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert SwapRequest.objects.get().state == "accepted"
    shown = browser.get(page).content.decode()
    first, second = (format_day(week.starts_on) for week in weeks[:2])
    assert f"Swap accepted. You take the week of {first}; {weeks[0].engineer} takes the week of {second}." in shown
    assert f"{weeks[0].engineer}’s swap request" not in shown


@each("page", ["/", "/swaps/"])
def test_a_swap_is_declined_in_its_row(signed_in, weeks, swap, page):
    answer = press(signed_in(weeks[1].engineer), page, f"Decline {weeks[0].engineer}’s swap request")
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert SwapRequest.objects.get().state == "declined"


@each(("page", "answer", "state"), [("/", "Accept", "accepted"), ("/swaps/", "Decline", "pending")])
def test_a_cover_request_is_answered_in_its_row(signed_in, weeks, cover_request, page, answer, state):
    response = press(signed_in(weeks[2].engineer), page, f"{answer} {weeks[0].engineer}’s cover request")
    assert (response.status_code, response.headers["Location"]) == (302, page)
    assert CoverRequest.objects.get().state == state


def test_a_conflict_with_time_off_is_confirmed_on_the_page_of_the_request(signed_in, weeks, swap):
    taker, day = weeks[1].engineer, weeks[0].starts_on + dt.timedelta(days=2)
    create_holiday(taker, data=HolidayData(day, day), by=taker)
    answer = press(signed_in(taker), "/", f"Accept {weeks[0].engineer}’s swap request")
    assert answer.status_code == 409
    assert "Accept despite this time off" in answer.content.decode()
    assert SwapRequest.objects.get().state == "pending"


def test_an_old_row_never_answers_for_someone_else(signed_in, weeks):
    """An admin's answer counts for the next recipient by default, but in the admin's own row only for them."""
    recipient = weeks[1].engineer
    recipient.is_staff = True
    recipient.save()
    proposal = SwapProposal(weeks[0].starts_on)
    swap = request_swap(weeks[0].rotation, proposal=proposal, by=weeks[0].engineer, at=timezone.now())
    browser = signed_in(recipient)
    decline_swap(swap, by=recipient, at=timezone.now())
    answer = browser.post(f"/swaps/{swap.pk}/accept/", {"engineer": recipient.username, "next": "/"})
    assert answer.status_code == 409
    assert SwapRequest.objects.get().state == "pending"


def test_the_rows_name_the_weeks_of_a_three_way_swap_for_each_engineer(signed_in, weeks):
    first, second, third = weeks[:3]
    proposal = SwapProposal(first.starts_on, second.starts_on, third_week=third.starts_on)
    request_swap(first.rotation, proposal=proposal, by=first.engineer, at=timezone.now())
    shown = " ".join(signed_in(third.engineer).get("/").content.decode().split())
    day = third.starts_on
    assert f"proposes a three-way swap: your week of {day.day} {day:%b}" in shown


def test_now_names_only_the_time_that_a_cover_request_still_asks_for(signed_in, weeks, cover_request):
    half = cover_request.starts_at + HOUR / 2
    accept_cover_request(
        cover_request, by=weeks[1].engineer, at=timezone.now(), starts_at=cover_request.starts_at, ends_at=half
    )
    page = html.unescape(signed_in(weeks[2].engineer).get("/").content.decode())
    row = page.partition("is looking for cover")[2].partition("</a>")[0]
    assert re.findall(r"\d\d:\d\d", row) == [f"{time:%H:%M}" for time in (half, cover_request.ends_at)]
