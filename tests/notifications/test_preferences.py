"""Notification settings in the browser and through the API, and chat addresses set by admins."""

import datetime as dt

import pytest
from django.core import mail
from django.db.models import TextField, Value
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from notifications.channels.chat.channel import SERVICES
from notifications.models import ChannelPreference, ContactMethod, Message, QuietHours
from notifications.services.contact_methods import remove_contact_method, set_contact_method
from notifications.services.delivery import deliver_one
from people.undo import read_undo
from tests.each import each
from tests.factories import add_contact_method, bearer
from tests.notifications.news import AdminNews, Page, Secret, enqueue_news, with_mail

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
CALL = "/api/v1/me/notifications/"


def put(client, person, **given):
    return client.put(CALL, given, content_type="application/json", **bearer(person))


def test_channels_and_quiet_hours_are_changed_through_the_api(client, a, admin):
    before = client.get(CALL, **bearer(a)).json()
    assert (before["quiet_from"], before["quiet_until"]) == (None, None)
    rows = {row["type"]: row for row in before["types"]}
    assert rows["news"] == {"type": "news", "label": "News", "urgent": False, "channels": ["email"]}
    assert rows["page"] == {"type": "page", "label": "Page", "urgent": True, "channels": ["email"]}
    chosen = [{"type": "news", "channels": ["chat"]}]
    assert put(client, a, types=chosen).json() == {"types": ["Add a contact method for Chat first."]}
    add_contact_method(a, channel="chat", address=SLACK)
    answer = put(client, a, quiet_from="22:00", quiet_until="07:00", types=chosen)
    assert answer.status_code == 200
    after = answer.json()
    assert (after["quiet_from"], after["quiet_until"]) == ("22:00:00", "07:00:00")
    assert {row["type"]: row["channels"] for row in after["types"]}["news"] == ["chat"]
    assert put(client, a).json()["quiet_from"] is None
    assert not QuietHours.objects.exists()


@each(
    "given",
    [
        {"quiet_from": "22:00"},
        {"quiet_from": "22:00", "quiet_until": "22:00"},
        {"quiet_from": "x", "quiet_until": "22:00"},
        {"types": [{"type": "nothing-like-it", "channels": ["email", "chat"]}]},
        {"types": [{"type": "page", "channels": ["chat"]}]},
        {"types": [{"type": "new\0s", "channels": ["email", "chat"]}]},
        {"types": [{"type": "news"}]},
        {"types": [{"type": "news", "channels": ["pigeon"]}]},
        {"types": "news"},
        {"types": [3]},
    ],
)
def test_wrong_settings_are_a_400_and_change_nothing(client, a, given):
    answer = put(client, a, **given)
    assert answer.status_code == 400, answer.content
    assert not ChannelPreference.objects.exists()
    assert not QuietHours.objects.exists()


def test_settings_are_changed_in_the_browser(signed_in, a, admin):
    add_contact_method(a, channel="chat", address=SLACK)
    browser = signed_in(a)
    page = browser.get("/me/notifications/").content.decode()
    assert "News" in page
    assert ">Urgent<" in page
    typed = {"chat-news": "on", "quiet_from": "22:00", "quiet_until": "07:00"}
    assert browser.post("/me/notifications/", typed).headers["Location"] == "/me/notifications/#events"
    assert ChannelPreference.objects.filter(person=a, type="news", channels=["chat"]).exists()
    assert not ChannelPreference.objects.filter(type="page").exists()
    assert browser.post("/me/notifications/", {"quiet_from": "22:00"}).status_code == 400
    same = browser.post("/me/notifications/", {"quiet_from": "22:00", "quiet_until": "22:00"})
    assert same.status_code == 400
    assert "different time" in same.content.decode()


def test_messages_go_by_the_enabled_channels(a, b, admin):
    ChannelPreference.objects.create(person=a, type="news", channels=["chat"])
    add_contact_method(a, channel="chat", address=SLACK)
    enqueue_news([a, b])
    assert set(Message.objects.values_list("recipient__username", "channel")) == {
        ("engineer-a", "chat"),
        ("engineer-b", "email"),
    }


