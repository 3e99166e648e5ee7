"""Users: profiles, roles, sign-in, admin and history."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from people.forms import NewPersonForm
from people.models import Color, User
from people.services.accounts import change_profile, engineers_named
from tests.each import each
from tests.factories import PASSWORD, make_engineer


def test_an_engineer_is_matched_by_name_and_created_once(db):
    actual, created = engineers_named(["Engineer A", "engineer  a", "Engineer B"], time_zone="UTC")
    assert [user.display_name for user in created] == ["Engineer A", "Engineer B"]
    again, none = engineers_named(["ENGINEER A"], time_zone="UTC")
    assert none == []
    assert set(again.values()) == {actual[next(iter(actual))]}


def test_a_new_engineer_has_no_usable_password(db):
    _, [user] = engineers_named(["李 Wei"], time_zone="Asia/Shanghai")
    assert not user.has_usable_password()
    assert user.username == "li-wei"
    assert user.time_zone == "Asia/Shanghai"


@each(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("country", "ZZ"),
        ("colour", 13),
        ("username", "Has Spaces"),
        ("email", "not an address"),
        ("display_name", ""),
    ],
)
def test_an_invalid_profile_names_the_field_and_changes_nothing(a, field, value):
    with pytest.raises(ValidationError) as caught:
        change_profile(a, fields={field: value})
    assert list(caught.value.message_dict) == [field]
    assert getattr(User.objects.get(pk=a.pk), field) != value


def test_a_subdivision_must_belong_to_the_country(a):
    with pytest.raises(ValidationError) as caught:
        change_profile(a, fields={"country": "DE", "subdivision": "CA"})
    assert list(caught.value.message_dict) == ["subdivision"]
    change_profile(a, fields={"country": "DE", "subdivision": "BE"})


def test_two_users_cannot_share_an_e_mail_in_any_case(a, b):
    User.objects.filter(pk=a.pk).update(email="x@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=b.pk).update(email="X@example.org")


def test_sign_in_and_sign_out(client, a):
    a.set_password(PASSWORD)
    a.save()
    assert client.get("/").headers["Location"] == "/sign-in/?next=/"
    answer = client.post("/sign-in/?next=/me/", {"username": "engineer-a", "password": PASSWORD})
    assert answer.headers["Location"] == "/me/"
    assert client.get("/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/").status_code == 302


def test_an_inactive_user_cannot_sign_in(client, a):
    a.set_password(PASSWORD)
    a.is_active = False
    a.save()
    page = client.post("/sign-in/", {"username": "engineer-a", "password": PASSWORD})
    assert page.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_session_ends_when_its_user_is_deactivated(signed_in, a):
    browser = signed_in(a)
    assert browser.get("/").status_code == 200
    User.objects.filter(pk=a.pk).update(is_active=False)
    assert browser.get("/").status_code == 302


def test_a_user_edits_their_profile(signed_in, a):
    fields = {
        "display_name": "Engineer A",
        "email": "a@example.org",
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "subdivision": "BE",
        "colour": 3,
    }
    assert signed_in(a).post("/me/profile/", fields).status_code == 302
    a.refresh_from_db()
    assert (a.email, a.time_zone, a.subdivision, a.colour) == ("a@example.org", "Europe/Berlin", "BE", 3)


def test_an_invalid_profile_keeps_the_input(signed_in, a):
    fields = {
        "display_name": "Engineer A",
        "email": "a@example.org",
        "time_zone": "Berlin",
        "country": "",
        "subdivision": "",
        "colour": 3,
    }
    page = signed_in(a).post("/me/profile/", fields)
    assert page.status_code == 400
    text = page.content.decode()
    assert 'value="Berlin"' in text
    assert "Unknown time zone" in text


def test_changing_the_password_keeps_the_session(signed_in, a):
    a.set_password(PASSWORD)
    a.save()
    browser = signed_in(a)
    new = "another long passphrase"
    browser.post("/me/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    a.refresh_from_db()
    assert a.check_password(new)
    assert browser.get("/me/").status_code == 200


def test_an_engineer_cannot_open_the_admin(signed_in, a, admin):
    assert signed_in(a).get("/admin/").status_code == 302
    assert signed_in(admin).get("/admin/").status_code == 200


def test_a_user_added_by_an_admin_has_no_password(signed_in, admin):
    fields = {
        "username": "engineer-e",
        "display_name": "Engineer E",
        "email": "",
        "time_zone": "UTC",
        "country": "",
        "subdivision": "",
        "colour": 5,
    }
    assert signed_in(admin).post("/admin/people/user/add/", fields).status_code == 302
    assert not User.objects.get(username="engineer-e").has_usable_password()


def test_the_history_names_the_admin_who_deactivated_a_user(signed_in, admin, a):
    fields = {
        "username": a.username,
        "display_name": a.display_name,
        "email": "",
        "time_zone": "UTC",
        "country": "",
        "subdivision": "",
        "colour": 1,
    }
    assert signed_in(admin).post(f"/admin/people/user/{a.pk}/change/", fields).status_code == 302
    a.refresh_from_db()
    assert not a.is_active
    event = User.pgh_event_model.objects.filter(pgh_obj_id=a.pk).latest("pgh_id")
    assert event.pgh_context.metadata["user"] == admin.pk
    assert not event.is_active


def test_the_history_stores_no_password(a):
    a.set_password(PASSWORD)
    a.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'people_userevent'")
        assert "password" not in {row[0] for row in cursor.fetchall()}


def test_a_bulk_update_is_in_the_history_too(a, b):
    User.objects.update(country="DE")
    assert User.pgh_event_model.objects.filter(country="DE").count() == 2


def test_createsuperuser_creates_an_admin(db):
    user = User.objects.create_superuser("root-admin", PASSWORD, email="root@example.org")
    assert user.is_staff
    assert user.check_password(PASSWORD)


def test_users_with_similar_names_get_different_user_names(db):
    names = ("Kim Lee", "Kím Lee", "Kim Łee")
    assert [make_engineer(name).username for name in names] == ["kim-lee", "kim-lee-2", "kim-lee-3"]


def test_an_admin_sets_a_password(signed_in, admin, a):
    fields = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert signed_in(admin).post(f"/admin/people/user/{a.pk}/password/", fields).status_code == 302
    a.refresh_from_db()
    assert a.check_password(PASSWORD)


def test_a_user_cannot_be_deleted_in_the_admin(signed_in, admin, a):
    assert signed_in(admin).post(f"/admin/people/user/{a.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=a.pk).exists()


def test_people_with_the_same_initials_have_different_colours(db):
    names = [f"A{number:02} O{number:02}" for number in range(12)]
    _, created = engineers_named(names, time_zone="UTC")
    assert sorted(user.colour for user in created) == sorted(Color.values)


def test_a_person_added_in_the_admin_gets_the_rarest_colour(a, b):
    User.objects.update(colour=1)
    form = NewPersonForm({"username": "eve", "display_name": "Eve", "time_zone": "UTC", "colour": "1"})
    assert form.save().colour == 2
