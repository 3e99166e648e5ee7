"""The push channel against a push service that checks what it is sent: fan-out, answers, pauses, sizes and limits."""

import datetime as dt
import threading

import pytest
from django.utils import timezone

from incidents.notifications import IncidentAssignment, IncidentEscalation
from notifications.channels.push.channel import _topic, payload
from notifications.channels.push.encryption import MAX_PLAINTEXT_BYTES
from notifications.models import Message, PushDevice, VapidKey
from notifications.services.delivery import deliver_one
from tests.notifications.news import News, Page, enqueue_news

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def released():
    """Return an event that ends the wait of a push service that does not answer."""
    event = threading.Event()
    yield event
    event.set()


def test_one_message_goes_to_every_device_and_is_read_there(device, pushed):
    (phone, phone_row), (laptop, laptop_row) = device(), device(name="Laptop")
    message = pushed()
    assert (message.state, message.problem) == ("sent", "")
    expected = {
        "id": message.pk,
        "title": "The week is yours",
        "text": "From Monday on.",
        "link": "http://127.0.0.1:8000/schedule/",
        "urgent": True,
    }
    for browser in (phone, laptop):
        [received] = browser.payloads
        assert len(received.pop("tag")) == 32
        assert received == expected
    for row in (phone_row, laptop_row):
        row.refresh_from_db()
        assert (row.problem, row.last_delivered_at is not None) == ("", True)


def test_the_headers_are_those_of_the_rfcs(device, pushed, a):
    browser, _ = device()
    expires = timezone.now() + HOUR
    message = pushed(expires=expires)
    [headers] = browser.headers
    assert headers["Urgency"] == "high"
    assert headers["Topic"] == browser.payloads[0]["tag"] == _topic(message)
    assert 3_500 < int(headers["TTL"]) <= 3_600
    assert headers["Content-Type"] == "application/octet-stream"


def test_a_message_that_is_not_urgent_has_normal_urgency(device, a):
    browser, _ = device()
    a.channel_preferences.create(type="news", channels=["push"])
    enqueue_news([a])
    deliver_one()
    assert browser.headers[0]["Urgency"] == "normal"


def test_a_time_to_live_is_limited_to_four_weeks(device, pushed):
    browser, _ = device()
    pushed(expires=timezone.now() + dt.timedelta(days=90))
    assert browser.headers[0]["TTL"] == str(28 * 24 * 3600)


def test_messages_about_one_incident_replace_each_other_and_others_do_not(a, b):
    common = {"kind": "delay", "title": "Late", "pipeline": "Visits", "text": ""}

    def topic(notification, person=a):
        return _topic(
            Message(type=notification.name, context=notification.context, recipient=person, subject="x", text="x")
        )

    escalated = IncidentEscalation(incident_id=1, round=1, runbook="visits", escalates_after_minutes=15, **common)
    again = IncidentEscalation(incident_id=1, round=2, runbook="visits", escalates_after_minutes=15, **common)
    other = IncidentEscalation(incident_id=2, round=1, runbook="visits", escalates_after_minutes=15, **common)
    assert IncidentAssignment.topic(escalated) == "incident:1"
    assert topic(escalated) == topic(again)
    assert len({topic(escalated), topic(other), topic(escalated, b), topic(News("1")), topic(News("2"))}) == 5


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_it_is_sent_if_one_device_accepts_it(device, pushed, status):
    device(500)
    device(410)
    device(status)
    assert pushed().state == "sent"


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_switched_off(device, pushed, status):
    removed, row = device(status)
    other, _ = device(503)
    message = pushed()
    row.refresh_from_db()
    assert message.state == "pending"
    assert row.switched_off_at is not None
    assert row.problem == f"127.0.0.1 returned status {status}. Push was removed on this device."
    assert pushed().state == "sent"
    assert (len(removed.requests), len(other.requests)) == (1, 2)


def test_a_message_fails_if_the_only_device_is_gone(device, pushed):
    device(410)
    message = pushed()
    assert (message.state, message.problem) == (
        "failed",
        "127.0.0.1 returned status 410. Push was removed on this device.",
    )


def test_a_message_that_is_too_large_is_sent_without_its_text(device, pushed):
    browser, _ = device(413)
    assert pushed().state == "sent"
    assert [received["text"] for received in browser.payloads] == ["From Monday on.", ""]
    assert browser.payloads[1]["title"] == "The week is yours"


def test_a_push_service_that_refuses_the_shorter_message_too_is_a_failure(device, pushed):
    browser, row = device(413, 413)
    message = pushed()
    row.refresh_from_db()
    assert (message.state, len(browser.requests)) == ("failed", 2)
    assert (row.problem, row.switched_off_at) == ("127.0.0.1 returned status 413.", None)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_is_shown_on_the_device_and_is_not_repeated(device, pushed, status):
    _, row = device(status)
    assert pushed().state == "failed"
    row.refresh_from_db()
    assert row.problem.startswith(f"127.0.0.1 returned status {status}.")
    assert ("turn push off and on again" in row.problem) == (status != 400)
    assert row.switched_off_at is None


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("is_date", [False, True])
def test_a_push_service_that_asks_for_a_pause_gets_it(device, pushed, status, is_date):
    until = timezone.now() + dt.timedelta(seconds=600)
    browser, row = device((status, {"Retry-After": f"{until:%a, %d %b %Y %H:%M:%S GMT}" if is_date else "600"}))
    message = pushed()
    row.refresh_from_db()
    assert message.state == "pending"
    assert 590 < (message.retry_at - timezone.now()).total_seconds() <= 600
    assert 590 < (row.retry_at - timezone.now()).total_seconds() <= 600
    # Another message, or the same one tried again by hand, waits too.
    message = pushed()
    assert (message.state, message.problem) == ("pending", "The push service asked for a pause.")
    assert 590 < (message.retry_at - timezone.now()).total_seconds() <= 600
    assert len(browser.requests) == 1
    PushDevice.objects.update(retry_at=timezone.now() - HOUR)
    assert pushed().state == "sent"
    row.refresh_from_db()
    assert (row.retry_at, row.problem) == (None, "")


