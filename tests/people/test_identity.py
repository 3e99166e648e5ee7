"""A token cannot become the account; identity changes need a session and a fresh confirmation (docs/reliability.md, promise 27)."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendar_feeds.services import create_feed
from common.exceptions import DomainError, NotAllowedError
from notifications.models import Message
from notifications.services.delivery import deliver_one
from oncall_site.services import request_password_reset
from people.models import ApiToken, PasswordLink, User
from people.services.accounts import check_admin_remains, create_token
from people.services.password_links import create_reset_link
from scheduling.services.offboarding import deactivate, reactivate
from tests.each import each
from tests.factories import PASSWORD, bearer, make_engineer

ME = "/api/v1/me/"
NEW = "attacker@example.org"


@pytest.fixture
def a(a):
    a.set_password(PASSWORD)
    a.email = "a@example.org"
    a.save()
    return a


def profile(user, **change):
    fields = {"display_name": user.display_name, "email": user.email, "time_zone": "UTC", "colour": 1}
    return fields | change


def confirm(browser, path="/me/", password=PASSWORD):
    return browser.post(f"/sign-in/again/?next={path}", {"password": password, "next": path})


def patch(client, path, data, headers):
    return client.patch(path, data, content_type="application/json", **headers)


@pytest.mark.parametrize("scope", ApiToken.Scope.values)
def test_no_token_changes_the_e_mail_whatever_its_scope(client, admin, scope):
    admin.set_password(PASSWORD)
    admin.email = "admin@example.org"
    admin.save()
    answer = patch(client, ME, {"email": NEW, "phone": "030 123456"}, bearer(admin, scope=scope))
    assert answer.status_code == 403
    admin.refresh_from_db()
    assert (admin.email, admin.phone) == ("admin@example.org", "")


@each("scope", ApiToken.Scope.values)
@each("change", [{"password": "x"}, {"is_staff": True}, {"admin": True}, {"is_active": False}, {"username": "x"}])
def test_no_token_changes_another_part_of_the_identity(client, admin, scope, change):
    before = User.objects.filter(pk=admin.pk).values().get()
    patch(client, ME, change, bearer(admin, scope=scope))
    assert User.objects.filter(pk=admin.pk).values().get() == before


def test_the_same_e_mail_in_a_patch_is_no_change(client, a):
    assert patch(client, ME, {"email": a.email, "phone": "030 123456"}, bearer(a)).status_code == 200


def test_a_session_changes_the_e_mail_only_with_a_fresh_password(signed_in, a):
    browser = signed_in(a)
    asked = browser.post("/me/profile/", profile(a, email="new@example.org"))
    assert asked.headers["Location"] == "/sign-in/again/?next=%2Fme%2Fprofile%2F"
    assert "Incorrect password" in confirm(browser, "/me/profile/", "wrong").content.decode()
    assert User.objects.get(pk=a.pk).email == "a@example.org"
    # The request is repeated with what was typed.
    assert confirm(browser, "/me/profile/").headers["Location"] == "/me/profile/"
    assert User.objects.get(pk=a.pk).email == "new@example.org"


def test_the_api_changes_the_e_mail_only_in_a_session_with_a_fresh_password(signed_in, a):
    browser = signed_in(a)
    assert patch(browser, ME, {"email": "new@example.org"}, {}).status_code == 403
    confirm(browser)
    assert patch(browser, ME, {"email": "new@example.org"}, {}).status_code == 200
    assert User.objects.get(pk=a.pk).email == "new@example.org"


def test_other_fields_need_no_confirmation(signed_in, a):
    assert signed_in(a).post("/me/profile/", profile(a, display_name="Ada")).headers["Location"] == "/me/profile/"
    assert User.objects.get(pk=a.pk).display_name == "Ada"


def test_the_old_address_gets_a_notice_and_links_mailed_to_it_expire(signed_in, a):
    link = create_reset_link(a, at=timezone.now() - dt.timedelta(seconds=1))
    browser = signed_in(a)
    confirm(browser)
    browser.post("/me/profile/", profile(a, email="new@example.org"))
    assert not PasswordLink.objects.usable(at=timezone.now()).filter(pk=link.pk).exists()
    assert deliver_one()
    [sent] = mail.outbox
    assert sent.to == ["a@example.org"]
    assert "changed" in sent.subject
    assert "new@example.org" not in sent.body


def test_an_admin_changes_e_mail_role_and_password_only_with_a_fresh_password(signed_in, admin, a):
    admin.set_password(PASSWORD)
    admin.save()
    browser, page = signed_in(admin), f"/admin/people/user/{a.pk}/"
    fields = profile(a) | {"username": a.username, "is_active": "on"}
    new_password = {"password1": "another long one", "password2": "another long one", "usable_password": "true"}
    for path, data in (
        (f"{page}change/", fields | {"email": NEW}),
        (f"{page}change/", fields | {"is_staff": "on"}),
        (f"{page}password/", new_password),
        ("/admin/people/user/", {"action": "reset_two_factor", "_selected_action": [a.pk]}),
    ):
        assert browser.post(path, data).headers["Location"].startswith("/sign-in/again/")
    a.refresh_from_db()
    assert (a.email, a.is_staff, a.check_password(PASSWORD)) == ("a@example.org", False, True)
    assert browser.post(f"{page}change/", fields | {"display_name": "Ada"}).status_code == 302
    assert User.objects.get(pk=a.pk).display_name == "Ada"
    confirm(browser)
    browser.post(f"{page}change/", fields | {"email": "new@example.org", "is_staff": "on"})
    a.refresh_from_db()
    assert (a.email, a.is_staff) == ("new@example.org", True)
    assert Message.objects.get().type == "email-changed"


# Scopes


def test_an_admin_s_write_token_has_an_engineer_s_rights(client, admin, daily_growth):
    path, change = f"/api/v1/pipelines/{daily_growth.slug}/", {"audience": "everyone"}
    assert patch(client, path, change, bearer(admin, scope="write")).status_code == 403
    assert client.post("/api/v1/people/admin/deactivate/", **bearer(admin, scope="write")).status_code == 403
    assert patch(client, path, change, bearer(admin, scope="admin")).status_code == 200


def test_only_admins_create_admin_tokens(signed_in, a, admin):
    with pytest.raises(NotAllowedError):
        create_token(a, name="x", scope="admin")
    assert 'value="admin"' not in signed_in(a).get("/me/tokens/").content.decode()
    assert 'value="admin"' in signed_in(admin).get("/me/tokens/").content.decode()
    fields = {"name": "x", "scope": "admin", "expires_on": ""}
    assert signed_in(a).post("/me/tokens/", fields).status_code == 400


def test_an_admin_token_of_a_former_admin_has_no_admin_rights(client, admin, daily_growth):
    headers = bearer(admin)
    User.objects.filter(pk=admin.pk).update(is_staff=False)
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    assert patch(client, path, {"audience": "everyone"}, headers).status_code == 403


# Deactivation


def test_reactivation_revives_no_session_token_feed_or_link(signed_in, client, admin, a):
    at = timezone.now()
    browser, headers = signed_in(a), bearer(a)
    feed = create_feed(a, rotation=None, at=at)
    link = create_reset_link(a, at=at)
    assert browser.get("/").status_code == 200
    assert client.get(ME, **headers).status_code == 200
    deactivate(a, by=admin, at=at)
    reactivate(a, by=admin)
    assert browser.get("/").status_code == 302
    assert client.get(ME, **headers).status_code == 401
    assert client.get(f"/feeds/{feed.secret}.ics").status_code == 404
    assert not PasswordLink.objects.usable(at=at).filter(pk=link.pk).exists()
    page = signed_in(User.objects.get(pk=a.pk)).get("/me/tokens/").content.decode()
    assert "No tokens yet" in page
    assert client.get(ME, **bearer(User.objects.get(pk=a.pk))).status_code == 200


def test_the_last_active_admin_keeps_their_rights(signed_in, admin, a):
    fields = {"username": admin.username, "display_name": "Admin", "email": "", "time_zone": "UTC", "colour": 1}
    page = signed_in(admin).post(f"/admin/people/user/{admin.pk}/change/", fields | {"is_active": "on"}, follow=True)
    assert "last active admin" in page.content.decode()
    admin.refresh_from_db()
    assert (admin.is_staff, admin.is_active) == (True, True)
    with pytest.raises(DomainError, match="last active admin"):
        deactivate(admin, by=make_engineer("Other", is_staff=True, is_active=False), at=timezone.now())


def test_an_admin_may_leave_if_another_remains(admin, a):
    make_engineer("Second", is_staff=True)
    check_admin_remains(admin)
    check_admin_remains(a)


# Enumeration


def test_a_reset_does_the_same_work_for_an_unknown_address(a):
    never_invited = make_engineer("Never Invited", email="never@example.org")
    counts = []
    for number, email in enumerate(["a@example.org", "unknown@example.org", never_invited.email]):
        with CaptureQueriesContext(connection) as queries:
            request_password_reset(email, address=f"192.0.2.{number}", at=timezone.now())
        counts.append(
            [re.sub(r"\d+|'[^']*'", "", query["sql"])[:40] for query in queries if "SAVEPOINT" not in query["sql"]]
        )
    assert counts[0] == counts[1] == counts[2]
    assert Message.objects.count() == PasswordLink.objects.count() == 1


def test_an_unknown_and_an_inactive_user_get_the_same_sign_in_page(a):
    User.objects.filter(pk=a.pk).update(is_active=False)
    pages = []
    for name, password in (("engineer-a", PASSWORD), ("engineer-a", "wrong"), ("nobody", PASSWORD)):
        page = Client().post("/sign-in/", {"username": name, "password": password})
        pages.append((page.status_code, re.sub(r'value="[^"]*"', "", page.content.decode())))
    assert pages[0] == pages[1] == pages[2]