def test_a_changed_preference_sends_nothing_twice(a, admin):
    assert enqueue_news([a]) == 1
    add_contact_method(a, channel="chat", address=SLACK)
    ChannelPreference.objects.create(person=a, type="news", channels=["chat"])
    assert enqueue_news([a]) == 0
    assert Message.objects.count() == 1


def test_urgent_messages_and_invitations_always_go_by_email(a):
    from notifications.services.outbox import Invitation

    ChannelPreference.objects.create(person=a, type="news", channels=[])
    enqueue_news([a], "1")
    enqueue_news([a], "2", invitation=Invitation("REQUEST", "BEGIN:VCALENDAR"))
    enqueue_news([a], "3", cls=Page)
    assert list(Message.objects.order_by("dedup_key").values_list("dedup_key", "channel")) == [
        ("2", "email"),
        ("3", "email"),
    ]


def test_a_private_type_has_no_setting_and_its_link_is_in_no_row(client, a, admin):
    assert "secret" not in {row["type"] for row in client.get(CALL, **bearer(a)).json()["types"]}
    assert put(client, a, types=[{"type": "secret", "channels": ["chat"]}]).status_code == 400
    add_contact_method(a, channel="chat", address=SLACK)
    enqueue_news([with_mail(a)], cls=Secret)
    assert Message.objects.get().channel == "email"
    deliver_one()
    assert "http://127.0.0.1:8000/link/s3cret/" in mail.outbox[0].body
    assert not any("s3cret" in str(value) for value in Message.objects.values().get().values())


def test_types_for_admins_are_neither_shown_nor_sent_to_engineers(client, a, admin):
    assert "admin-news" not in {row["type"] for row in client.get(CALL, **bearer(a)).json()["types"]}
    assert "admin-news" in {row["type"] for row in client.get(CALL, **bearer(admin)).json()["types"]}
    wanted = [{"type": "admin-news", "channels": []}]
    assert put(client, a, types=wanted).status_code == 400
    assert enqueue_news([with_mail(a), with_mail(admin)], cls=AdminNews) == 1
    type(admin).objects.filter(pk=admin.pk).update(is_staff=False)
    deliver_one()
    assert Message.objects.get().state == "dropped"


# Messages


def test_users_list_their_own_messages_and_admins_everyones(client, a, b, admin):
    enqueue_news([a, b])
    mine, theirs = Message.objects.get(recipient=a), Message.objects.get(recipient=b)
    answer = client.get("/api/v1/messages/", **bearer(a)).json()
    assert [(row["id"], row["state"], row["recipient"]) for row in answer["results"]] == [
        (mine.pk, "pending", "engineer-a")
    ]
    assert answer["results"][0]["due_at"].endswith("Z")
    assert client.get("/api/v1/messages/?everyone=true", **bearer(a)).json()["count"] == 1
    assert client.get(f"/api/v1/messages/{theirs.pk}/", **bearer(a)).status_code == 404
    assert client.get("/api/v1/messages/?everyone=true", **bearer(admin)).json()["count"] == 2
    assert client.get("/api/v1/messages/?state=sent", **bearer(a)).json()["count"] == 0
    assert client.get("/api/v1/messages/?state=x%00", **bearer(a)).status_code == 400


def test_an_admin_retries_failed_messages_through_the_api_and_the_admin(client, signed_in, a, admin):
    enqueue_news([a])
    row = Message.objects.get()
    path = f"/api/v1/messages/{row.pk}/retry/"
    assert client.post(path, **bearer(admin)).status_code == 409
    deliver_one()
    assert client.post(path, **bearer(a)).status_code == 403
    assert client.post(path, **bearer(admin)).json()["state"] == "pending"
    deliver_one()
    with_mail(a)
    browser = signed_in(admin)
    page = browser.get("/admin/notifications/message/?state__exact=failed").content.decode()
    assert "has no e-mail address" in page
    chosen = {"action": "retry", "_selected_action": [row.pk]}
    assert "Retrying 1 message." in browser.post("/admin/notifications/message/", chosen, follow=True).content.decode()
    assert (
        "Only a failed message" in browser.post("/admin/notifications/message/", chosen, follow=True).content.decode()
    )
    deliver_one()
    assert len(mail.outbox) == 1


