"""Undo toasts, notes that save themselves, a page that asks before it is left, and the list of a roster; in a browser."""

import pytest
from playwright.sync_api import expect

from handoffs.models import ActionItem, Handoff, HandoffNote
from handoffs.services.meetings import sync_handoffs
from pipelines.models import Pipeline
from scheduling.models import RosterMember
from tests.browser import SIZES, SOME_SIZES
from tests.factories import import_example
from tests.snapshots import build_once, this_minute
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(transactional_db):
    at = this_minute()
    build_once(("hand-offs", at), lambda: make_handoffs(at))


def make_handoffs(at):
    import_example(at=at)
    sync_handoffs(at=at)


@pytest.mark.parametrize("size", SOME_SIZES)
def test_a_toast_undoes_and_is_dismissed(site, a, open_page, complaints, size):
    page = open_page(a, size=SIZES[size])
    page.goto("/handoffs/")
    for text in ("A larger disk", "A smaller disk"):
        page.get_by_label("New action item").fill(text)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("button", name="Undo", exact=True)).to_be_in_viewport()
        if text == "A larger disk":
            page.get_by_role("button", name="Undo", exact=True).click()
            expect(page.get_by_text("Action item removed: “A larger disk”.")).to_be_in_viewport()
            expect(page.get_by_label("New action item")).to_be_in_viewport()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_hidden()
    assert list(ActionItem.objects.values_list("text", flat=True)) == ["A smaller disk"]
    assert complaints == []


def test_notes_save_themselves_and_an_unsent_text_is_guarded(site, a, open_page, complaints):
    row, page, asked = Handoff.objects.order_by("at").first(), open_page(a), []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.goto(f"/handoffs/{row.pk}/")
    first, second = (page.get_by_label(label) for label in ("Notes: Active issues", "Notes: Known outages"))
    for text in ("One.", "One. Two."):
        first.fill(text)
        second.focus()
        expect(page.get_by_text("Notes saved.")).to_be_visible()
        wait_until(lambda text=text: HandoffNote.objects.filter(text=text).exists())
    second.press_sequentially("Unsent")
    page.close(run_before_unload=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert complaints == []


def test_the_places_of_a_roster_move_with_their_buttons(site, admin, open_page, complaints):
    page = open_page(admin)
    page.goto("/schedule/weekly-rotation/roster/")
    page.get_by_role("button", name="Move place 3 up").click()
    names = page.locator("[data-roster] select").evaluate_all("all => all.map((one) => one.value)")
    assert names == ["engineer-a", "engineer-c", "engineer-b", "engineer-d", ""]
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Effect of this change")).to_be_visible()
    page.get_by_role("button", name="Save roster").click()
    expect(page.get_by_text("Roster of Weekly Rotation saved.")).to_be_visible()
    newest = RosterMember.objects.order_by("-roster__starts_on", "position")[:4]
    order = [member.engineer.username[-1] for member in newest]
    assert "".join(order * 2).find("acbd") >= 0
    assert complaints == []


def test_each_place_of_a_long_roster_lists_everyone(site, admin, open_page, complaints, monkeypatch):
    monkeypatch.setattr("scheduling.forms.MAX_OPTIONS", 10)
    page = open_page(admin)
    page.goto("/schedule/weekly-rotation/roster/")
    place = page.get_by_label("Place 2")
    assert place.locator("option").all_inner_texts() == ["Remove", "Engineer B"]
    place.click()
    options = page.get_by_label("Add engineer").locator("option").all_inner_texts()
    assert place.locator("option").all_inner_texts() == ["Remove", *options[1:]]
    expect(place).to_have_value("engineer-b")
    place.select_option("Admin")
    expect(place).to_have_value("admin")
    assert complaints == []


def test_each_select_of_a_long_ownership_grid_lists_everyone(site, admin, open_page, complaints, monkeypatch):
    monkeypatch.setattr("pipelines.forms.MAX_OPTIONS", 10)
    pipeline, page = Pipeline.objects.first(), open_page(admin)
    page.goto("/admin/pipelines/pipeline/ownership/")
    owner = page.get_by_label(f"Primary owner of {pipeline}", exact=True)
    assert owner.locator("option").all_inner_texts() == [str(pipeline.primary_owner)]
    owner.focus()
    assert owner.locator("option").all_inner_texts() == page.locator("#bulk_engineer option").all_inner_texts()[1:]
    expect(owner).to_have_value(str(pipeline.primary_owner.pk))
    owner.select_option("Admin")
    page.get_by_role("button", name="Save owners").click()
    expect(page.get_by_text("Owners changed for 1 pipeline.")).to_be_visible()
    pipeline.refresh_from_db()
    assert pipeline.primary_owner == admin
    assert complaints == []


def test_engineers_are_added_to_a_new_rotation_one_after_another(site, admin, open_page, complaints):
    page = open_page(admin)
    page.goto("/schedule/new/")
    page.get_by_label("Name", exact=True).fill("Finance")
    add = page.get_by_label("Add engineer")
    for name in ("Engineer C", "Engineer A", "Engineer B"):
        add.select_option(name)
        expect(add).to_have_value("")
    page.get_by_role("button", name="Move place 3 up").click()
    page.get_by_label("Place 3").select_option("Remove")
    # Enter presses the first button of a form, which must not be one that moves a place.
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_text("Rotation “Finance” created.")).to_be_visible()
    members = RosterMember.objects.filter(roster__rotation__slug="finance").order_by("position")
    assert [member.engineer.username for member in members] == ["engineer-c", "engineer-b"]
    assert complaints == []
