"""People: their place in the world, their two roles, sign-in and Mine."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from people.models import User
from people.services.accounts import change_profile, engineers_named
from tests.factories import PASSWORD, make_engineer


def test_the_same_engineer_is_found_by_meaning_and_made_once(db):
    found, created = engineers_named(["Engineer A", "engineer  a", "Engineer B"], time_zone="UTC")
    assert [user.display_name for user in created] == ["Engineer A", "Engineer B"]
    again, none = engineers_named(["ENGINEER A"], time_zone="UTC")
    assert none == []
    assert set(again.values()) == {found[next(iter(found))]}


def test_a_new_engineer_has_no_usable_password(db):
    _, [user] = engineers_named(["李 Wei"], time_zone="Asia/Shanghai")
    assert not user.has_usable_password()
    assert user.username == "li-wei"
    assert user.time_zone == "Asia/Shanghai"


@pytest.mark.parametrize(
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
def test_a_profile_with_a_wrong_field_names_the_field_and_changes_nothing(a, field, value):
    with pytest.raises(ValidationError) as caught:
        change_profile(a, fields={field: value})
    assert list(caught.value.message_dict) == [field]
    assert getattr(User.objects.get(pk=a.pk), field) != value


def test_a_subdivision_must_be_the_countrys(a):
    with pytest.raises(ValidationError) as caught:
        change_profile(a, fields={"country": "DE", "subdivision": "CA"})
    assert list(caught.value.message_dict) == ["subdivision"]
    change_profile(a, fields={"country": "DE", "subdivision": "BE"})


def test_two_people_cannot_share_an_address_in_any_case(a, b):
    User.objects.filter(pk=a.pk).update(email="x@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=b.pk).update(email="X@example.org")


def test_sign_in_opens_the_site_and_sign_out_closes_it(client, a):
    a.set_password(PASSWORD)
    a.save()
    assert client.get("/").headers["Location"] == "/sign-in/?next=/"
    answer = client.post("/sign-in/?next=/me/", {"username": "engineer-a", "password": PASSWORD})
    assert answer.headers["Location"] == "/me/"
    assert client.get("/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/").status_code == 302


def test_an_inactive_person_cannot_sign_in(client, a):
    a.set_password(PASSWORD)
    a.is_active = False
    a.save()
    page = client.post("/sign-in/", {"username": "engineer-a", "password": PASSWORD})
    assert page.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_session_dies_when_its_person_is_made_inactive(signed_in, a):
    browser = signed_in(a)
    assert browser.get("/").status_code == 200
    User.objects.filter(pk=a.pk).update(is_active=False)
    assert browser.get("/").status_code == 302


def test_i_change_my_profile(signed_in, a):
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


def test_a_wrong_profile_keeps_what_was_typed(signed_in, a):
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
    assert "not a time zone" in text


def test_i_change_my_password_and_stay_signed_in(signed_in, a):
    a.set_password(PASSWORD)
    a.save()
    browser = signed_in(a)
    new = "another long passphrase"
    browser.post("/me/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    a.refresh_from_db()
    assert a.check_password(new)
    assert browser.get("/me/").status_code == 200


def test_an_engineer_does_not_enter_the_admin(signed_in, a, admin):
    assert signed_in(a).get("/admin/").status_code == 302
    assert signed_in(admin).get("/admin/").status_code == 200


def test_an_admin_adds_a_person_who_cannot_sign_in_yet(signed_in, admin):
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


def test_an_admin_makes_a_person_inactive_and_the_history_says_who_did(signed_in, admin, a):
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


def test_the_history_keeps_no_password(a):
    a.set_password(PASSWORD)
    a.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'people_userevent'")
        assert "password" not in {row[0] for row in cursor.fetchall()}


def test_a_bulk_update_is_in_the_history_too(a, b):
    User.objects.update(country="DE")
    assert User.pgh_event_model.objects.filter(country="DE").count() == 2


def test_createsuperuser_makes_an_admin(db):
    user = User.objects.create_superuser("root-admin", PASSWORD, email="root@example.org")
    assert user.is_staff
    assert user.check_password(PASSWORD)


def test_people_of_one_name_get_user_names_of_their_own(db):
    assert [make_engineer("Kim Lee").username for _ in range(3)] == ["kim-lee", "kim-lee-2", "kim-lee-3"]


def test_an_admin_gives_somebody_a_password_in_the_admin(signed_in, admin, a):
    fields = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert signed_in(admin).post(f"/admin/people/user/{a.pk}/password/", fields).status_code == 302
    a.refresh_from_db()
    assert a.check_password(PASSWORD)


def test_nobody_is_deleted_in_the_admin(signed_in, admin, a):
    assert signed_in(admin).post(f"/admin/people/user/{a.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=a.pk).exists()