def test_the_page_lists_recent_messages(signed_in, a, b):
    enqueue_news([a])
    page = signed_in(a).get("/me/notifications/").content.decode()
    assert 'href="/schedule/"' in page
    assert ">Scheduled<" in page
    assert "No messages yet" in signed_in(b).get("/me/notifications/").content.decode()


# Chat


@each(
    "address",
    [
        "json://localhost/",
        "jsons://169.254.169.254/latest/",
        "xml://10.0.0.1",
        "mmost://10.0.0.1/token",
        "ntfy://localhost/topic",
        "mailto://user:password@example.org",
        "syslog://",
        "dbus://",
        "slack://",
        "slack://x\n",
        "http://example.org",
        "SLACK://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "",
        "slack://" + "x" * 2000,
    ],
)
def test_an_address_that_names_a_host_is_rejected(a, admin, address):
    with pytest.raises(InvalidInputError):
        set_contact_method(a, channel="chat", address=address, by=admin)


def test_an_admin_sets_a_chat_address_which_is_stored_encrypted(signed_in, a, admin):
    with pytest.raises(NotAllowedError):
        set_contact_method(a, channel="chat", address=SLACK, by=a)
    browser = signed_in(admin)
    path = "/admin/notifications/contactmethod/add/"
    assert (
        "starts with one of"
        in browser.post(path, {"person": a.pk, "channel": "chat", "typed": "json://localhost"}).content.decode()
    )
    assert browser.post(path, {"person": a.pk, "channel": "chat", "typed": SLACK}).status_code == 302
    row = ContactMethod.objects.get()
    assert row.shown_as == "Slack"
    assert row.address == SLACK
    [stored] = ContactMethod.objects.values_list("address", flat=True)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in stored
    for shown in ("/admin/notifications/contactmethod/", f"/admin/notifications/contactmethod/{row.pk}/change/"):
        page = browser.get(shown).content.decode()
        assert "TIiajkdn" not in page
        assert stored not in page
    with pytest.raises(NotAllowedError):
        remove_contact_method(a.contact_methods.get(), by=make_other())
    remove_contact_method(a.contact_methods.get(), by=a)
    assert not ContactMethod.objects.exists()


def make_other():
    from tests.factories import make_engineer

    return make_engineer("Other")


def test_a_chat_message_is_retried_if_the_service_rejects_it(a, admin, monkeypatch):
    import apprise

    sent = []
    answers = [False, True]

    def notify(client, *, title, body):
        sent.append((client.urls(), title, body))
        return answers.pop(0)

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    add_contact_method(a, channel="chat", address=SLACK)
    ChannelPreference.objects.create(person=a, type="news", channels=["chat"])
    enqueue_news([a])
    deliver_one()
    assert Message.objects.get().problem == "The chat service did not accept the message."
    Message.objects.update(retry_at=timezone.now())
    deliver_one()
    assert Message.objects.get().state == "sent"
    urls, title, body = sent[1]
    assert "TIiajkdnlazkcOXrIdevi7FQ" in urls[0]
    assert title == "The week is yours"
    assert body == "From Monday on.\n\nhttp://127.0.0.1:8000/schedule/"
    assert mail.outbox == []


def test_a_removed_chat_address_is_a_visible_failure(a, admin):
    add_contact_method(a, channel="chat", address=SLACK)
    ChannelPreference.objects.create(person=a, type="news", channels=["chat"])
    enqueue_news([a])
    remove_contact_method(a.contact_methods.get(), by=admin)
    deliver_one()
    assert Message.objects.get().state == "failed"


