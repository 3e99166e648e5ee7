"""The forms of the API documentation send calls with the session of the browser."""

import json
import re

import pytest
from playwright.sync_api import expect

from handoffs.models import ActionItem
from scheduling.models import HolidayBlock
from tests.axe import findings
from tests.factories import import_example
from tests.snapshots import this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLUG = "daily-growth-experiment-focused"
NOT_JSON = {
    '{\n  "text": "a"\n  "done": true\n}': 'Line 3: expected “,” or “}”, not “"done": true”.',
    '{\n  "text": "a",\n}': "Line 3: expected a name in double quotes, not “}”.",
    '{\n  "text" "a"}': 'Line 2: expected “:” after the name, not “"a"}”.',
    "{'text': 1}": "Line 1: expected a name in double quotes, not “'text': 1}”.",
    "[1,\n2": "Line 2: expected “,” or “]”, not the end of the text.",
    '{"text": nothing}': "Line 1: expected a value, not “nothing}”.",
    '{"text": "a"}\n\nx': "Line 3: expected the end of the text, not “x”.",
    "": "Line 1: expected a value, not the end of the text.",
    '{"a": [{"b": -1.5e3, "c": [true, false, null, {}, []]}, 01]}': "Line 1: expected “,” or “]”, not “1]}”.",
}


@pytest.fixture
def seeded(transactional_db, seed):
    import_example(at=this_minute())


def open_call(page, method, path):
    """Open the form of an operation by keyboard, and return it."""
    page.goto(f"/api/v1/docs/?q={path}")
    call = page.locator(f"details.call:has(> summary code:text-is('{path}')):has(> summary .badge:text-is('{method}'))")
    if call.get_attribute("open") is None:
        call.locator("summary").press("Enter")
    call.get_by_role("button", name=f"Try it {method} {path}", exact=True).press("Enter")
    return page.get_by_role("form", name=f"Try {method} {path}")


def answer(form):
    return form.locator(".answer code")


def test_a_call_creates_a_row_and_shows_the_answer(seeded, a, open_page, complaints):
    page = open_page(a)
    form = open_call(page, "POST", "/api/v1/action-items/")
    expect(form).to_contain_text("This sends a real request as Engineer A and changes data on this site.")
    expect(form.get_by_label("Body")).to_be_focused()
    expect(form.get_by_label("Body")).to_have_value('{\n  "text": "text"\n}')
    form.get_by_label("Body").fill('{"text": "Ask for a larger disk"}')
    form.get_by_role("button", name="Send and change data").press("Enter")
    expect(form.get_by_role("status")).to_contain_text("201 Created in ")
    item = ActionItem.objects.get()
    assert json.loads(answer(form).text_content())["id"] == item.pk
    # The same key: nothing more is created.
    form.get_by_role("button", name="Send and change data").press("Enter")
    expect(form.locator("dt", has_text="Idempotency-Replayed")).to_be_visible()
    assert ActionItem.objects.count() == 1
    # Another body has another key.
    form.get_by_label("Body").fill('{"text": "Another"}')
    form.get_by_role("button", name="Send and change data").press("Enter")
    expect(answer(form)).to_contain_text("Another")
    assert ActionItem.objects.count() == 2
    assert complaints == []


def test_a_refused_call_shows_the_400_and_can_be_corrected(seeded, a, open_page):
    page = open_page(a)
    form = open_call(page, "POST", "/api/v1/holidays/")
    form.get_by_label("Body").fill('{"starts_on": "2027-03-05", "ends_on": "soon"}')
    form.get_by_role("button", name="Send and change data").click()
    expect(form.get_by_role("status")).to_contain_text("400 Bad Request in ")
    assert list(json.loads(answer(form).text_content())) == ["ends_on"]
    expect(form.get_by_label("Body")).to_have_value('{"starts_on": "2027-03-05", "ends_on": "soon"}')
    assert not HolidayBlock.objects.exists()
    form.get_by_label("Body").fill('{"starts_on": "2027-03-05", "ends_on": "2027-03-05"}')
    form.get_by_role("button", name="Send and change data").click()
    expect(form.get_by_role("status")).to_contain_text("201 Created in ")
    block = HolidayBlock.objects.get()
    form = open_call(page, "DELETE", "/api/v1/holidays/{id}/")
    form.get_by_label("id").fill(f"{block.pk}")
    form.get_by_label("id").press("Enter")
    expect(form.get_by_role("status")).to_contain_text(re.compile("20[04] .* in "))
    assert not HolidayBlock.objects.exists()


