"""Devices with push: through the API, with their health, a test that is confirmed, and what happens when one is gone."""

import datetime as dt
import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from common.exceptions import DomainError
from notifications.channels.push.site_key import find_site_key
from notifications.channels.push.vapid import new_site_key
from notifications.domain.device_names import device_name
from notifications.models import Message, PushDevice, VapidKey
from notifications.services.delivery import deliver_one
from notifications.services.push_devices import (
    DEACTIVATION_TEXT,
    MAX_DEVICES,
    add_device,
    ensure_site_key,
    report_switched_off,
    send_device_test,
)
from oncall_site.services import encrypted_columns
from scheduling.services.offboarding import deactivate, reactivate
from tests.each import each
from tests.factories import bearer
from tests.notifications.channels.push.service import Browser
from tests.notifications.news import with_mail

DEVICES = "/api/v1/me/push-devices/"
CHROME = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


def subscription(number=1, **fields):
    return {**Browser(f"https://fcm.googleapis.com/fcm/send/{number}").subscription, **fields}


def post(client, person, data, path="", **headers):
    return client.post(f"{DEVICES}{path}", data, content_type="application/json", **bearer(person), **headers)


def test_a_device_is_added_listed_renamed_and_removed(client, a):
    answer = post(client, a, subscription(), HTTP_USER_AGENT=CHROME)
    assert answer.status_code == 201, answer.content
    device = answer.json()
    assert re.fullmatch(r"\d{4}-.*Z", device.pop("created_at"))
    assert device == {
        "id": PushDevice.objects.get().pk,
        "name": "Chrome on Android",
        "service": "fcm.googleapis.com",
        "confirmed_at": None,
        "last_delivered_at": None,
        "problem": "",
        "switched_off_at": None,
    }
    one = f"{DEVICES}{device['id']}/"
    answer = client.patch(one, {"name": "My phone"}, content_type="application/json", **bearer(a))
    assert (answer.status_code, answer.json()["name"]) == (200, "My phone")
    assert [row["name"] for row in client.get(DEVICES, **bearer(a)).json()["results"]] == ["My phone"]
    assert client.get(one, **bearer(a)).json()["name"] == "My phone"
    assert client.delete(one, **bearer(a)).status_code == 204
    assert client.get(DEVICES, **bearer(a)).json()["results"] == []


