"""Selecting days of the calendar by mouse, touch, keyboard or two typed dates leads to the same form."""

import pytest

from people.models import User
from tests.browser import PHONE
from tests.factories import import_example
from tests.snapshots import this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MONTH = "/calendar/2026/12/"


@pytest.fixture
def a(seed):
    import_example(at=this_minute())
    return User.objects.get(username="engineer-a")


def days(page, *numbers, engineer="mine"):
    row = page.locator("table.month tr.mine" if engineer == "mine" else f'table.month tr[data-engineer="{engineer}"]')
    return [row.locator(f'td[data-day="2026-12-{number:02}"]').bounding_box() for number in numbers]


def center(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def form_dates(page):
    page.wait_for_url("**/calendar/add/**")
    return page.get_by_label("First day").input_value(), page.get_by_label("Last day").input_value()


def drag(page, first, last):
    page.mouse.move(*center(first))
    page.mouse.down()
    page.mouse.move(*center(last), steps=8)
    page.mouse.up()


def test_dragging_over_days_opens_the_form_with_them(open_page, a, complaints):
    page = open_page(a)
    page.goto(MONTH)
    drag(page, *days(page, 7, 11))
    assert form_dates(page) == ("2026-12-07", "2026-12-11")
    assert complaints == []


def test_dragging_backwards_chooses_the_same_days(open_page, a):
    page = open_page(a)
    page.goto(MONTH)
    drag(page, *days(page, 11, 7))
    assert form_dates(page) == ("2026-12-07", "2026-12-11")


def test_a_click_chooses_one_day(open_page, a):
    page = open_page(a)
    page.goto(MONTH)
    page.mouse.click(*center(*days(page, 9)))
    assert form_dates(page) == ("2026-12-09", "2026-12-09")


def test_an_engineer_drags_over_no_row_but_their_own(signed_in, a):
    # Two months of the own row.
    assert signed_in(a).get(MONTH).content.count(b" data-day=") == 62


def test_an_admin_drags_over_anybodys_row(open_page, a, admin):
    page = open_page(admin)
    page.goto(MONTH)
    drag(page, *days(page, 7, 8, engineer="engineer-b"))
    assert form_dates(page) == ("2026-12-07", "2026-12-08")
    assert page.get_by_label("Engineer").locator("option:checked").inner_text() == "Engineer B"


def test_the_keyboard_alone_chooses_days(open_page, a):
    page = open_page(a)
    page.goto(MONTH)
    page.locator("tr.mine td[data-day] a").first.focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert "2 Dec to Fri 4 Dec, 3 days" in page.locator("#chosen-days").inner_text()
    page.keyboard.press("Enter")
    assert form_dates(page) == ("2026-12-02", "2026-12-04")


def test_a_drag_goes_on_into_the_next_month(open_page, a):
    page = open_page(a, size={"width": 1400, "height": 900})
    page.goto(MONTH)
    # The two months are wider than the page: `hover` scrolls, and waits until nothing moves.
    page.locator('tr.mine td[data-day="2027-01-08"]').hover()
    last = page.locator('tr.mine td[data-day="2027-01-04"]').bounding_box()
    drag(page, *days(page, 28), last)
    assert form_dates(page) == ("2026-12-28", "2027-01-04")


def test_the_keyboard_chooses_days_in_anybodys_row_for_an_admin(open_page, a, admin):
    page = open_page(admin)
    page.goto(MONTH)
    page.locator('tr[data-engineer="engineer-b"] td[data-day="2026-12-01"]').focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert form_dates(page) == ("2026-12-02", "2026-12-03")
    assert page.get_by_label("Engineer").locator("option:checked").inner_text() == "Engineer B"


def touch_page(open_page, user):
    page = open_page(user, size=PHONE, touch=True)
    page.goto(MONTH)
    return page


def test_two_taps_choose_days(open_page, a, complaints):
    page = touch_page(open_page, a)
    page.locator('tr.mine td[data-day="2026-12-03"]').tap()
    assert "Now tap the last day." in page.locator("#chosen-days").inner_text()
    page.locator('tr.mine td[data-day="2026-12-05"]').tap()
    assert form_dates(page) == ("2026-12-03", "2026-12-05")
    assert complaints == []


def test_a_long_press_and_a_drag_choose_days(open_page, a, complaints):
    page = touch_page(open_page, a)
    page.locator('tr.mine td[data-day="2026-12-03"]').scroll_into_view_if_needed()
    first, last = (page.locator(f'tr.mine td[data-day="2026-12-0{day}"]') for day in (3, 5))
    (x, y), (end, _) = center(first.bounding_box()), center(last.bounding_box())
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    page.locator("td.chosen").first.wait_for()
    for step in range(1, 9):
        point = {"x": x + (end - x) * step / 8, "y": y}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_url("**/calendar/add/**")
    assert form_dates(page) == ("2026-12-03", "2026-12-05")
    assert complaints == []


def test_a_swipe_scrolls_and_chooses_nothing(open_page, a, admin):
    for user in (a, admin):
        page = touch_page(open_page, user)
        box = page.locator("td[data-day]").nth(6).bounding_box()
        x, y = center(box)
        session = page.context.new_cdp_session(page)
        before = page.locator(".table-scroll").first.evaluate("box => box.scrollLeft")
        session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 9):
            point = {"x": x - 20 * step, "y": y}
            session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_function("before => document.querySelector('.table-scroll').scrollLeft > before", arg=before)
        assert page.url.endswith(MONTH)
        assert page.locator("td.chosen").count() == 0


def test_reversed_dates_mean_the_days_between(open_page, a):
    page = open_page(a)
    page.goto(MONTH)
    page.get_by_label("First day").fill("2026-12-25")
    page.get_by_label("Last day").fill("2026-12-21")
    page.get_by_role("button", name="Preview impact").click()
    assert form_dates(page) == ("2026-12-21", "2026-12-25")
    assert page.get_by_role("heading", name="Impact of").count() == 1


def test_two_typed_dates_lead_to_the_same_form_without_javascript(open_page, a):
    page = open_page(a, javascript=False)
    page.goto(MONTH)
    page.get_by_label("First day").fill("2026-12-21")
    page.get_by_label("Last day").fill("2026-12-25")
    page.get_by_role("button", name="Preview impact").click()
    assert form_dates(page) == ("2026-12-21", "2026-12-25")


def test_the_calendar_goes_to_the_month_that_is_chosen(open_page, a, complaints):
    page = open_page(a)
    page.goto(f"{MONTH}?everyone=1")
    page.get_by_label("Month").select_option("March 2027")
    page.wait_for_url("**/calendar/2027/3/**")
    assert page.get_by_label("Month").input_value() == "2027-03-01"
    page = open_page(a, javascript=False)
    page.goto(MONTH)
    page.get_by_label("Month").select_option("May 2027")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/calendar/2027/5/")
    assert complaints == []
