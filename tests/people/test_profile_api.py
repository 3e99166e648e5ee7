"""The caller's profile in the API and in the admin."""

import datetime as dt

from django.utils import timezone

from people.models import User
from tests.each import each
from tests.factories import bearer

URL = "/api/v1/me/"


def test_the_profile_is_returned_and_updated(client, a):
    assert client.get(URL, **bearer(a)).json() == {
        "username": "engineer-a", "name": "Engineer A", "handbook_name": "Engineer A", "email": "", "phone": "", "time_zone": "UTC", "country": "",
        "subdivision": "", "colour": 1, "shortcuts": True,
    }  # fmt: skip
    given = {"phone": "+49 30 1234567", "shortcuts": False, "username": "somebody-else"}
    answer = client.patch(URL, given, content_type="application/json", **bearer(a))
    assert answer.status_code == 200
    row = User.objects.get(pk=a.pk)
    assert (row.phone, row.dial, row.shortcuts, row.username) == ("+49 30 1234567", "+49301234567", False, "engineer-a")


@each(
    ("field", "value"),
    [
        ("phone", "call me"),
        ("phone", "+1;ext=2"),
        ("phone", "1" * 40),
        ("shortcuts", "perhaps"),
        ("time_zone", "Mars"),
        ("name", ""),
    ],
)
def test_an_invalid_field_is_named_and_nothing_changes(client, a, field, value):
    answer = client.patch(URL, {field: value}, content_type="application/json", **bearer(a))
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert User.objects.filter(pk=a.pk, phone="", shortcuts=True, time_zone="UTC").exists()


def test_an_admin_edits_phone_and_shortcuts(signed_in, admin, a):
    page = f"/admin/people/user/{a.pk}/change/"
    text = signed_in(admin).get(page).content.decode()
    assert 'name="phone"' in text
    fields = {
        "username": a.username,
        "display_name": "Engineer A",
        "phone": "030 1234567",
        "time_zone": "UTC",
        "colour": 1,
    }
    assert signed_in(admin).post(page, {**fields, "is_active": "on"}).status_code == 302
    a.refresh_from_db()
    assert (a.phone, a.shortcuts) == ("030 1234567", False)


def test_now_and_the_pipeline_show_how_to_reach_the_responder(signed_in, a, d, seed):
    from django.core.management import call_command

    # Before this week's hand-off, last week's engineer is on call.
    last_monday = timezone.now().date() - dt.timedelta(days=timezone.now().weekday() + 7)
    call_command("import_handbook", str(seed), starting=last_monday, verbosity=0)
    User.objects.exclude(pk=d.pk).update(phone="+49 30 1234567")
    User.objects.filter(pk=d.pk).update(email="d@example.org")
    now = signed_in(d).get("/").content.decode()
    assert 'href="tel:+49301234567"' in now
    pipeline = signed_in(d).get("/pipelines/daily-growth-experiment-focused/").content.decode()
    assert 'href="tel:+49301234567"' in pipeline
    assert 'href="mailto:d@example.org"' in pipeline
