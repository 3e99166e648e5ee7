"""The site used as a person uses it: by mouse, by keyboard alone, without JavaScript, on a phone."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from incidents.models import Incident
from incidents.services.transitions import NewIncident, open_incident
from people.models import User
from pipelines.models import Pipeline
from runbooks.models import Runbook
from tests.browser import DESKTOP, PHONE, follow
from tests.factories import PASSWORD, bearer, import_example
from tests.snapshots import this_minute
from tests.validation.fixtures import make_check, make_metric, push, run
from validation.models import Check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLUG = "daily-growth-experiment-focused"


@pytest.fixture
def seeded(transactional_db, seed):
    import_example(at=this_minute())


def test_an_engineer_signs_in_and_reads_the_runbook_of_a_pipeline(seeded, a, open_page, complaints):
    a.set_password(PASSWORD)
    a.save()
    page = open_page()
    page.goto("/")
    page.get_by_label("User name").fill("engineer-a")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Daily growth", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Daily growth")
    page.get_by_role("main").get_by_role("link", name="Runbook", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("Check upstream log systems for delays.")
    assert complaints == []


def test_a_phone_shows_the_first_field_with_an_error(a, open_page):
    for javascript in (True, False):
        page = open_page(a, size=PHONE, javascript=javascript)
        page.goto("/me/profile/")
        page.get_by_label("Subdivision").fill("Nowhere")
        page.get_by_role("button", name="Save profile").click()
        expect(page.locator(".problem li")).to_be_in_viewport()
        expect(page.get_by_label("Subdivision")).to_be_focused()


def test_the_live_preview_follows_the_typing(seeded, a, open_page, complaints):
    page = open_page(a)
    page.goto(f"/runbooks/{SLUG}/edit/")
    page.get_by_label("Text").fill("### Purpose\n\nSeen **at once**.")
    expect(page.locator("#preview").get_by_text("at once", exact=True)).to_be_visible()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview").get_by_text("at once", exact=True)).to_be_visible()
    page.get_by_label("Summary of changes").fill("shorter")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("Seen at once.")
    assert complaints == []


def test_a_runbook_is_edited_compared_and_restored_without_javascript(seeded, a, open_page):
    page = open_page(a, javascript=False)
    page.goto(f"/runbooks/{SLUG}/edit/")
    text = page.get_by_label("Text").input_value()
    page.get_by_label("Text").fill(text.replace("Rerun failed tasks", "Restart failed tasks"))
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("Restart failed tasks")
    follow(page.get_by_role("button", name="Save"))
    page.locator(".page-header summary").click()
    follow(page.get_by_role("link", name="Revisions"))
    follow(page.get_by_role("button", name="Compare"))
    expect(page.locator(".diff ins").first).to_contain_text("Restart")
    follow(page.get_by_role("link", name="All revisions"))
    follow(page.get_by_role("link", name="Revision 1", exact=True))
    follow(page.get_by_role("button", name="Restore this revision"))
    expect(page.get_by_role("main")).to_contain_text("Rerun failed tasks")
    assert Runbook.objects.get(pipeline__slug=SLUG).revision == 3


def test_the_keyboard_alone_reaches_a_pipeline(seeded, a, open_page):
    page = open_page(a)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_contain_text("Skip")
    page.keyboard.press("Enter")
    for _ in range(15):
        page.keyboard.press("Tab")
        expect(page.locator("main :focus")).to_have_count(1)
        if "/pipelines/" in (
            page.locator(":focus").get_attribute("href") or ""
        ):  # the setup list and the filters take the focus first
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/pipelines/**")


def test_on_a_phone_the_table_is_a_list_that_still_names_its_columns(seeded, a, open_page):
    page = open_page(a, size=PHONE)
    page.goto("/people/engineer-a/")
    first = page.locator("tbody tr").first
    assert first.bounding_box()["width"] <= PHONE["width"]
    label = first.locator("td").first.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert "Role" in label


def test_times_are_shown_in_the_viewers_zone_with_its_name(seeded, a, open_page):
    a.time_zone = "Asia/Tokyo"
    a.save()
    page = open_page(a)
    page.goto("/")
    expect(page.locator("main time").first).to_contain_text("JST")


def test_an_admin_changes_owners_in_the_grid(seeded, admin, open_page, complaints):
    page = open_page(admin)
    page.goto("/pipelines/")
    page.locator(".page-header summary").click()
    page.get_by_role("link", name="Edit owners").click()
    page.get_by_label("Primary owner of Daily growth").select_option(label="Engineer C")
    page.get_by_role("button", name="Save owners").click()
    expect(page.get_by_text("Owners changed for 1 pipeline.")).to_be_visible()
    page.goto(f"/pipelines/{SLUG}/")
    expect(page.get_by_role("main")).to_contain_text("Engineer D → Engineer C")
    assert complaints == []


def test_an_incident_on_a_phone_shows_all_that_matters_on_the_first_screen(seeded, a, open_page, complaints):
    pipeline = Pipeline.objects.get(slug=SLUG)
    at = timezone.now()
    metric = make_metric(pipeline)
    push(metric, [100, 104, 98, 101, 99, 103, 100, 97, 102, 40], at=at)
    check = make_check(
        pipeline, a, name="Enough users", metric=metric, at=at, parameters={"fail_below": 90}, is_active=True
    )
    run(check, at=at)
    what = NewIncident(
        kind="issue",
        title="Value out of range: Enough users (40)",
        text="40 is below the limit of 90.",
        check_id=check.pk,
    )
    incident = open_incident(pipeline, what=what, by=None, at=at - dt.timedelta(minutes=3))
    page = open_page(a, size=PHONE)
    page.goto(f"/incidents/{incident.pk}/")
    status = page.locator("#incident-status")
    for shown in (
        page.get_by_role("heading", level=1),
        status.get_by_text("Opened 3 min ago"),
        status.get_by_text("Unassigned"),
        status.locator(".entry-text"),
        status.get_by_text("Escalates to"),
        page.get_by_role("button", name="Acknowledge and start runbook"),
        page.get_by_role("button", name="Acknowledge", exact=True),
        status.locator(".chart svg"),
        status.locator(".step-titles li").first,
    ):
        expect(shown).to_be_in_viewport(ratio=1)
    # Content behind the bottom bar is not visible.
    bar = page.get_by_role("navigation", name="Sections").bounding_box()["y"]
    first_step = status.locator(".step-titles li").first.bounding_box()
    assert first_step["y"] + first_step["height"] <= bar
    Incident.objects.update(next_escalation_at=None)
    page.reload()
    expect(status.get_by_text("Escalation exhausted: nobody else will be notified.")).to_be_in_viewport()
    assert complaints == []


def test_tables_and_charts_fit_a_phone_and_a_tapped_value_is_read(seeded, a, open_page, complaints):
    User.objects.filter(pk=a.pk).update(display_name="Wilhelmina Featherstonehaugh-Cholmondeley")
    metric = make_metric(Pipeline.objects.get(slug=SLUG))
    push(metric, [1000 + number for number in range(60)], at=timezone.now())
    check = make_check(metric.pipeline, a, metric=metric, at=timezone.now(), parameters={"fail_below": 90})
    page = open_page(a, size=PHONE, touch=True)
    page.goto("/fairness/?sort=next_weekend_days")
    widths = page.locator(".table-scroll").evaluate_all("all => all.map((one) => one.scrollWidth - one.clientWidth)")
    assert widths == [0]
    page.goto(f"/checks/{check.pk}/")
    chart = page.locator(".chart svg.narrow-only")
    expect(page.locator(".chart svg.wide-only")).to_be_hidden()
    expect(chart.get_by_text("1,000", exact=True)).to_be_visible()
    box = chart.bounding_box()
    assert (box["x"] >= 0, box["x"] + box["width"] <= PHONE["width"]) == (True, True)
    chart.locator(".chart-hover").last.tap()
    expect(page.locator(".reading")).to_contain_text("1,059 users")
    assert complaints == []


def test_the_filters_of_checks_are_remembered(seeded, a, open_page):
    page = open_page(a)
    page.goto("/checks/")
    page.get_by_label("Last result").select_option("Failed")
    follow(page.get_by_role("button", name="Filter"))
    page.goto("/checks/")
    expect(page.get_by_label("Last result")).to_have_value("fail")
    follow(page.get_by_role("link", name="Clear filters").first)
    page.goto("/checks/")
    expect(page.get_by_label("Last result")).to_have_value("")


def test_less_used_actions_are_in_a_menu(seeded, admin, open_page):
    for size, javascript in ((PHONE, False), (DESKTOP, True)):
        page = open_page(admin, size=size, javascript=javascript)
        for path, links in (
            (f"/pipelines/{SLUG}/", ["Maintenance", "Channels", "Integration keys", "Edit pipeline"]),
            (f"/runbooks/{SLUG}/", ["Revisions", "Pipeline", "Declare incident"]),
            ("/pipelines/", ["Edit owners", "Reader links"]),
        ):
            page.goto(path)
            header = page.locator(".page-header")
            tops = {round(each.bounding_box()["y"]) for each in header.locator(".button:not(.small)").all()}
            assert len(tops) == 1, path
            header.locator("summary").click()
            assert header.locator(".site-menu-list a").all_inner_texts() == links
            for name in links:
                expect(header.get_by_role("link", name=name, exact=True)).to_be_in_viewport(ratio=1)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    header.locator("summary").focus()
    page.keyboard.press("Escape")
    expect(header.get_by_role("link", name="Reader links")).to_be_hidden()
    expect(header.locator("summary")).to_be_focused()


def test_the_account_menu_fits_a_small_phone(admin, open_page):
    page = open_page(admin, size={"width": 320, "height": 568})
    page.goto("/people/")
    page.locator(".site-tools summary").click()
    menu, bar = page.locator(".site-tools .site-menu-list").bounding_box(), page.locator(".site-nav").bounding_box()
    assert menu["x"] >= 0
    assert menu["y"] + menu["height"] <= bar["y"]
    expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)


def test_on_a_phone_a_check_that_passes_takes_two_lines_and_one_that_fails_says_why(seeded, a, open_page, complaints):
    pipeline = Pipeline.objects.get(slug=SLUG)
    fields = {"metric": make_metric(pipeline), "parameters": {"fail_below": 10}, "is_active": True}
    five_minutes_ago = timezone.now() - dt.timedelta(minutes=5)
    for number in range(40):
        created = make_check(pipeline, a, name=f"Range of users, part {number:02}", **fields)
        status, message = ("fail", "5 is below the limit of 10.") if number < 2 else ("pass", "1,234 – within range.")
        if number == 1:
            # A column, a key or a path of a tool is one long word.
            message = f"{message} {'a_very_long_name' * 12}"
        result = {"last_status": status, "last_message": message, "last_value": 1234.5, "last_run_at": five_minutes_ago}
        Check.objects.filter(pk=created.pk).update(**result)
    page = open_page(a, size=PHONE)
    page.goto("/checks/")
    rows = page.locator(".check-rows tbody tr")
    heights = [rows.nth(place).bounding_box()["height"] for place in (0, 2, 39)]
    assert heights[1] == heights[2] < 72
    expect(rows.nth(0)).to_contain_text("5 is below the limit of 10.")
    expect(rows.nth(2).get_by_text("1,234 – within range.")).to_be_hidden()
    for words in ("Passed", "Range of users, part 02", "1,234.5", "ago"):
        expect(rows.nth(2).get_by_text(words, exact=words == "Passed").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_label("Last result").select_option("fail")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(2)
    assert complaints == []


def test_a_long_word_makes_no_page_wider_than_the_screen(seeded, client, a, open_page):
    word = "a_very_long_name/without_a_space" * 4
    headers = {**bearer(a), "content_type": "application/json"}
    later = (timezone.now() + dt.timedelta(days=1)).isoformat()
    ids = {}
    for path, body in {
        "incidents/": {"pipeline": SLUG, "kind": "issue", "title": word, "text": word},
        "incidents/{incidents/}/notes/": {"text": f"{word} `{word}`\n\n| a | b |\n|---|---|\n| {word} | {word} |"},
        "maintenance-windows/": {"pipeline": SLUG, "ends_at": later, "reason": word},
        "action-items/": {"pipeline": SLUG, "text": word},
        "readers-links/": {"name": word[:80], "pipelines": [SLUG]},
        "known-events/": {"pipeline": SLUG, "starts_on": "2026-11-20", "ends_on": "2026-11-20", "name": word[:120]},
    }.items():
        answer = client.post(f"/api/v1/{path.format(**ids)}", body, **headers)
        assert answer.status_code in (200, 201), (path, answer.content)
        ids[path] = answer.json().get("id")
    pipeline = Pipeline.objects.get(slug=SLUG)
    check = make_check(
        pipeline, a, name=f"Range {word}"[:120], metric=make_metric(pipeline), parameters={"fail_below": 1}
    )
    Check.objects.filter(pk=check.pk).update(last_status="fail", last_message=word)
    paths = ["/", "/incidents/", f"/incidents/{ids['incidents/']}/", f"/incidents/{ids['incidents/']}/edit/", f"/pipelines/{SLUG}/",
             f"/pipelines/{SLUG}/maintenance/", f"/runbooks/{SLUG}/", "/readers/", "/checks/", f"/checks/{check.pk}/", "/handoffs/"]  # fmt: skip
    too_wide = []
    for size in (PHONE, {"width": 768, "height": 1024}, DESKTOP):
        page = open_page(a, size=size)
        for path in paths:
            page.goto(path)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                too_wide.append((size["width"], path))
    assert too_wide == []
