"""Pipelines and their owners: list, ownership grid, API, history."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.exceptions import DomainError
from incidents.services.transitions import NewIncident, open_incident
from people.models import User
from pipelines.models import Pipeline
from pipelines.queries import FieldChange, ownership, row_history
from pipelines.services import Owners, change_owners, create_pipeline, reassign, update_pipeline
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from tests.each import each
from tests.factories import bearer, make_pipeline

JSON = "application/json"


def test_a_pipeline_has_a_name_an_audience_and_a_slug(daily_growth):
    assert (daily_growth.name, daily_growth.audience) == ("Daily growth", "experiment-focused")
    assert daily_growth.slug == "daily-growth-experiment-focused"
    assert str(daily_growth) == "Daily growth (experiment-focused)"


def test_two_names_that_differ_in_case_and_punctuation_are_the_same(daily_growth, a, b):
    with pytest.raises(ValidationError):
        create_pipeline("DAILY GROWTH (Experiment focused)", owners=Owners(primary=a, secondary=b), position=1)


def test_the_database_rejects_one_person_as_both_owners(daily_growth, d):
    with pytest.raises(IntegrityError, match="pipeline_owners_differ"), transaction.atomic():
        Pipeline.objects.update(secondary_owner=d)


def test_owners_are_changed_all_or_none(daily_growth, a, b, c):
    other = make_pipeline("Other", primary=a, secondary=b)
    with pytest.raises(DomainError, match="Other"):
        change_owners({daily_growth: Owners(primary=b, secondary=c), other: Owners(primary=c, secondary=c)})
    daily_growth.refresh_from_db()
    assert daily_growth.primary_owner != b


def test_a_deactivated_person_cannot_become_an_owner(daily_growth, a, b):
    User.objects.filter(pk=b.pk).update(is_active=False)
    b.refresh_from_db()
    with pytest.raises(DomainError, match="inactive"):
        change_owners({daily_growth: Owners(primary=a, secondary=b)})


def test_reassigning_transfers_every_pipeline_of_a_person(daily_growth, a, b, c, d):
    other = make_pipeline("Other", primary=a, secondary=c)
    changed = reassign(leaver=a, successor=b)
    assert {p.pk for p in changed} == {daily_growth.pk, other.pk}
    assert set(Pipeline.objects.values_list("primary_owner", "secondary_owner")) == {(d.pk, b.pk), (b.pk, c.pk)}


def test_a_reassignment_to_the_other_owner_changes_nothing(daily_growth, a, d):
    with pytest.raises(DomainError, match="both primary and secondary"):
        reassign(leaver=a, successor=d)
    daily_growth.refresh_from_db()
    assert daily_growth.secondary_owner == a


def test_the_history_has_the_author_and_the_changed_fields(signed_in, admin, daily_growth, a, b, d):
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    assert signed_in(admin).patch(path, {"primary_owner": b.username}, content_type=JSON).status_code == 200
    newest = row_history(daily_growth, fields=("primary_owner", "secondary_owner"))[0]
    assert newest.author == "Admin"
    assert newest.fields == (FieldChange("primary owner", "Engineer D", "Engineer B"),)


def test_the_api_lists_pipelines_by_position(client, a, b, c):
    for place, name in enumerate(["One", "Two", "Three"]):
        make_pipeline(name, primary=a, secondary=b, position=place)
    answer = client.get("/api/v1/pipelines/", **bearer(c)).json()
    assert (answer["count"], answer["next"], answer["previous"]) == (3, None, None)
    assert [row["slug"] for row in answer["results"]] == ["one", "two", "three"]
    assert answer["results"][0]["primary_owner"] == "engineer-a"


def test_only_an_admin_can_patch_a_pipeline(client, admin, daily_growth, a, b):
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    body = {"primary_owner": "engineer-b"}
    assert client.patch(path, body, content_type=JSON, **bearer(a)).status_code == 403
    assert client.patch(path, body, content_type=JSON, **bearer(admin)).json()["primary_owner"] == "engineer-b"


@each(
    ("body", "field"),
    [
        ({"primary_owner": "nobody-here"}, "primary_owner"),
        ({"primary_owner": "engineer-a"}, "secondary_owner"),
        ({"primary_owner": None}, "primary_owner"),
        ({"audience": "x" * 200}, "audience"),
        ({"audience": None}, "audience"),
        ({"name": ""}, "name"),
        ({"name": "x\0y"}, "name"),
        ({"name": "x" * 300}, "name"),
    ],
)
def test_an_invalid_patch_names_the_field_and_changes_nothing(client, admin, daily_growth, body, field):
    before = Pipeline.objects.values().get()
    answer = client.patch(f"/api/v1/pipelines/{daily_growth.slug}/", body, content_type=JSON, **bearer(admin))
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert Pipeline.objects.values().get() == before


def test_an_inactive_owner_is_refused_as_inactive(client, admin, daily_growth, a, b):
    User.objects.filter(pk=b.pk).update(is_active=False)
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    for field in ("primary_owner", "secondary_owner"):
        answer = client.patch(path, {field: b.username}, content_type=JSON, **bearer(admin))
        assert (answer.status_code, answer.json()) == (400, {field: ["Engineer B is inactive."]})


def test_a_name_of_another_pipeline_is_rejected(client, admin, daily_growth, a, b):
    make_pipeline("Other (growth)", primary=a, secondary=b)
    body = {"name": "Other", "audience": "Growth"}
    answer = client.patch(f"/api/v1/pipelines/{daily_growth.slug}/", body, content_type=JSON, **bearer(admin))
    assert (answer.status_code, list(answer.json())) == (400, ["name"])


def test_a_duplicate_name_is_rejected_in_the_admin(signed_in, admin, daily_growth, a, b):
    fields = {
        "slug": "another", "name": "daily  GROWTH", "audience": "Experiment focused", "position": 3,
        "primary_owner": a.pk, "secondary_owner": b.pk, "escalate_after_minutes": 15,
    }  # fmt: skip
    page = signed_in(admin).post("/admin/pipelines/pipeline/add/", fields)
    assert page.status_code == 200
    assert "already has this name" in page.content.decode()
    assert Pipeline.objects.count() == 1
    fields["name"] = "Weekly growth"
    assert signed_in(admin).post("/admin/pipelines/pipeline/add/", fields).status_code == 302
    assert Pipeline.objects.get(slug="another").match_key


def test_one_person_as_both_owners_is_rejected_in_the_admin(signed_in, admin, daily_growth, a):
    fields = {
        "slug": daily_growth.slug, "name": "Daily growth", "audience": "experiment-focused", "position": 0,
        "primary_owner": a.pk, "secondary_owner": a.pk,
    }  # fmt: skip
    page = signed_in(admin).post(f"/admin/pipelines/pipeline/{daily_growth.pk}/change/", fields)
    assert page.status_code == 200
    assert "must be two people" in page.content.decode()


def test_an_unknown_pipeline_is_a_404(client, signed_in, a):
    for path in (
        "/api/v1/pipelines/none/",
        "/api/v1/pipelines/%00/",
        "/api/v1/nothing/at/all/",
        "/api/v1/pipelines/A B/",
    ):
        answer = client.get(path, **bearer(a))
        assert answer.status_code == 404, path
        assert "detail" in answer.json()
    assert signed_in(a).get("/pipelines/none/").status_code == 404


def test_an_update_without_changes_adds_no_history(daily_growth):
    events = Pipeline.pgh_event_model.objects
    before = events.count()
    assert update_pipeline(daily_growth, fields={"name": daily_growth.name}) == []
    assert events.count() == before


def test_the_table_is_filtered_by_words_and_owner(signed_in, daily_growth, a, b, c, d):
    make_pipeline("Aggregate profit (investor reporting)", primary=b, secondary=c)
    assert [p.name for p in ownership(search="growth exper")] == ["Daily growth"]
    assert [p.name for p in ownership(owner=c)] == ["Aggregate profit"]
    page = signed_in(a).get("/pipelines/", {"q": "growth", "owner": "engineer-d"}).content.decode()
    assert "Daily growth" in page
    assert "Aggregate profit" not in page


def test_the_list_shows_status_responder_and_rotation(signed_in, daily_growth, a, d):
    rotation = import_rotation(RotationText("Weekly rotation", "", "Policy", "", ()), time_zone="UTC")
    join_rotation(rotation, pipelines=[daily_growth])
    what = NewIncident(kind="outage", title="Down")
    open_incident(daily_growth, what=what, by=None, at=timezone.now())
    page = signed_in(a).get("/pipelines/")
    [row] = page.context["rows"]
    assert (row.status.name, row.responder, row.pipeline.in_rotation.rotation) == ("outage", d, rotation)
    assert "Weekly rotation</td>" in page.content.decode()


def test_the_filters_of_the_list_are_remembered_until_they_are_cleared(signed_in, daily_growth, a, b, c):
    make_pipeline("Aggregate profit", primary=b, secondary=c, position=1)
    what = NewIncident(kind="delay", title="Late")
    open_incident(daily_growth, what=what, by=None, at=timezone.now())
    browser = signed_in(a)

    def names(**query):
        return [row.pipeline.name for row in browser.get("/pipelines/", query).context["rows"]]

    assert names(status="delayed") == names() == ["Daily growth"]
    assert names(rotation="none") == names(status="no such status") == []
    assert names(owner="engineer-c") == names() == ["Aggregate profit"]
    assert names(q="") == names() == ["Daily growth", "Aggregate profit"]


def test_an_admin_saves_the_ownership_grid(signed_in, admin, daily_growth, a, b, c):
    path = "/admin/pipelines/pipeline/ownership/"
    assert "Daily growth" in signed_in(admin).get(path).content.decode()
    fields = {f"primary_{daily_growth.pk}": b.pk, f"secondary_{daily_growth.pk}": c.pk}
    assert signed_in(admin).post(path, fields).status_code == 302
    daily_growth.refresh_from_db()
    assert (daily_growth.primary_owner, daily_growth.secondary_owner) == (b, c)


def test_the_grid_marks_the_invalid_row_and_preserves_the_input(signed_in, admin, daily_growth, b):
    fields = {f"primary_{daily_growth.pk}": b.pk, f"secondary_{daily_growth.pk}": b.pk}
    page = signed_in(admin).post("/admin/pipelines/pipeline/ownership/", fields)
    assert page.status_code == 400
    text = page.content.decode()
    assert "must be two people" in text
    assert text.count(f'<option value="{b.pk}" selected>') == 2
    daily_growth.refresh_from_db()
    assert daily_growth.primary_owner != b


def test_the_grid_is_filtered_and_ticked_rows_get_one_owner(signed_in, admin, a, b, c, d):
    rows = [make_pipeline(f"Growth {number}", primary=a, secondary=b, position=number) for number in range(3)]
    other = make_pipeline("Profit", primary=c, secondary=b, position=9)
    path, browser = "/admin/pipelines/pipeline/ownership/?q=growth&owner=engineer-a", signed_in(admin)
    page = browser.get(path).content.decode()
    assert ("Growth 2" in page, "Profit" in page) == (True, False)
    fields = {"bulk": "1", "role": "primary", "engineer": d.pk, "tick": [rows[0].pk, rows[2].pk, other.pk]}
    assert browser.post(path, fields).headers["Location"] == path
    owners = Pipeline.objects.order_by("position").values_list("primary_owner__username", flat=True)
    assert list(owners) == ["engineer-d", "engineer-a", "engineer-d", "engineer-c"]
    page = browser.post(path, {"bulk": "1", "role": "primary", "engineer": d.pk}, follow=True).content.decode()
    assert "Select at least one pipeline." in page
    page = browser.post(path, {**fields, "engineer": b.pk, "tick": [rows[1].pk]}, follow=True).content.decode()
    assert "cannot be both primary and secondary owner" in page


def test_a_long_grid_lists_everyone_once(signed_in, admin, daily_growth, a, b, c, monkeypatch):
    monkeypatch.setattr("pipelines.forms.MAX_OPTIONS", 4)
    path = "/admin/pipelines/pipeline/ownership/"
    page = signed_in(admin).get(path).content.decode()
    selects = re.findall(r'<select name="(?:primary|secondary)_\d+".*?</select>', page, re.DOTALL)
    assert [select.count("<option") for select in selects] == [1, 1]
    assert all('data-options="bulk_engineer"' in select for select in selects)
    assert 'id="bulk_engineer"' in page
    fields = {f"primary_{daily_growth.pk}": b.pk, f"secondary_{daily_growth.pk}": b.pk}
    wrong = signed_in(admin).post(path, fields).content.decode()
    assert wrong.count(f'<option value="{b.pk}" selected>') == 2
    assert signed_in(admin).post(path, {**fields, f"secondary_{daily_growth.pk}": c.pk}).status_code == 302
    daily_growth.refresh_from_db()
    assert (daily_growth.primary_owner, daily_growth.secondary_owner) == (b, c)


def test_an_admin_reassigns_all_pipelines_of_a_person(signed_in, admin, daily_growth, a, c):
    path = "/admin/pipelines/pipeline/ownership/reassign/"
    assert signed_in(admin).post(path, {"leaver": a.pk, "successor": c.pk}).status_code == 302
    daily_growth.refresh_from_db()
    assert daily_growth.secondary_owner == c
    page = signed_in(admin).post(path, {"leaver": c.pk, "successor": c.pk})
    assert "Choose another person" in page.content.decode()


def test_an_engineer_cannot_open_the_grid(signed_in, a, daily_growth):
    assert signed_in(a).get("/admin/pipelines/pipeline/ownership/").status_code == 302


@pytest.fixture
def rotations(db):
    return [import_rotation(RotationText(name, "", "Policy", "", ()), time_zone="UTC") for name in ("One", "Two")]


def test_a_patch_moves_a_pipeline_between_rotations(client, admin, daily_growth, rotations):
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    for slug in ("one", "two", None, "one"):
        answer = client.patch(path, {"rotation": slug}, content_type=JSON, **bearer(admin))
        assert (answer.status_code, answer.json()["rotation"]) == (200, slug)
        assert client.get(path, **bearer(admin)).json()["rotation"] == slug


def test_a_patch_to_an_unknown_rotation_changes_nothing(client, admin, daily_growth, rotations):
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    body = {"rotation": "none", "name": "Other"}
    answer = client.patch(path, body, content_type=JSON, **bearer(admin))
    assert (answer.status_code, answer.json()) == (400, {"rotation": ["Unknown rotation “none”."]})
    daily_growth.refresh_from_db()
    assert daily_growth.name == "Daily growth"


def test_a_patch_without_a_rotation_leaves_it_unchanged(client, admin, daily_growth, rotations):
    join_rotation(rotations[0], pipelines=[daily_growth])
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    answer = client.patch(path, {"audience": "x"}, content_type=JSON, **bearer(admin))
    assert answer.json()["rotation"] == "one"