def test_a_pause_of_one_device_does_not_delay_another(device, pushed):
    device((429, {"Retry-After": "600"}))
    device(503)
    message = pushed()
    assert (message.retry_at - timezone.now()).total_seconds() < 20
    assert pushed().state == "sent"


@pytest.mark.parametrize("value", ["", "soon", "-1", "99999999999999999999"])
def test_a_pause_that_makes_no_sense_is_limited(device, pushed, value):
    device((503, {"Retry-After": value}))
    assert (pushed().retry_at - timezone.now()).total_seconds() <= 3600


def test_a_slow_push_service_does_not_keep_the_message_from_the_others(device, pushed, settings, released):
    settings.MESSAGE_SEND_SECONDS = 0.5
    _, slow = device(wait=released.wait)
    quick, _ = device()
    message = pushed()
    slow.refresh_from_db()
    assert (message.state, len(quick.requests)) == ("sent", 1)
    assert (slow.problem, slow.last_delivered_at) == ("No answer within 0.5 s.", None)


def test_a_device_that_never_answers_is_retried_within_the_limit(device, pushed, settings, released):
    settings.MESSAGE_SEND_SECONDS = 0.3
    device(wait=released.wait)
    message = pushed()
    assert (message.state, message.problem) == ("pending", "No answer within 0.3 s.")


def test_a_push_service_that_is_away_is_retried(device, pushed, push_service):
    device()
    push_service.close()
    message = pushed()
    assert (message.state, message.problem) == ("pending", "127.0.0.1: The server could not be reached.")


def test_no_endpoint_leads_into_the_internal_network(device, pushed, monkeypatch):
    monkeypatch.undo()
    browser, row = device()
    row.endpoint = "https://127.0.0.1/device"
    row.save()
    assert pushed().problem == "127.0.0.1: The URL does not lead to a public address."
    assert browser.requests == []


def test_a_redirect_is_not_followed(device, pushed):
    browser, _ = device((307, {"Location": "http://127.0.0.1:1/"}))
    assert (pushed().state, len(browser.requests)) == ("failed", 1)


def test_somebody_without_devices_is_a_visible_failure(device, pushed):
    _, row = device(503)
    pushed()
    row.delete()
    message = pushed()
    assert (message.state, message.problem) == ("failed", "Engineer A no longer has a device with push.")


def test_a_key_of_the_site_that_cannot_be_used_is_a_visible_failure(device, pushed):
    device()
    VapidKey.objects.update(private_key="AAAA")
    assert pushed().problem.startswith("The site’s key for push cannot be used.")


def test_a_device_whose_keys_cannot_be_read_is_a_visible_failure(device, pushed, settings):
    device()
    settings.FIELD_KEYS = ["another key"]
    message = pushed()
    problem = "It cannot be used. The secret was encrypted with a key that is no longer known."
    assert (message.state, message.problem) == ("failed", problem)
    assert list(PushDevice.objects.values_list("problem", flat=True)) == [problem]


@pytest.mark.parametrize("text", ["x" * 100_000, "é" * 10_000, "🙂" * 5_000, "\n" * 9_000 + "end", '"' * 5_000])
def test_a_long_text_is_cut_to_what_fits(a, text):
    message = Message(type="news", recipient=a, subject="é" * 200, text=text, urgent=True)
    data = payload(message, topic="x" * 32)
    assert MAX_PLAINTEXT_BYTES - 200 < len(data) <= MAX_PLAINTEXT_BYTES or text.startswith("\n")
    assert "…" in data.decode() or text.startswith("\n")


def test_urgent_messages_go_by_push_and_e_mail_at_once_by_default(device, a):
    device()
    enqueue_news([a], cls=Page)
    assert sorted(Message.objects.values_list("channel", "delay_minutes")) == [("email", 0), ("push", 0)]


def test_a_device_that_is_switched_off_does_not_count(device, a):
    _, row = device()
    row.switched_off_at = timezone.now()
    row.save()
    enqueue_news([a], cls=Page)
    assert list(Message.objects.values_list("channel", flat=True)) == ["email"]


def test_the_devices_of_another_person_get_nothing(device, pushed, b):
    mine, _ = device()
    other, _ = device(person=b)
    pushed()
    assert (len(mine.requests), len(other.requests)) == (1, 0)


def test_all_devices_are_sent_to_at_the_same_time(device, pushed):
    # Each push service waits for the others: one after another, none would answer.
    barrier = threading.Barrier(8)
    browsers = [device(wait=lambda: barrier.wait(10))[0] for _ in range(8)]
    assert pushed().state == "sent"
    assert [len(browser.requests) for browser in browsers] == [1] * 8
    assert not PushDevice.objects.exclude(problem="").exists()
