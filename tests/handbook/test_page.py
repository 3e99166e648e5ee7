"""The handbook in the browser: seen before it is imported, refused with its lines, taken out again."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from handbook.queries.export import export_handbook
from handbook.services import import_handbook
from incidents.models import QueryApproval
from people.models import User
from people.services.accounts import set_password
from pipelines.models import Pipeline
from scheduling.models import Rotation
from tests.factories import make_engineer, make_pipeline
from tests.snapshots import build_once, this_minute
from validation.services.data_sources import create_data_source


@pytest.fixture
def imported(db, schedule):
    at = this_minute()
    build_once(("handbook without runbooks", at), lambda: import_handbook(schedule.read_bytes(), at=at))


def upload(seed):
    return SimpleUploadedFile("handbook.md", seed.read_bytes(), content_type="text/markdown")


def import_previewed(client, fields):
    """Preview a form, then import what the page shows."""
    shown = client.post("/handbook/", {**fields, "preview": ""})
    assert shown.status_code == 200
    answers = {name: value for name, value in fields.items() if ":" in name}
    return client.post("/handbook/", {**form_values(shown), **answers, "import": ""})


def form_values(answer):
    form = answer.context["form"]
    return {name: form[name].value() for name in ("text", "file_name", "previewed", "starting", "time_zone")}


def test_an_admin_sees_what_it_would_do_and_nothing_is_changed(signed_in, admin, seed):
    answer = signed_in(admin).post("/handbook/", {"file": upload(seed), "preview": ""})
    assert answer.status_code == 200
    assert "Will create (17)" in answer.content.decode()
    assert not Pipeline.objects.exists()


def test_what_was_chosen_is_imported_from_the_text_that_is_shown_again(signed_in, admin, schedule):
    client = signed_in(admin)
    answer = import_previewed(client, {"file": upload(schedule), "starting": "2026-11-23"})
    assert answer.status_code == 302
    assert Pipeline.objects.count() == 5
    assert client.get("/handbook/handbook.md").content.decode() == export_handbook()


# A browser ends the lines of a text area with CR LF.
@pytest.mark.parametrize(
    ("edit", "line_end"),
    [
        (lambda values: {"text": values["text"].replace("Engineer D", "Engineer E")}, "\r\n"),
        (lambda values: {"starting": "2026-11-30"}, "\r\n"),
        (lambda values: {"time_zone": "Europe/Berlin"}, "\n"),
        (lambda values: {"previewed": ""}, "\r\n"),
    ],
)
def test_what_differs_from_the_preview_is_previewed_again_with_nothing_lost(signed_in, admin, schedule, edit, line_end):
    client = signed_in(admin)
    values = form_values(client.post("/handbook/", {"file": upload(schedule), "starting": "2026-11-23", "preview": ""}))
    edited = {**values, **edit(values)}
    edited["text"] = edited["text"].replace("\n", line_end)
    answer = client.post("/handbook/", {**edited, "import": ""})
    assert answer.status_code == 409
    assert "Nothing was imported, because the handbook or its settings changed after the preview." in shown(answer)
    assert not Pipeline.objects.exists()
    again = form_values(answer)
    # A text area counts a line break as one character.
    edited["text"] = edited["text"].replace("\r\n", "\n")
    assert {name: again[name] for name in ("text", "file_name", "starting", "time_zone")} == {
        name: edited[name] for name in ("text", "file_name", "starting", "time_zone")
    }
    assert client.post("/handbook/", {**again, "import": ""}).status_code == 302
    assert Pipeline.objects.count() == 5


def test_an_answer_chosen_after_the_preview_is_previewed_first(imported, signed_in, admin, schedule):
    client = signed_in(admin)
    text = schedule.read_text().replace("| Engineer A         | Engineer B", "| Enginer A | Engineer B", 1)
    values = form_values(client.post("/handbook/", {"text": text, "preview": ""}))
    answer = client.post("/handbook/", {**values, "person:enginer a": "engineer-a", "import": ""})
    assert answer.status_code == 409
    # What the select shows without a choice is not a change.
    assert client.post("/handbook/", {**values, "person:enginer a": "new", "import": ""}).status_code == 302


def test_an_error_names_its_line_changes_nothing_and_keeps_the_text(signed_in, admin, seed):
    damaged = seed.read_text().replace("| Engineer A         | Engineer B           |", "| Engineer A |", 1)
    answer = signed_in(admin).post("/handbook/", {"text": damaged, "import": ""})
    assert answer.status_code == 400
    assert "line 5" in answer.content.decode()
    assert answer.context["form"]["text"].value() == damaged
    assert not User.objects.filter(display_name="Engineer A").exists()


def test_a_missing_text_and_a_wrong_time_zone_are_errors_at_their_fields(signed_in, admin):
    answer = signed_in(admin).post("/handbook/", {"time_zone": "Atlantis", "starting": "soon", "text": "# x"})
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"time_zone", "starting"}
    assert "file" in signed_in(admin).post("/handbook/", {}).context["form"].errors


def test_a_refused_import_keeps_the_text(signed_in, admin, schedule):
    text = schedule.read_text()
    answer = signed_in(admin).post("/handbook/", {"text": text, "starting": "2026-11-24", "import": ""})
    assert answer.status_code == 409
    assert answer.context["form"]["text"].value() == text
    assert not Pipeline.objects.exists()


def test_only_an_admin_imports_and_every_engineer_downloads(signed_in, admin, a, schedule):
    assert signed_in(a).get("/handbook/").status_code == 403
    assert signed_in(a).post("/handbook/", {"file": upload(schedule), "import": ""}).status_code == 403
    import_previewed(signed_in(admin), {"file": upload(schedule)})
    assert signed_in(a).get("/handbook/handbook.md")["Content-Type"].startswith("text/markdown")


def test_without_a_handbook_there_is_nothing_to_export(signed_in, a):
    answer = signed_in(a).get("/handbook/handbook.md", follow=True)
    assert "There is nothing to export" in answer.content.decode()


def test_an_admin_of_a_new_site_sees_what_is_left_to_do(signed_in, admin, schedule):
    client = signed_in(admin)
    assert [step.done for step in client.get("/").context["team_steps"]] == [False, False, False]
    import_previewed(client, {"file": upload(schedule)})
    assert [step.done for step in client.get("/").context["team_steps"]] == [True, True, False]
    for person in User.objects.all():
        set_password(person, password="correct horse battery staple")
    assert signed_in(User.objects.get(pk=admin.pk)).get("/").context["team_steps"] == []


def test_an_engineer_does_not_see_it(signed_in, a):
    assert signed_in(a).get("/").context["team_steps"] == []


def shown(answer):
    return " ".join(answer.content.decode().split())


def test_the_preview_asks_who_a_misspelled_name_means(imported, signed_in, admin, schedule):
    client = signed_in(admin)
    text = schedule.read_text().replace("| Engineer A         | Engineer B", "| Enginer A | Engineer B", 1)
    answer = client.post("/handbook/", {"text": text, "preview": ""})
    assert "Line 5: Enginer A resembles Engineer A (engineer-a)" in shown(answer)
    assert '<option value="new" selected>New person</option>' in shown(answer)
    posted = {"text": text, "person:enginer a": "engineer-a"}
    answer = client.post("/handbook/", {**posted, "preview": ""})
    assert "Will create" not in shown(answer)
    assert '<option value="engineer-a" selected>Same as Engineer A (engineer-a)</option>' in shown(answer)
    assert import_previewed(client, posted).status_code == 302
    assert not User.objects.filter(handbook_name="Enginer A").exists()
    assert "Nothing will change." in shown(client.post("/handbook/", {"text": text, "preview": ""}))


def test_the_preview_asks_which_rotation_another_title_means(imported, signed_in, admin, schedule):
    client = signed_in(admin)
    text = schedule.read_text().replace("## Weekly Rotation", "## Team Rotation")
    answer = client.post("/handbook/", {"text": text, "import": ""})
    assert answer.status_code == 400
    assert '<option value="weekly-rotation">Weekly Rotation, renamed</option>' in shown(answer)
    assert Rotation.objects.get().name == "Weekly Rotation"
    posted = {"text": text, "rotation:team rotation": "weekly-rotation"}
    answer = client.post("/handbook/", {**posted, "preview": ""})
    assert "rotation Team Rotation: name was “Weekly Rotation”" in shown(answer)
    assert Rotation.objects.get().name == "Weekly Rotation"
    import_previewed(client, posted)
    assert Rotation.objects.get().name == "Team Rotation"


def test_the_preview_speaks_of_the_future_and_of_what_stays(signed_in, admin, a, b, schedule):
    make_pipeline("Archive", primary=a, secondary=b)
    answer = signed_in(admin).post("/handbook/", {"file": upload(schedule), "preview": ""})
    assert "<h3>Not in the file, will stay (1)</h3> <ul><li>pipeline Archive</li></ul>" in shown(answer)
    assert " created " not in shown(answer)


def test_the_preview_shows_the_shifts_that_each_engineer_gains_and_loses(imported, signed_in, admin, schedule):
    client = signed_in(admin)
    text = schedule.read_text().replace(
        "- **Week 4**: Engineer D", "- **Week 4**: Engineer D\n- **Week 5**: Engineer E"
    )
    answer = client.post("/handbook/", {"text": text, "preview": ""})
    [card] = answer.context["rosters"]
    assert str(card.balances[0].engineer) == "Engineer E"
    assert card.balances[0].lost == 0
    assert "Changes by week" in shown(answer)
    assert "Engineer A → Engineer E" in shown(answer)


def test_a_chosen_files_text_is_kept_folded_under_its_name(signed_in, admin, seed):
    answer = signed_in(admin).post("/handbook/", {"file": upload(seed), "preview": ""})
    assert "<summary>Text of handbook.md (171 lines)</summary>" in shown(answer)
    assert answer.context["form"]["text"].value() == seed.read_text()
    assert answer.context["form"]["file_name"].value() == "handbook.md"


def test_a_preview_costs_the_same_number_of_queries_for_any_number_of_people(imported, signed_in, admin, seed):
    client = signed_in(admin)
    with CaptureQueriesContext(connection) as few:
        client.post("/handbook/", {"text": seed.read_text(), "preview": ""})
    for number in range(30):
        make_engineer(f"Somebody {number}")
    with CaptureQueriesContext(connection) as many:
        client.post("/handbook/", {"text": seed.read_text(), "preview": ""})
    assert len(many) == len(few)


def evidence_handbook(seed, query):
    """Return the example handbook with a query under a troubleshooting step."""
    block = f"1. Check upstream log systems for delays.\n\n   ```sql source=Warehouse\n   {query}\n   ```\n"
    text = seed.read_text(encoding="utf-8").replace("1. Check upstream log systems for delays.\n", block)
    return SimpleUploadedFile("handbook.md", text.encode(), content_type="text/markdown")


def test_an_import_approves_the_queries_chosen_in_its_preview(signed_in, admin, seed):
    source = create_data_source(name="Warehouse", address="sqlite:////nowhere.sqlite", by=admin)
    client = signed_in(admin)
    shown = client.post("/handbook/", {"file": evidence_handbook(seed, "SELECT 1"), "preview": ""})
    [query] = shown.context["report"].queries
    assert "SELECT 1" in shown.content.decode()
    assert not QueryApproval.objects.exists()
    values, approve = form_values(shown), {"approve": query.state.block.key, "import": ""}
    changed = {**values, "text": values["text"].replace("SELECT 1", "SELECT 2")}
    assert client.post("/handbook/", {**changed, **approve}).status_code == 409
    assert not QueryApproval.objects.exists()
    assert client.post("/handbook/", {**values, "import": ""}).status_code == 302
    assert not QueryApproval.objects.exists()
    shown = client.post("/handbook/", {"file": evidence_handbook(seed, "SELECT 3"), "preview": ""})
    approve["approve"] = shown.context["report"].queries[0].state.block.key
    assert client.post("/handbook/", {**form_values(shown), **approve}).status_code == 302
    approval = QueryApproval.objects.get()
    assert (approval.source, approval.query, approval.rows_for_engineers) == (source, "SELECT 3", False)


def test_a_query_with_look_alikes_is_not_chosen_and_they_are_named(signed_in, admin, seed):
    create_data_source(name="Warehouse", address="sqlite:////nowhere.sqlite", by=admin)
    client = signed_in(admin)
    for query, is_ordinary in (("SELECT 1 FROM orders", True), ("SELECT 1 FROM \u043erders", False)):
        page = client.post("/handbook/", {"file": evidence_handbook(seed, query), "preview": ""}).content.decode()
        [box] = re.findall(r'<input type="checkbox" name="approve"[^>]*>', page)
        assert ("checked" in box) == is_ordinary
        assert ("(U+043E, Cyrillic small letter o)" in page) != is_ordinary


def test_the_command_approves_no_query(db, admin, seed, tmp_path):
    create_data_source(name="Warehouse", address="sqlite:////nowhere.sqlite", by=admin)
    path = tmp_path / "handbook.md"
    path.write_bytes(evidence_handbook(seed, "SELECT 1").read())
    call_command("import_handbook", str(path))
    assert not QueryApproval.objects.exists()