def test_a_body_that_is_not_json_names_its_line_and_is_not_sent(seeded, a, open_page):
    page = open_page(a)
    form = open_call(page, "POST", "/api/v1/action-items/")
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    for body, problem in NOT_JSON.items():
        form.get_by_label("Body").fill(body)
        expect(form.locator(".problem li")).to_have_count(0)
        form.get_by_role("button", name="Send and change data").click()
        expect(form.locator(".wrong .problem")).to_have_text(problem)
        expect(form.get_by_label("Body")).to_be_focused()
        expect(form.get_by_label("Body")).to_have_attribute("aria-invalid", "true")
    assert sent == []


def test_a_field_of_the_path_is_required_and_sent(seeded, a, open_page, complaints):
    form = open_call(open_page(a), "GET", "/api/v1/pipelines/{slug}/responder/")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".wrong .problem")).to_have_text("Enter slug.")
    form.get_by_label("slug").fill(SLUG)
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_contain_text("200 OK in ")
    assert json.loads(answer(form).text_content())["pipeline"] == SLUG
    expect(form.locator("dt", has_text="ETag")).to_be_visible()
    assert complaints == []


def test_a_field_cannot_turn_the_call_into_another_one(seeded, a, open_page):
    page = open_page(a)
    sent = []
    page.on("request", lambda request: sent.append(request.url.partition("/api/")[2]))
    form = open_call(page, "DELETE", "/api/v1/holidays/{id}/")
    field, send = form.get_by_label("id"), form.get_by_role("button", name="Send and change data")
    sent.clear()
    for value in (".", "..", "1/../../tokens/2"):
        field.fill(value)
        send.click()
        expect(form.locator(".wrong .problem")).to_have_text(f"“{value}” cannot be part of a path.")
    assert sent == []
    # These stay one part of the path.
    for value, part in {"%2e%2e": "%252e%252e", "é ?#": "%C3%A9%20%3F%23", "$&\\": "%24%26%5C"}.items():
        field.fill(value)
        send.click()
        expect(form.get_by_role("status")).to_contain_text("404 Not Found in ")
        assert sent.pop() == f"v1/holidays/{part}/"


def test_a_header_or_a_body_that_cannot_be_sent_is_named(seeded, a, open_page):
    form = open_call(open_page(a), "POST", "/api/v1/action-items/")
    key, send = form.get_by_label("Idempotency-Key"), form.get_by_role("button", name="Send and change data")
    key.fill("Schlüssel")
    send.click()
    expect(form.locator(".wrong .problem")).to_have_text("Use only ASCII characters in a header.")
    key.fill("key")
    form.get_by_label("Body").fill("[" * 100_000)
    send.click()
    expect(form.locator(".wrong .problem")).to_have_text("The body is not valid JSON: it is nested too deeply.")
    assert not ActionItem.objects.exists()


def test_html_in_an_answer_is_text(seeded, a, open_page, complaints):
    form = open_call(open_page(a), "POST", "/api/v1/action-items/")
    html = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    form.get_by_label("Body").fill(json.dumps({"text": html}))
    form.get_by_role("button", name="Send and change data").click()
    expect(answer(form)).to_contain_text(html)
    assert form.locator(".answer img, .answer script").count() == 0
    assert complaints == []


def test_without_a_connection_or_a_session_it_says_so(seeded, a, open_page):
    page = open_page(a)
    form = open_call(page, "DELETE", "/api/v1/holidays/{id}/")
    form.get_by_label("id").fill("1")
    page.route("**/api/v1/holidays/1/", lambda route: route.abort())
    form.get_by_role("button", name="Send and change data").click()
    expect(form.get_by_role("status")).to_have_text("The site did not answer. You can safely send the call again.")
    page.unroute("**/api/v1/holidays/1/")
    page.context.clear_cookies()
    form.get_by_role("button", name="Send and change data").click()
    expect(form.get_by_role("status")).to_contain_text("401 Unauthorized in ")


def test_a_preview_says_that_it_changes_nothing(seeded, a, open_page):
    form = open_call(open_page(a), "POST", "/api/v1/holidays/preview/")
    expect(form.get_by_text("A preview changes nothing.")).to_be_visible()
    expect(form.get_by_text("changes data")).to_be_hidden()
    form.get_by_role("button", name="Send", exact=True).click()
    expect(answer(form)).to_contain_text("stepping_in")


def test_the_form_has_no_axe_finding(seeded, a, open_page):
    page = open_page(a)
    form = open_call(page, "PATCH", "/api/v1/action-items/{id}/")
    form.get_by_role("button", name="Send and change data").click()
    expect(form.locator(".wrong")).to_have_count(1)
    assert findings(page) == []
    form.get_by_label("id").fill("1")
    form.get_by_role("button", name="Send and change data").click()
    expect(answer(form)).to_be_visible()
    assert findings(page, number=2) == []