def test_an_address_encrypted_with_a_lost_key_is_a_visible_failure(a, admin, settings):
    add_contact_method(a, channel="chat", address=SLACK)
    ChannelPreference.objects.create(person=a, type="news", channels=["chat"])
    enqueue_news([a])
    settings.FIELD_KEYS = ["another key"]
    deliver_one()
    row = Message.objects.get()
    assert row.state == "failed"
    assert "key that is no longer known" in row.problem


def test_no_chat_service_is_self_hosted():
    import apprise

    for scheme in SERVICES:
        plugin = apprise.manager_plugins.NotificationManager()[scheme]
        assert not any("{host}" in template for template in plugin.templates), scheme


# Quiet hours


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-12-01T21:59Z", None),
        ("2026-12-01T22:00Z", "2026-12-02T07:00Z"),
        ("2026-12-02T06:59Z", "2026-12-02T07:00Z"),
        ("2026-12-02T07:00Z", None),
    ],
)
def test_quiet_hours_pass_midnight(at, end):
    from notifications.domain.quiet_hours import quiet_hours_end

    actual = quiet_hours_end(dt.datetime.fromisoformat(at), zone="UTC", start=dt.time(22), end=dt.time(7))
    assert actual == (dt.datetime.fromisoformat(end) if end else None)


@each("day", ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"])
@each("hours", [(22, 7), (1, 3), (2, 4), (0, 2), (23, 2)])
def test_quiet_hours_end_in_the_future_also_when_clocks_change(day, hours):
    from notifications.domain.quiet_hours import quiet_hours_end

    start = dt.datetime.fromisoformat(f"{day}T00:00:00+00:00")
    for minutes in range(0, 48 * 60, 7):
        at = start + dt.timedelta(minutes=minutes)
        end = quiet_hours_end(at, zone="Europe/Berlin", start=dt.time(hours[0]), end=dt.time(hours[1]))
        assert end is None or at < end < at + dt.timedelta(hours=12)


@each(
    ("at", "end"),
    [
        ("2026-11-27T12:00:00+00:00", None),
        ("2026-11-27T18:00:00+00:00", "2026-11-30T09:00:00+00:00"),
        ("2026-11-28T12:00:00+00:00", "2026-11-30T09:00:00+00:00"),
        ("2026-11-29T23:59:00+00:00", "2026-11-30T09:00:00+00:00"),
        ("2026-11-30T09:00:00+00:00", None),
        ("2026-11-30T17:00:00+00:00", "2026-12-01T09:00:00+00:00"),
    ],
)
def test_quiet_evenings_and_weekends_leave_the_working_hours(at, end):
    from notifications.domain.quiet_hours import quiet_hours_end

    hours = {"zone": "UTC", "start": dt.time(17), "end": dt.time(9), "weekends": True}
    assert quiet_hours_end(dt.datetime.fromisoformat(at), **hours) == (end and dt.datetime.fromisoformat(end))


def test_low_urgency_in_working_hours_is_chosen_in_the_browser_and_by_the_api(client, signed_in, a):
    browser = signed_in(a)
    typed = {"quiet_from": "17:00", "quiet_until": "09:00", "quiet_weekends": "on"}
    assert browser.post("/me/notifications/", typed).status_code == 302
    assert "outside quiet hours and weekends." in browser.get("/me/notifications/").content.decode()
    answer = put(client, a, quiet_from="17:00", quiet_until="09:00", quiet_weekends=True)
    assert answer.json()["quiet_weekends"] is True
    assert put(client, a, quiet_from="17:00", quiet_until="09:00").json()["quiet_weekends"] is False


def test_a_contact_method_whose_key_is_lost_is_removed(signed_in, a, admin):
    method = add_contact_method(a, channel="chat", address=SLACK)
    ContactMethod.objects.update(address=Value("lost", TextField()))
    client = signed_in(a)
    page = client.post(f"/me/notifications/contact-methods/{method.pk}/remove/", follow=True)
    assert (page.status_code, ContactMethod.objects.count()) == (200, 0)
    [message] = page.context["messages"]
    with pytest.raises(DomainError, match="can no longer be restored"):
        read_undo(message.extra_tags, by=a).perform(by=a, at=timezone.now())
