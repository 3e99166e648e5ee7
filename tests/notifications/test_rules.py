"""Notification rules: steps by urgency, in the browser, the API and words; each step is a message of its own."""

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from notifications.domain.rules import Step, high_urgency_steps, low_urgency_steps
from notifications.models import Message, NotificationRule, QuietHours
from notifications.queries.contact_methods import contact_code
from notifications.queries.preferences import rule_sets_for
from notifications.services.contact_methods import remove_contact_method
from notifications.services.delivery import deliver_one
from notifications.services.outbox import enqueue
from notifications.services.preferences import update_rules
from tests.each import each
from tests.factories import add_contact_method, bearer
from tests.notifications.news import HOUR, News, Page, enqueue_news, with_mail

RULES = "/api/v1/me/notification-rules/"
METHODS = "/api/v1/me/contact-methods/"
TOPIC = "https://ntfy.sh/a-topic-of-mine"
EMAIL, NTFY = Step(0, "email"), Step(2, "ntfy")


@pytest.fixture
def reachable(a):
    """A can be reached by e-mail and ntfy."""
    add_contact_method(a, channel="ntfy", address=TOPIC)
    return with_mail(a)


def put(client, person, **data):
    return client.put(RULES, data, content_type="application/json", **bearer(person))


def due(notification, person, at):
    enqueue([person], notification, due_at=at, expires_at=at + HOUR)
    rows = Message.objects.filter(type=notification.name, dedup_key=notification.dedup_key).order_by(
        "due_at", "channel"
    )
    return [(row.channel, (row.due_at - at) // dt.timedelta(minutes=1)) for row in rows]


@each(
    ("rules", "reachable", "steps"),
    [
        ([], {"email"}, [EMAIL]),
        ([], {"email", "ntfy"}, [EMAIL, Step(0, "ntfy")]),
        ([EMAIL, NTFY], {"email", "ntfy"}, [EMAIL, NTFY]),
        ([EMAIL, NTFY], {"email"}, [EMAIL]),
        ([NTFY], {"email", "ntfy"}, [EMAIL, NTFY]),
        ([Step(10, "email"), EMAIL], {"email"}, [EMAIL, Step(10, "email")]),
    ],
)
def test_high_urgency_steps_always_include_email(rules, reachable, steps):
    assert high_urgency_steps(rules, reachable=reachable) == steps


@each(
    ("rules", "channels", "steps"),
    [
        ([], None, [EMAIL]),
        ([NTFY], None, [NTFY]),
        ([], ["ntfy"], [Step(0, "ntfy")]),
        ([NTFY], ["email", "ntfy"], [EMAIL, NTFY]),
        ([EMAIL, NTFY], ["email"], [EMAIL]),
        ([EMAIL], [], []),
        ([], ["slack"], [EMAIL]),
    ],
)
def test_low_urgency_steps_use_the_channels_of_the_type(rules, channels, steps):
    assert low_urgency_steps(rules, channels=channels, reachable={"email", "ntfy"}) == steps


def test_each_step_is_a_message_that_is_due_after_its_delay(reachable, b):
    update_rules(reachable, rules={"high": [EMAIL, NTFY, Step(10, "email")], "low": [Step(5, "email")]})
    at = timezone.now()
    assert due(Page("1"), reachable, at) == [("email", 0), ("ntfy", 2), ("email", 10)]
    assert due(News("1"), reachable, at) == [("email", 5)]
    assert due(Page("1"), reachable, at) == [("email", 0), ("ntfy", 2), ("email", 10)], "once"
    assert due(Page("2"), b, at) == [("email", 0)]


def test_no_step_follows_an_acknowledgement(reachable):
    update_rules(reachable, rules={"high": [EMAIL, Step(2, "email"), Step(10, "email")]})
    enqueue_news([reachable], cls=Page)
    assert deliver_one()
    assert deliver_one() is None
    Message.objects.update(context={"occurrence": "obsolete", "text": ""}, due_at=timezone.now())
    while deliver_one():
        pass
    assert len(mail.outbox) == 1
    assert list(Message.objects.order_by("delay_minutes").values_list("state", flat=True)) == [
        "sent",
        "dropped",
        "dropped",
    ]


def test_the_steps_of_one_occurrence_are_different_mails(reachable):
    update_rules(reachable, rules={"high": [EMAIL, Step(2, "email")]})
    enqueue_news([reachable], cls=Page)
    Message.objects.update(due_at=timezone.now())
    while deliver_one():
        pass
    assert len({sent.extra_headers["Message-ID"] for sent in mail.outbox}) == 2


def test_low_urgency_waits_for_quiet_hours_to_end(reachable):
    QuietHours.objects.create(person=reachable, starts_at=dt.time(22), ends_at=dt.time(7))
    update_rules(reachable, rules={"low": [Step(30, "email")]})
    at = dt.datetime(2026, 12, 1, 21, 45, tzinfo=dt.UTC)
    assert due(News("1"), reachable, at) == [("email", 9 * 60 + 15)]


def test_rules_are_changed_through_the_api_and_read_in_words(client, reachable):
    before = client.get(RULES, **bearer(reachable)).json()
    assert before["high"] == [{"channel": "email", "after_minutes": 0}, {"channel": "ntfy", "after_minutes": 0}]
    assert before["low_in_words"] == "E-mail immediately, outside quiet hours."
    steps = [{"channel": "email", "after_minutes": 0}, {"channel": "ntfy", "after_minutes": 2}]
    answer = put(client, reachable, high=steps)
    assert answer.status_code == 200
    assert answer.json()["high"] == steps
    text = "E-mail immediately, then ntfy after 2 min, until it is acknowledged or resolved."
    assert answer.json()["high_in_words"] == text
    assert put(client, reachable, high=[]).json() == before


@each(
    ("data", "field"),
    [
        ({"high": [{"channel": "ntfy", "after_minutes": 0}]}, "high"),
        ({"high": [{"channel": "slack", "after_minutes": 0}, {"channel": "email", "after_minutes": 0}]}, "high"),
        ({"low": [{"channel": "email", "after_minutes": 721}]}, "low"),
        ({"low": [{"channel": "email", "after_minutes": -1}]}, "low"),
        ({"low": [{"channel": "email", "after_minutes": 1}] * 2}, "low"),
        ({"low": [{"channel": "email", "after_minutes": number} for number in range(6)]}, "low"),
        ({"low": [{"channel": "pigeon", "after_minutes": 0}]}, "low"),
        ({"low": "x"}, "low"),
    ],
)
def test_wrong_rules_name_the_urgency_and_change_nothing(client, reachable, data, field):
    good = [{"channel": "email", "after_minutes": 3}]
    answer = put(client, reachable, **{"high": good, "low": good, **data})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not NotificationRule.objects.exists()


def test_rules_are_changed_in_the_browser(signed_in, reachable):
    browser = signed_in(reachable)
    assert "E-mail immediately, then ntfy immediately" in browser.get("/me/notifications/").content.decode()
    data = {"high-channel_0": "email", "high-channel_1": "ntfy", "high-minutes_1": "2", "low-channel_0": "ntfy"}
    assert browser.post("/me/notifications/rules/", data).status_code == 302
    page = browser.get("/me/notifications/").content.decode()
    assert "E-mail immediately, then ntfy after 2 min, until it is acknowledged or resolved." in page
    assert "ntfy immediately, outside quiet hours." in page
    wrong = browser.post("/me/notifications/rules/", {"high-channel_0": "ntfy", "low-channel_0": "email"})
    assert wrong.status_code == 400
    assert "High-urgency rules need a step by e-mail." in wrong.content.decode()
    assert rule_sets_for(reachable)[1].steps == [Step(0, "ntfy")]
    assert browser.post("/me/notifications/rules/", {"high-minutes_0": "x"}).status_code == 400


def test_contact_methods_are_managed_in_the_browser(signed_in, a):
    browser = signed_in(a)
    wrong = browser.post("/me/notifications/contact-methods/", {"channel": "ntfy", "typed": "https://ntfy.sh/"})
    assert wrong.status_code == 400
    assert "Enter the URL of one topic" in wrong.content.decode()
    assert browser.post("/me/notifications/contact-methods/", {"channel": "chat", "typed": TOPIC}).status_code == 400
    added = browser.post("/me/notifications/contact-methods/", {"channel": "ntfy", "typed": TOPIC}, follow=True)
    assert "ntfy added. Enter the code that we sent to it." in added.content.decode()
    assert "a-topic-of-mine" not in added.content.decode()
    row = a.contact_methods.get()
    path = f"/me/notifications/contact-methods/{row.pk}/"
    assert "This code is wrong." in browser.post(f"{path}verify/", {"code": "x"}, follow=True).content.decode()
    assert "Wait a minute" in browser.post(f"{path}code/", follow=True).content.decode()
    assert "Verify this contact method first." in browser.post(f"{path}test/", follow=True).content.decode()
    verified = browser.post(f"{path}verify/", {"code": contact_code(row)}, follow=True)
    assert "Contact method verified." in verified.content.decode()
    assert "Test message queued." in browser.post(f"{path}test/", follow=True).content.decode()
    assert browser.post(f"{path}remove/", follow=True).status_code == 200
    assert browser.post(f"{path}remove/").status_code == 404
    assert not a.contact_methods.exists()


def test_contact_methods_are_managed_through_the_api(client, a, b):
    data = {"channel": "ntfy", "address": TOPIC}
    added = client.post(METHODS, data, content_type="application/json", **bearer(a))
    assert added.status_code == 201
    row = added.json()
    assert (row["shown_as"], row["verified_at"]) == ("ntfy.sh", None)
    assert "address" not in row
    assert client.get(METHODS, **bearer(a)).json()["results"] == [row]
    assert client.get(METHODS, **bearer(b)).json()["count"] == 0
    path = f"{METHODS}{row['id']}/"
    assert client.delete(path, **bearer(b)).status_code == 404
    wrong = client.post(METHODS, {**data, "address": "x\0"}, content_type="application/json", **bearer(a))
    assert (wrong.status_code, list(wrong.json())) == (400, ["address"])
    chat = client.post(METHODS, {**data, "channel": "chat"}, content_type="application/json", **bearer(a))
    assert chat.status_code == 403
    wrong = client.post(f"{path}verify/", {"code": "x"}, content_type="application/json", **bearer(a))
    assert (wrong.status_code, list(wrong.json())) == (400, ["code"])
    assert client.post(f"{path}test/", **bearer(a)).status_code == 409
    assert client.post(f"{path}send-code/", **bearer(a)).status_code == 409
    code = contact_code(a.contact_methods.get())
    verified = client.post(f"{path}verify/", {"code": code}, content_type="application/json", **bearer(a))
    assert verified.json()["verified_at"] is not None
    assert client.post(f"{path}test/", **bearer(a)).json()["channel"] == "ntfy"
    assert client.delete(path, **bearer(a)).status_code == 204


def test_removing_a_contact_method_removes_its_rules(reachable):
    update_rules(reachable, rules={"high": [EMAIL, NTFY]})
    remove_contact_method(reachable.contact_methods.get(), by=reachable)
    assert rule_sets_for(reachable)[0].steps == [EMAIL]


# Send test


def test_a_test_message_is_sent_by_one_channel_at_most_once_a_minute(client, signed_in, reachable, b):
    browser = signed_in(reachable)
    assert "Test message queued." in browser.post("/me/notifications/email/test/", follow=True).content.decode()
    deliver_one()
    assert mail.outbox[0].subject == "Test message from the on-call site"
    assert "Wait a minute" in browser.post("/me/notifications/email/test/", follow=True).content.decode()
    path = "/api/v1/me/test-message/"
    answer = client.post(path, {"channel": "ntfy"}, content_type="application/json", **bearer(reachable))
    assert (answer.status_code, answer.json()["channel"], answer.json()["state"]) == (201, "ntfy", "pending")
    assert (
        client.post(path, {"channel": "ntfy"}, content_type="application/json", **bearer(reachable)).status_code == 409
    )
    for channel in ("ntfy", "email", "pigeon"):
        answer = client.post(path, {"channel": channel}, content_type="application/json", **bearer(b))
        assert (answer.status_code, list(answer.json())) == (400, ["channel"])
    assert "no address" in signed_in(b).post("/me/notifications/email/test/", follow=True).content.decode()
