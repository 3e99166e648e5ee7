"""The handbook in the browser: seen before it is imported, refused with its lines, taken out again."""

from django.core.files.uploadedfile import SimpleUploadedFile

from handbook.queries.export import export_handbook
from people.models import User
from people.services.accounts import set_password
from pipelines.models import Pipeline


def upload(seed):
    return SimpleUploadedFile("handbook.md", seed.read_bytes(), content_type="text/markdown")


def test_an_admin_sees_what_it_would_do_and_nothing_is_changed(signed_in, admin, seed):
    answer = signed_in(admin).post("/handbook/", {"file": upload(seed), "preview": ""})
    assert answer.status_code == 200
    assert "created pipeline" in answer.content.decode().lower()
    assert not Pipeline.objects.exists()


def test_what_was_chosen_is_imported_from_the_text_that_is_shown_again(signed_in, admin, seed):
    client = signed_in(admin)
    shown = client.post("/handbook/", {"file": upload(seed), "starting": "2026-11-23", "preview": ""})
    text, starting = (shown.context["form"][name].value() for name in ("text", "starting"))
    answer = client.post("/handbook/", {"text": text, "starting": starting, "import": ""})
    assert answer.status_code == 302
    assert Pipeline.objects.count() == 5
    assert client.get("/handbook/handbook.md").content.decode() == export_handbook()


def test_an_error_names_its_line_changes_nothing_and_keeps_the_text(signed_in, admin, seed):
    damaged = seed.read_text().replace("| Engineer A         | Engineer B           |", "| Engineer A |", 1)
    answer = signed_in(admin).post("/handbook/", {"text": damaged, "import": ""})
    assert answer.status_code == 400
    assert "line 5" in answer.content.decode()
    assert answer.context["form"]["text"].value() == damaged
    assert not User.objects.filter(display_name="Engineer A").exists()


def test_neither_file_nor_text_and_a_wrong_zone_are_said_at_their_fields(signed_in, admin):
    answer = signed_in(admin).post("/handbook/", {"time_zone": "Atlantis", "starting": "soon", "text": "# x"})
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"time_zone", "starting"}
    assert "file" in signed_in(admin).post("/handbook/", {}).context["form"].errors


def test_what_the_state_refuses_is_said_and_keeps_the_text(signed_in, admin, seed):
    text = seed.read_text()
    answer = signed_in(admin).post("/handbook/", {"text": text, "starting": "2026-11-24", "import": ""})
    assert answer.status_code == 409
    assert answer.context["form"]["text"].value() == text
    assert not Pipeline.objects.exists()


def test_only_an_admin_imports_and_every_engineer_downloads(signed_in, admin, a, seed):
    assert signed_in(a).get("/handbook/").status_code == 403
    assert signed_in(a).post("/handbook/", {"file": upload(seed), "import": ""}).status_code == 403
    signed_in(admin).post("/handbook/", {"file": upload(seed), "import": ""})
    assert signed_in(a).get("/handbook/handbook.md")["Content-Type"].startswith("text/markdown")


def test_without_a_handbook_there_is_nothing_to_download_and_it_is_said(signed_in, a):
    answer = signed_in(a).get("/handbook/handbook.md", follow=True)
    assert "There is nothing to export" in answer.content.decode()


def test_an_admin_of_a_new_site_is_told_what_is_left_to_do(signed_in, admin, seed):
    client = signed_in(admin)
    assert [step.done for step in client.get("/").context["steps"]] == [False, False, False]
    client.post("/handbook/", {"file": upload(seed), "import": ""})
    assert [step.done for step in client.get("/").context["steps"]] == [True, True, False]
    for person in User.objects.all():
        set_password(person, password="correct horse battery staple")
    assert signed_in(User.objects.get(pk=admin.pk)).get("/").context["steps"] == []


def test_an_engineer_is_not_told(signed_in, a):
    assert signed_in(a).get("/").context["steps"] == []
