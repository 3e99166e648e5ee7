"""What is printed: the page's own matter in black on white, whatever the screen's scheme, without navigation or forms."""

import re

import pytest
from playwright.sync_api import expect

from handoffs.models import Handoff
from handoffs.queries.sheets import topic_titles
from handoffs.services.meetings import sync_handoffs
from handoffs.services.sheets import NoteChange, SheetChange, change_sheet
from people.models import User
from runbooks.models import Runbook
from runbooks.services import save_revision
from scheduling.models import Rotation
from tests.factories import import_example
from tests.snapshots import build_once, this_minute

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLUG = "daily-growth-experiment-focused"


def make_documents(at):
    """Create a hand-off sheet with a note, and a runbook with a link."""
    import_example(at=at)
    a, rotation = User.objects.get(username="engineer-a"), Rotation.objects.get()
    sync_handoffs(at=at)
    handoff = first_handoff()
    title = topic_titles([rotation.pk])[rotation.pk][0]
    change_sheet(handoff, change=SheetChange(notes={title: NoteChange("Written by hand.")}), by=a, at=at)
    runbook = Runbook.objects.get(pipeline__slug=SLUG)
    text = runbook.revisions.get().markdown + "\n\nSee [the dashboard](https://example.org/board)."
    save_revision(runbook, markdown=text, based_on=1, author=a)


def first_handoff():
    return Handoff.objects.with_people().order_by("at").first()


@pytest.fixture
def paths(transactional_db):
    at = this_minute()
    build_once(("printed", at), lambda: make_documents(at))
    week = Rotation.objects.get().weeks.filter(starts_at__gt=at).order_by("starts_on").first()
    return {
        "handoff": f"/handoffs/{first_handoff().pk}/",
        "runbook": f"/runbooks/{SLUG}/",
        "schedule": "/schedule/",
        "week": f"/schedule/{week.starts_on}/",
    }


@pytest.fixture
def printed(paths, a, open_page):
    """Return a function that opens a page as it is printed, on a screen in the dark scheme."""
    page = open_page(a, scheme="dark", size={"width": 680, "height": 960})
    page.emulate_media(media="print", color_scheme="dark")

    def page_of(name):
        page.goto(paths[name])
        return page

    return page_of


def pages_of(page):
    """Return the width of each page, in points, on which a page is printed."""
    boxes = re.findall(rb"/MediaBox \[0 0 (\d+)", page.pdf(prefer_css_page_size=True))
    return [int(width) for width in boxes]


@pytest.mark.parametrize("name", ["handoff", "runbook", "schedule", "week"])
def test_paper_has_black_on_white_and_nothing_to_click(printed, name):
    page = printed(name)
    colours = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    for selector in (
        ".site-header",
        ".site-footer",
        ".breadcrumbs",
        ".timeline-tools",
        "button",
        "textarea",
        "dialog",
        ".offers",
    ):
        for problems in page.locator(selector).all():
            expect(problems).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_sheet_fits_a_page_with_its_notes_and_signatures(printed):
    page = printed("handoff")
    expect(page.get_by_text("Written by hand.").locator("visible=true")).to_have_count(1)
    expect(page.locator("#signatures + dl").get_by_text("Outgoing", exact=True)).to_be_visible()
    signatures, topic = (page.locator(one).bounding_box()["y"] for one in ("#signatures", "#topic-4"))
    assert signatures > topic
    assert len(pages_of(page)) == 1


def test_a_runbook_says_where_its_links_lead_and_the_site_s_own_do_not(printed):
    page = printed("runbook")
    after = "link => getComputedStyle(link, '::after').content"
    assert "https://example.org/board" in page.get_by_role("link", name="the dashboard").evaluate(after)
    shown = page.locator("main a:not(.prose a)").evaluate_all(f"all => all.map({after})")
    assert set(shown) <= {"none"}
    assert page.locator(".prose li").first.evaluate("item => getComputedStyle(item).breakInside") == "avoid"


def test_the_timeline_is_printed_across_with_each_rotation_whole(printed):
    page = printed("schedule")
    expect(page.locator("svg.timeline-chart")).to_be_visible()
    expect(page.locator(".timeline-table table")).to_be_visible()
    assert page.locator(".timeline-board").evaluate("board => getComputedStyle(board).breakInside") == "avoid"
    widths = pages_of(page)
    assert widths
    assert all(width > 700 for width in widths)
