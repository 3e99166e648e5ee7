"""Two people on one sheet never wipe each other's notes, and nothing typed is lost."""

import html
import re

import pytest

from handoffs.models import ActionItem
from handoffs.services.sheets import NoteChange, NoteConflictError, SheetChange, change_sheet
from incidents.models import Incident
from pipelines.models import Pipeline
from tests.handoffs.conftest import NOW
from tests.handoffs.test_api import call

__all__ = ["call"]

TITLE = "Known outages or delays."


@pytest.fixture
def sheet(handoffs, time_machine):
    time_machine(NOW)
    return f"/handoffs/{handoffs[0].pk}/"


def fields(page):
    """Return what a browser would send of the notes form."""
    text = page.content.decode()
    values = {
        name: html.unescape(value) for name, value in re.findall(r'name="(base_\d+|sheet|next)" value="([^"]*)"', text)
    }
    areas = re.findall(r'<textarea name="(notes_\d+)"[^>]*>\n?(.*?)</textarea>', text, re.DOTALL)
    return values | {name: html.unescape(value) for name, value in areas}


def test_notes_on_two_topics_are_both_saved(signed_in, handoffs, sheet, a, b):
    first, second = fields(signed_in(a).get(sheet)), fields(signed_in(b).get(sheet))
    assert signed_in(a).post(sheet, first | {"notes_0": "From A."}).status_code == 302
    assert signed_in(b).post(sheet, second | {"notes_1": "From B."}).status_code == 302
    assert sorted(handoffs[0].notes.values_list("text", flat=True)) == ["From A.", "From B."]


def test_notes_on_one_topic_are_a_conflict_with_both_texts(signed_in, handoffs, sheet, a, b):
    first, second = fields(signed_in(a).get(sheet)), fields(signed_in(b).get(sheet))
    signed_in(a).post(sheet, first | {"notes_0": "From A."})
    page = signed_in(b).post(sheet, second | {"notes_0": "From B.", "notes_1": "Also B."})
    assert page.status_code == 409
    text = html.unescape(page.content.decode())
    assert "Engineer A changed the notes on “Active issues being resolved”" in text
    assert "From A." in text
    assert fields(page)["notes_0"].strip() == "From B."
    assert fields(page)["notes_1"].strip() == "Also B."
    assert list(handoffs[0].notes.values_list("text", flat=True)) == ["From A."]
    assert signed_in(b).post(sheet, fields(page) | {"notes_0": "From A and B."}).status_code == 302
    assert sorted(handoffs[0].notes.values_list("text", "version")) == [("Also B.", 1), ("From A and B.", 2)]


def test_the_api_answers_a_stale_note_with_both_texts(call, handoffs, a, b):
    path = f"handoffs/{handoffs[0].pk}/"
    assert call(a, "patch", path, {"topics": [{"title": TITLE, "notes": "A."}]}).json()["topics"][1]["version"] == 1
    stale = call(b, "patch", path, {"topics": [{"title": TITLE, "notes": "B."}]})
    assert stale.status_code == 409
    assert stale.json()["conflicts"] == [
        {"title": TITLE, "current": "A.", "yours": "B.", "version": 1, "edited_by": "Engineer A"}
    ]
    saved = call(b, "patch", path, {"topics": [{"title": TITLE, "notes": "B.", "version": 1}]})
    assert saved.json()["topics"][1] | {"items": []} == {"title": TITLE, "items": [], "notes": "B.", "version": 2}


def test_a_conflict_on_one_topic_saves_none(handoffs, a, b):
    change_sheet(handoffs[0], change=SheetChange(notes={TITLE: NoteChange("A.")}), by=a, at=NOW)
    notes = {TITLE: NoteChange("B."), "Status of all pipelines.": NoteChange("Fine.")}
    with pytest.raises(NoteConflictError):
        change_sheet(handoffs[0], change=SheetChange(notes=notes), by=b, at=NOW)
    assert handoffs[0].notes.get().text == "A."


def test_adding_or_completing_an_action_item_keeps_the_notes_typed(signed_in, handoffs, rotation, sheet, a):
    browser = signed_in(a)
    typed = fields(browser.get(sheet)) | {
        "notes_0": "Typed.",
        "text": "Rerun",
        "rotation": rotation.slug,
        "pipeline": "",
    }
    answer = browser.post("/action-items/add/", typed)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{sheet}#action-items")
    assert handoffs[0].notes.get().text == "Typed."
    item = ActionItem.objects.get()
    typed = fields(browser.get(sheet)) | {"notes_1": "More."}
    assert browser.post(f"/action-items/{item.pk}/done/", typed).status_code == 302
    assert sorted(handoffs[0].notes.values_list("text", flat=True)) == ["More.", "Typed."]


def test_an_action_item_typed_beside_the_notes_is_added_with_them(signed_in, handoffs, rotation, sheet, a):
    browser = signed_in(a)
    typed = fields(browser.get(sheet)) | {"notes_0": "x", "text": "Rerun", "rotation": rotation.slug, "pipeline": ""}
    assert browser.post(sheet, typed).status_code == 302
    assert ActionItem.objects.get().text == "Rerun"


# With 900 rows, a list of all of them would be larger than the limits below.
ROWS = 900


def test_hundreds_of_incidents_and_items_leave_lists_and_pages_small(call, signed_in, handoffs, rotation, sheet, a):
    pipeline = Pipeline.objects.order_by("position").first()
    Incident.objects.bulk_create(
        Incident(
            pipeline=pipeline,
            kind="issue",
            title=f"Incident {n} with a title of some length",
            opened_at=NOW,
            last_seen_at=NOW,
            opened_by=a,
        )
        for n in range(ROWS)
    )
    ActionItem.objects.bulk_create(
        ActionItem(rotation=rotation, text=f"Item {n} of some length", created_by=a, created_at=NOW)
        for n in range(ROWS)
    )
    answer = call(a, "get", "handoffs/")
    assert len(answer.content) < 200_000
    topic = answer.json()["results"][0]["topics"][0]
    assert len(topic["items"]) == 6
    assert topic["items"][-1]["text"] == f"{ROWS - 5} more"
    assert len(call(a, "get", f"handoffs/{handoffs[0].pk}/").content) < 50_000
    for path in (sheet, "/handoffs/"):
        assert len(signed_in(a).get(path).content) < 200_000
    assert f"Item {ROWS - 1}" in signed_in(a).get(f"/handoffs/?page={ROWS // 50}").content.decode()