@each(
    ("fields", "problems"),
    [
        ({"endpoint": "http://fcm.googleapis.com/x"}, {"endpoint": ["The endpoint must start with https://."]}),
        (
            {"endpoint": "https://example.org/x"},
            {"endpoint": ["example.org is not one of the push services that this site sends to."]},
        ),
        (
            {"endpoint": "https://notfcm.googleapis.com/x"},
            {"endpoint": ["notfcm.googleapis.com is not one of the push services that this site sends to."]},
        ),
        ({"endpoint": "https://fcm.googleapis.com:22/x"}, {"endpoint": ["Port 22 is not allowed."]}),
        (
            {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
            {"keys": ["p256dh must be a public key on the curve P-256, as base64url text."]},
        ),
        ({"keys": None}, {"keys": ["This field may not be null."]}),
        ({"name": "x" * 61}, {"name": ["Ensure this field has no more than 60 characters."]}),
        ({"name": "a\nb"}, {"name": ["Use one line: remove the line break."]}),
    ],
)
def test_a_wrong_subscription_names_the_field_and_changes_nothing(client, a, fields, problems):
    answer = post(client, a, subscription(**fields))
    assert (answer.status_code, answer.json()) == (400, problems)
    assert not PushDevice.objects.exists()


@pytest.mark.parametrize(
    "host", ["web.push.apple.com", "wns2-par02p.notify.windows.com", "updates.push.services.mozilla.com"]
)
def test_the_push_services_of_the_common_browsers_are_known(a, host):
    keys = subscription()["keys"]
    assert add_device(a, endpoint=f"https://{host}/x", **keys).service == host


def test_the_same_browser_is_one_device(client, a):
    post(client, a, subscription())
    PushDevice.objects.update(switched_off_at=timezone.now(), problem="gone", reported_at=timezone.now())
    again = post(client, a, subscription(name="Another name"), HTTP_USER_AGENT=CHROME)
    assert again.status_code == 201
    row = PushDevice.objects.get()
    assert (row.name, row.problem, row.switched_off_at, row.reported_at) == ("Browser", "", None, None)


def test_a_browser_in_which_another_person_turns_push_on_is_theirs(client, a, b):
    first = post(client, a, subscription(name="Shared")).json()
    PushDevice.objects.update(confirmed_at=timezone.now())
    second = post(client, b, subscription(name="Mine now")).json()
    assert (second["id"], second["name"], second["confirmed_at"]) == (first["id"], "Mine now", None)
    assert client.get(DEVICES, **bearer(a)).json()["results"] == []


def test_the_number_of_devices_is_limited(client, a):
    for number in range(MAX_DEVICES):
        assert post(client, a, subscription(number)).status_code == 201
    answer = post(client, a, subscription(MAX_DEVICES))
    assert (answer.status_code, answer.json()) == (409, {"detail": "You have 10 devices. Remove one first."})
    assert post(client, a, subscription(3)).status_code == 201, "the same browser again"
    assert PushDevice.objects.count() == MAX_DEVICES


def test_nobody_sees_or_changes_the_devices_of_another(client, a, b):
    one = f"{post(client, a, subscription()).json()['id']}/"
    assert client.get(DEVICES + one, **bearer(b)).status_code == 404
    assert client.delete(DEVICES + one, **bearer(b)).status_code == 404
    for action in ("test/", "confirm/"):
        assert post(client, b, {"code": "x"}, one + action).status_code == 404
    assert PushDevice.objects.count() == 1


def test_no_answer_and_no_row_has_the_secrets(client, a):
    sent = subscription()
    answer = post(client, a, sent).content.decode() + client.get(DEVICES, **bearer(a)).content.decode()
    columns = {column for model, column in encrypted_columns() if model is PushDevice}
    assert columns == {"endpoint", "p256dh", "auth"}
    stored = str(PushDevice.objects.values_list().get())
    for secret in (sent["endpoint"], *sent["keys"].values()):
        assert secret not in answer
        assert secret not in stored


def test_the_site_key_is_generated_once_and_stored_encrypted(client, a):
    answers = [client.post("/api/v1/me/push-key/", **bearer(a)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() == {"public_key": find_site_key().public_text}
    assert find_site_key().private_text not in str(VapidKey.objects.values_list("private_key").get())
    with pytest.raises(IntegrityError), transaction.atomic():
        VapidKey.objects.create(pk=2, private_key="x")


def test_a_key_in_the_settings_comes_first(db, settings):
    stored, own = ensure_site_key(), new_site_key()
    settings.VAPID_PRIVATE_KEY = own.private_text
    assert ensure_site_key().public_text == own.public_text != stored.public_text


def test_a_stored_key_that_cannot_be_read_is_not_replaced(db):
    ensure_site_key()
    with override_settings(FIELD_KEYS=["another key"]), pytest.raises(DomainError, match="cannot be used"):
        ensure_site_key()
    assert find_site_key() is not None


def test_a_test_message_goes_to_one_device_and_is_confirmed(client, a, device):
    (phone, row), (laptop, _) = device(), device(name="Laptop")
    answer = post(client, a, {}, f"{row.pk}/test/")
    assert (answer.status_code, answer.json()["channel"], answer.json()["state"]) == (201, "push", "pending")
    deliver_one()
    [received] = phone.payloads
    assert (received["text"], laptop.payloads) == (
        "Push works on Phone. Open this message to confirm that you received it.",
        [],
    )
    link = urlsplit(received["link"])
    assert link.path == f"/me/notifications/push/{row.pk}/"
    [code] = parse_qs(link.query)["code"]
    assert "code" not in answer.json()["link"], "only the device has the code"
    answer = post(client, a, {"code": code}, f"{row.pk}/confirm/")
    row.refresh_from_db()
    assert (answer.status_code, answer.json()["confirmed_at"] is not None, row.confirmed_at is not None) == (
        200,
        True,
        True,
    )


def test_a_second_test_message_within_a_minute_is_refused(client, a, device):
    _, row = device()
    post(client, a, {}, f"{row.pk}/test/")
    answer = post(client, a, {}, f"{row.pk}/test/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "Wait a minute before you send another test message.")
    Message.objects.update(created_at=timezone.now() - dt.timedelta(minutes=2))
    assert post(client, a, {}, f"{row.pk}/test/").status_code == 201


@pytest.mark.parametrize("code", ["x", "a:b:c", ""])
def test_a_wrong_code_confirms_nothing(client, a, device, code):
    _, row = device()
    assert post(client, a, {"code": code}, f"{row.pk}/confirm/").status_code == 400
    row.refresh_from_db()
    assert row.confirmed_at is None


def test_the_code_of_another_device_confirms_nothing(client, a, device):
    (phone, row), (_, other) = device(), device()
    post(client, a, {}, f"{row.pk}/test/")
    deliver_one()
    code = phone.payloads[0]["link"].partition("code=")[2]
    answer = post(client, a, {"code": code}, f"{other.pk}/confirm/")
    assert (answer.status_code, list(answer.json())) == (400, ["code"])


def test_a_device_that_is_gone_is_reported_by_e_mail_once(a, device, pushed):
    with_mail(a)
    device()
    device(410, name="Tablet")
    assert pushed().state == "sent"
    assert [report_switched_off(), report_switched_off()] == [1, 0]
    Message.objects.filter(type="push-off").update(due_at=timezone.now())
    deliver_one()
    [message] = mail.outbox
    assert (message.subject, message.to) == ("Push stopped on Tablet", ["engineer-a@example.org"])
    assert "You still get push messages on 1 other device." in message.body
    assert "127.0.0.1 returned status 410. Push was removed on this device." in message.body


def test_a_device_that_is_on_again_is_not_reported(a, device, pushed):
    with_mail(a)
    device(410)
    pushed()
    report_switched_off()
    PushDevice.objects.update(switched_off_at=None, reported_at=None)
    Message.objects.update(due_at=timezone.now())
    deliver_one()
    assert mail.outbox == []
    assert Message.objects.get(type="push-off").state == "dropped"


def test_a_device_that_is_switched_off_gets_no_test(client, a, device):
    _, row = device()
    PushDevice.objects.update(switched_off_at=timezone.now())
    answer = post(client, a, {}, f"{row.pk}/test/")
    assert answer.json()["detail"] == "Push is turned off on this device. Turn it on again there."


@each(
    ("user_agent", "name"),
    [
        (CHROME, "Chrome on Android"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            "Safari on Mac",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/140.0 Mobile Safari/604.1",
            "Chrome on iPhone",
        ),
        ("curl/8.0", "Browser"),
        ("", "Browser"),
    ],
)
def test_a_device_is_named_after_its_browser(user_agent, name):
    assert device_name(user_agent) == name


PAGE = "/me/notifications/push/{pk}/"


def test_the_page_of_a_device_shows_its_health_and_renames_it(a, device, signed_in):
    _, row = device()
    client, path = signed_in(a), PAGE.format(pk=row.pk)
    page = client.get(path).content.decode()
    assert "Not confirmed" in page
    assert "I received it" not in page
    assert client.post(f"{path}rename/", {"name": "My phone"}).headers["Location"] == path
    assert "<h1>My phone" in client.get(path).content.decode()


def test_a_wrong_name_is_refused_and_stays_in_the_form(a, device, signed_in):
    _, row = device()
    answer = signed_in(a).post(f"{PAGE.format(pk=row.pk)}rename/", {"name": "x" * 61})
    assert answer.status_code == 400
    assert f'value="{"x" * 61}"' in answer.content.decode()
    row.refresh_from_db()
    assert row.name == "Phone"


def test_a_test_is_sent_and_confirmed_on_the_pages(a, device, signed_in):
    phone, row = device()
    client, path = signed_in(a), PAGE.format(pk=row.pk)
    page = client.post(f"{path}test/", follow=True).content.decode()
    assert "Test message queued." in page
    deliver_one()
    link = phone.payloads[0]["link"].removeprefix("http://127.0.0.1:8000")
    assert "I received it" in client.get(link).content.decode()
    code = parse_qs(urlsplit(link).query)["code"][0]
    page = client.post(f"{path}confirm/", {"code": code}, follow=True).content.decode()
    assert "Confirmed. Push works on Phone." in page


def test_a_wrong_code_and_a_second_test_say_what_to_do(a, device, signed_in):
    _, row = device()
    client, path = signed_in(a), PAGE.format(pk=row.pk)
    page = client.post(f"{path}confirm/", {"code": "x"}, follow=True).content.decode()
    assert "This test message has expired or belongs to another device. Send a new test." in page
    client.post(f"{path}test/")
    assert "Wait a minute before" in client.post(f"{path}test/", follow=True).content.decode()
    assert Message.objects.filter(type="push-test").count() == 1


def test_a_device_is_removed_on_its_page(a, device, signed_in):
    _, row = device()
    page = signed_in(a).post(f"{PAGE.format(pk=row.pk)}remove/", follow=True).content.decode()
    assert "Device removed." in page
    assert not PushDevice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_who_turn_push_on_in_one_browser_at_once_leave_one_device(a, b):
    sent, barrier, problems = subscription(), threading.Barrier(2), []

    def add(person):
        try:
            barrier.wait(30)
            add_device(person, endpoint=sent["endpoint"], **sent["keys"])
        except (DatabaseError, DomainError) as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=(person,)) for person in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert PushDevice.objects.get().person in (a, b)


def test_the_test_of_the_channel_goes_to_every_device(client, a, device):
    browsers = [device()[0] for _ in range(2)]
    answer = client.post("/api/v1/me/test-message/", {"channel": "push"}, content_type="application/json", **bearer(a))
    assert answer.status_code == 201
    deliver_one()
    assert [[received["title"] for received in browser.payloads] for browser in browsers] == [
        ["Test message from the on-call site"]
    ] * 2


def test_signing_out_removes_the_browsers_device_and_no_other(signed_in, a, b):
    keys = subscription()["keys"]
    here, phone = (add_device(a, endpoint=f"https://fcm.googleapis.com/{name}", **keys) for name in ("here", "phone"))
    signed_in(a).post("/sign-out/", {"push_endpoint": "https://fcm.googleapis.com/unknown"})
    signed_in(a).post("/sign-out/")
    assert list(PushDevice.objects.all()) == [here, phone]
    # B signs out of a browser in which A once turned on push, so nobody is signed in there.
    signed_in(b).post("/sign-out/", {"push_endpoint": here.endpoint})
    assert list(PushDevice.objects.all()) == [phone]


def test_a_deactivated_user_gets_no_push_even_after_reactivation(a, admin, push_service):
    browser = push_service.browser()
    device = add_device(a, endpoint="https://fcm.googleapis.com/x", **browser.subscription["keys"])
    PushDevice.objects.update(endpoint=browser.endpoint)
    deactivate(a, by=admin, at=timezone.now())
    assert not PushDevice.objects.live().exists()
    reactivate(a, by=admin)
    assert not PushDevice.objects.live().exists()
    send_device_test(device)
    deliver_one()
    assert browser.payloads == []
    assert Message.objects.get(type="push-test").state == "failed"
    Message.objects.all().delete()
    assert report_switched_off() == 1
    device.refresh_from_db()
    assert (device.problem, device.switched_off_at is not None) == (DEACTIVATION_TEXT, True)
    [report] = Message.objects.filter(recipient=a)
    assert (report.type, report.channel) == ("push-off", "email")
    # After push is turned on again in that browser, it is a device again.
    again = add_device(a, endpoint="https://fcm.googleapis.com/x", **browser.subscription["keys"])
    assert list(PushDevice.objects.live()) == [again]
    assert report_switched_off() == 0


def test_the_user_is_e_mailed_about_a_new_device_once(client, a):
    with_mail(a)
    for _ in range(2):
        post(client, a, subscription(name="Phone"))
    deliver_one()
    assert [(sent.to, sent.subject) for sent in mail.outbox] == [([a.email], "Push on Phone now gets your messages")]
    assert "revoke your API tokens" in mail.outbox[0].body
    assert deliver_one() is None
