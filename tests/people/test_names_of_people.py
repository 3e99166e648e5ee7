"""The name in the handbook is fixed, display names are free, and no name of a person is another's."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from people.models import HandbookAlias, User
from people.services.accounts import add_handbook_alias, change_profile, engineers_named
from tests.factories import bearer, make_engineer


def names(user):
    row = User.objects.get(pk=user.pk)
    return row.display_name, row.handbook_name


def test_a_new_person_has_their_name_in_the_handbook(db):
    assert names(make_engineer("Priya O'Neil")) == ("Priya O'Neil", "Priya O'Neil")


def test_a_new_display_name_leaves_the_name_in_the_handbook(a):
    change_profile(a, fields={"display_name": "Alice"})
    assert names(a) == ("Alice", "Engineer A")
    actual, created = engineers_named(["ENGINEER - A"], time_zone="UTC")
    assert (list(actual.values()), created) == ([a], [])


def test_the_old_display_name_is_still_taken_as_the_name_in_the_handbook(a, b):
    change_profile(a, fields={"display_name": "Alice"})
    with pytest.raises(ValidationError) as caught:
        change_profile(b, fields={"display_name": "engineer  a"})
    reason = "“engineer  a” is engineer-a’s name in the handbook, apart from case and punctuation. "
    reason += "Choose a name that nobody else has."
    assert caught.value.message_dict == {"display_name": [reason]}
    assert names(b) == ("Engineer B", "Engineer B")
    change_profile(a, fields={"display_name": "Engineer A"})


@pytest.mark.parametrize("name", ["Engineer B", "ENGINEER-B", "Ｅngineer B"])
def test_nobody_takes_the_name_of_another(client, signed_in, a, b, admin, name):
    change_profile(b, fields={"display_name": "Bob"})
    reason = f"“{name}” is engineer-b’s name in the handbook, apart from case and punctuation. "
    reason += "Choose a name that nobody else has."
    answer = client.patch("/api/v1/me/", {"name": name}, content_type="application/json", **bearer(a))
    assert (answer.status_code, answer.json()) == (400, {"name": [reason]})
    profile = {"display_name": name, "time_zone": "UTC", "colour": 1}
    page = signed_in(a).post("/me/profile/", profile)
    assert (page.status_code, page.context["form"].errors) == (400, {"display_name": [reason]})
    assert page.context["form"]["display_name"].value() == name
    edited = {**profile, "username": a.username, "is_active": "on", "handbook_name": "Engineer A"}
    page = signed_in(admin).post(f"/admin/people/user/{a.pk}/change/", edited)
    assert page.context["adminform"].form.errors == {"display_name": [reason]}
    edited |= {"display_name": "Engineer A", "handbook_name": name}
    page = signed_in(admin).post(f"/admin/people/user/{a.pk}/change/", edited)
    assert page.context["adminform"].form.errors == {"handbook_name": [reason]}
    assert names(a) == ("Engineer A", "Engineer A")


def test_an_admin_corrects_the_name_in_the_handbook(signed_in, admin, a):
    fields = {"username": a.username, "display_name": "Engineer A", "time_zone": "UTC", "colour": 1, "is_active": "on"}
    fields |= {"handbook_name": "Alice"}
    assert signed_in(admin).post(f"/admin/people/user/{a.pk}/change/", fields).status_code == 302
    assert names(a) == ("Engineer A", "Alice")


def test_the_profile_page_says_the_name_in_the_handbook(signed_in, a):
    change_profile(a, fields={"display_name": "Alice"})
    User.objects.filter(pk=a.pk).update(handbook_name="<b>Engineer A</b>")
    page = signed_in(a).get("/me/profile/").content.decode()
    assert "In the handbook you stay “&lt;b&gt;Engineer A&lt;/b&gt;”." in page


def test_the_api_answers_the_name_in_the_handbook_and_ignores_a_new_one(client, a):
    answer = client.patch(
        "/api/v1/me/", {"name": "Alice", "handbook_name": "Engineer B"}, content_type="application/json", **bearer(a)
    )
    assert (answer.json()["name"], answer.json()["handbook_name"]) == ("Alice", "Engineer A")


@pytest.mark.parametrize("name", ["\u200b", "\u2060\u200b"])
def test_a_name_without_visible_characters_is_refused(a, name):
    with pytest.raises(ValidationError) as caught:
        change_profile(a, fields={"display_name": name})
    assert caught.value.message_dict == {"display_name": ["Enter a name with letters or digits."]}


def test_another_spelling_is_remembered_and_is_nobody_elses(a, b):
    add_handbook_alias(a, name="Enginer A")
    actual, created = engineers_named(["Enginer A", "Engineer A"], time_zone="UTC")
    assert (set(actual.values()), created) == ({a}, [])
    with pytest.raises(ValidationError):
        change_profile(b, fields={"display_name": "Enginer A"})


def test_a_display_name_in_the_handbook_makes_no_second_person(a):
    change_profile(a, fields={"display_name": "Alice"})
    with pytest.raises(ValidationError), transaction.atomic():
        engineers_named(["Alice"], time_zone="UTC")
    assert User.objects.count() == 1


@pytest.mark.parametrize("field", ["display_name", "handbook_name"])
def test_the_database_keeps_names_apart(a, b, field):
    change_profile(a, fields={"display_name": "Alice"})
    for name in ("Engineer A", "Alice"):
        row = User.objects.get(pk=b.pk)
        setattr(row, field, name)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
    HandbookAlias.objects.create(user=a, name="Ali")
    row = User.objects.get(pk=b.pk)
    setattr(row, field, "ali")
    with pytest.raises(IntegrityError, match="another person"), transaction.atomic():
        row.save()
