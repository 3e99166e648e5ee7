"""Handbook import in a browser: preview, choices and import, with JavaScript on a desktop and without it on a phone."""

import os

import pytest
from playwright.sync_api import expect

from people.models import User
from scheduling.models import Rotation
from tests.axe import findings, sideways
from tests.browser import SIZES, follow
from tests.factories import import_example
from tests.snapshots import this_minute

pytestmark = pytest.mark.browser


@pytest.fixture
def changed(transactional_db, seed, tmp_path):
    """Return a file that renames the rotation, adds an engineer, misspells another and leaves a pipeline out."""
    import_example(at=this_minute())
    text = seed.read_text().replace("## Weekly Rotation", "## Team Rotation")
    text = text.replace("- **Week 4**: Engineer D", "- **Week 4**: Engineer D\n- **Week 5**: Priya O'Neil")
    text = text.replace("| Engineer A         | Engineer B", "| Enginer A          | Engineer B", 1)
    path = tmp_path / "handbook.md"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("size", "javascript"), [("1280", True), ("375", False)])
def test_an_admin_answers_what_the_import_asks(open_page, complaints, admin, changed, size, javascript):
    page = open_page(admin, size=SIZES[size], javascript=javascript)
    page.goto("/handbook/")
    page.get_by_label("File").set_input_files(str(changed))
    follow(page.get_by_role("button", name="Preview"))
    expect(page.get_by_role("alert")).to_contain_text("the site has no rotation “Team Rotation”")
    page.get_by_label("Rotation “Team Rotation”").select_option("Weekly Rotation, renamed")
    follow(page.get_by_role("button", name="Preview"))
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    expect(page.get_by_text("Enginer A resembles Engineer A (engineer-a)")).to_be_visible()
    page.get_by_label("Person “Enginer A”").select_option("Same as Engineer A (engineer-a)")
    follow(page.get_by_role("button", name="Update preview"))
    expect(page.get_by_label("Person “Enginer A”")).to_have_value("engineer-a")
    if javascript:
        assert findings(page, number=3) == []
    else:
        assert sideways(page, width=size) == []
    if folder := os.environ.get("HANDBOOK_PICTURES"):
        page.screenshot(path=f"{folder}/preview-{size}-{javascript}.png", full_page=True)
    page.get_by_text("Text of handbook.md").click()
    text = page.get_by_label("Markdown").input_value()
    page.get_by_label("Markdown").fill(text.replace("Priya O'Neil", "Priya O'Neill"))
    follow(page.get_by_role("button", name="Import"))
    expect(page.get_by_role("alert")).to_contain_text(
        "Nothing was imported, because the handbook or its settings changed after the preview."
    )
    expect(page.get_by_label("Person “Enginer A”")).to_have_value("engineer-a")
    follow(page.get_by_role("button", name="Import"))
    assert User.objects.filter(handbook_name="Priya O'Neill").exists()
    assert Rotation.objects.get().name == "Team Rotation"
    assert not User.objects.filter(handbook_name="Enginer A").exists()
    expected = ("400 (Bad Request)", "409 (Conflict)")
    assert [text for text in complaints if not any(words in text for words in expected)] == []
