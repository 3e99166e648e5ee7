"""Contact methods: several per channel, each verified by a code, with its health, and turned off when it is gone."""

import datetime as dt

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError
from notifications.domain.rules import Step
from notifications.models import ContactMethod, Message, NotificationPolicy, PhoneAccount
from notifications.queries.contact_methods import contact_code
from notifications.queries.preferences import lacks_needed_channel, reachable_channels, routes_by_user, rule_sets_for
from notifications.services import contact_methods as services
from notifications.services.contact_methods import (
    report_methods_off,
    send_code,
    set_contact_method,
    verify_contact_method,
)
from notifications.services.delivery import deliver_one
from notifications.services.preferences import update_rules
from tests.each import each
from tests.factories import add_contact_method, bearer
from tests.notifications.news import Page, enqueue_news, with_mail

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def method(a):
    return set_contact_method(with_mail(a), channel="webhook", address="https://hooks.example.org/a", by=a)


def later(**fields):
    """Move the code's time into the past."""
    ContactMethod.objects.update(code_sent_at=timezone.now() - dt.timedelta(**fields))
    return ContactMethod.objects.get()


def test_nothing_but_the_code_is_sent_before_it_is_typed_back(method, a):
    [code] = Message.objects.all()
    assert (code.type, code.channel, code.contact_method) == ("contact-code", "webhook", method.pk)
    assert contact_code(method) not in code.text
    assert reachable_channels([a])[a.pk] == {"email"}
    enqueue_news([a], cls=Page)
    assert list(Message.objects.filter(type=Page.name).values_list("channel", flat=True)) == ["email"]
    row = verify_contact_method(method, code=f" {contact_code(method)[:3]} {contact_code(method)[3:]}")
    assert row.is_live
    assert reachable_channels([a])[a.pk] == {"email", "webhook"}


def test_the_oldest_contact_method_of_a_channel_comes_first(a, b):
    keys = [
        add_contact_method(person, channel="webhook", address=f"https://hooks.example.org/{number}").pk
        for number, person in enumerate([a, b, a])
    ]
    assert routes_by_user([a])[a.pk].methods == {"webhook": [keys[0], keys[2]]}


def test_a_code_works_once_for_fifteen_minutes_and_five_attempts(method):
    code = contact_code(method)
    for _ in range(5):
        with pytest.raises(InvalidInputError, match="This code is wrong"):
            verify_contact_method(method, code="000000" if code != "000000" else "1")
    with pytest.raises(InvalidInputError, match="Too many wrong codes"):
        verify_contact_method(method, code=code)
    send_code(later(minutes=2))
    row = later(minutes=16)
    with pytest.raises(InvalidInputError, match="has expired"):
        verify_contact_method(row, code=contact_code(row))
    send_code(row)
    row = ContactMethod.objects.get()
    assert contact_code(row) != code
    verify_contact_method(row, code=contact_code(row))
    with pytest.raises(InvalidInputError):
        verify_contact_method(row, code=contact_code(row))


def test_any_number_of_attempts_is_refused_in_words(method, a, client):
    ContactMethod.objects.update(code_attempts=32_767)
    answer = client.post(
        f"/api/v1/me/contact-methods/{method.pk}/verify/",
        {"code": contact_code(method)},
        content_type="application/json",
        **bearer(a),
    )
    assert (answer.status_code, answer.json()) == (400, {"code": ["Too many wrong codes. Send a new one."]})


def test_codes_are_limited(method, monkeypatch):
    with pytest.raises(DomainError, match="Wait a minute"):
        send_code(method)
    monkeypatch.setattr(services, "MAX_CODES_PER_DAY", 1)
    with pytest.raises(DomainError, match="codes a day"):
        send_code(later(minutes=2))


def test_the_same_address_is_one_contact_method_and_others_are_more(method, a, monkeypatch):
    assert set_contact_method(a, channel="webhook", address=" https://hooks.example.org/a ", by=a) == method
    add_contact_method(a, channel="webhook", address="https://hooks.example.org/b")
    add_contact_method(a, channel="webhook", address="https://hooks.example.org/c")
    enqueue_news([a], cls=Page)
    sent_to = Message.objects.filter(type=Page.name, channel="webhook").values_list("contact_method", flat=True)
    assert set(sent_to) == set(ContactMethod.objects.live().values_list("pk", flat=True))
    monkeypatch.setattr(services, "MAX_CONTACT_METHODS", 3)
    with pytest.raises(DomainError, match="Remove one first"):
        set_contact_method(a, channel="webhook", address="https://hooks.example.org/d", by=a)
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactMethod.objects.create(person=a, channel="webhook", address_digest=method.address_digest, address="x")


def test_a_method_that_is_gone_is_switched_off_and_reported_once_by_mail(peer, delivered, a):
    with_mail(a)
    peer.status = 410
    message = delivered("webhook", peer.url + "/hook")
    assert message.state == "failed"
    row = ContactMethod.objects.get()
    assert (row.is_live, row.problem) == (False, "127.0.0.1 returned status 410.")
    assert [report_methods_off(), report_methods_off()] == [1, 0]
    mail.outbox.clear()
    deliver_one()
    [sent] = mail.outbox
    assert sent.subject == "Webhook to peer was turned off"
    assert "returned status 410" in sent.body


def test_health_is_the_last_answer(peer, delivered):
    peer.status = 503
    delivered("webhook", peer.url + "/hook")
    row = ContactMethod.objects.get()
    assert (row.is_live, row.problem, row.last_delivered_at) == (True, "127.0.0.1 returned status 503.", None)
    peer.status = 200
    delivered("webhook", peer.url + "/hook")
    row.refresh_from_db()
    assert (row.problem, row.last_delivered_at is None) == ("", False)


def test_a_method_that_was_switched_off_is_verified_again(method, a):
    ContactMethod.objects.update(verified_at=timezone.now(), switched_off_at=timezone.now(), code_sent_at=None)
    row = set_contact_method(a, channel="webhook", address="https://hooks.example.org/a", by=a)
    assert (row.switched_off_at, row.verified_at) == (None, None)
    assert verify_contact_method(row, code=contact_code(row)).is_live


@pytest.fixture
def phone(settings):
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "0" * 32, "secret"
    settings.TWILIO_FROM_NUMBER = "+15005550006"


def test_phones_are_offered_only_with_an_account(a, admin):
    with pytest.raises(InvalidInputError, match="Choose one of"):
        set_contact_method(a, channel="sms", address="+4915123456789", by=a)
    PhoneAccount.objects.create(pk=1, account_sid="AC" + "0" * 32, auth_token="secret", from_number="+15005550006")
    assert set_contact_method(a, channel="sms", address="+4915123456789", by=a).shown_as == "+49 … 789"


@each("address", ["", "12", "+0123456789", "+49abc", "0151 2345678", "+" + "1" * 16])
def test_a_number_needs_its_country_code(phone, a, address):
    with pytest.raises(InvalidInputError, match="country code"):
        set_contact_method(a, channel="sms", address=address, by=a)


def test_numbers_are_the_same_however_they_are_written(phone, a):
    first = set_contact_method(a, channel="sms", address="+49 (151) 234-567-89", by=a)
    assert set_contact_method(a, channel="sms", address="004915123456789", by=a) == first


def test_by_default_an_sms_comes_after_two_minutes_and_a_call_after_five(phone, a):
    for channel in ("sms", "voice"):
        add_contact_method(a, channel=channel, address="+4915123456789")
    high = rule_sets_for(a)[0]
    assert high.steps == [Step(0, "email"), Step(2, "sms"), Step(5, "voice")]
    assert (
        high.text
        == "E-mail immediately, then SMS after 2 min, then call after 5 min, until it is acknowledged or resolved."
    )


def test_admins_set_what_high_urgency_rules_must_include(phone, a, signed_in):
    NotificationPolicy.objects.create(pk=1, high_needs_one_of=["push", "sms", "voice"])
    assert lacks_needed_channel(a)
    assert (
        "one of these channels in high-urgency rules: push, SMS, call"
        in signed_in(a).get("/me/notifications/").content.decode()
    )
    with pytest.raises(InvalidInputError, match="in high-urgency rules: push, SMS, call"):
        update_rules(a, rules={"high": [Step(0, "email")]})
    add_contact_method(a, channel="sms", address="+4915123456789")
    assert not lacks_needed_channel(a)
    update_rules(a, rules={"high": [Step(0, "email"), Step(1, "sms")]})


def test_admins_set_the_policy_and_the_account_in_the_admin(signed_in, admin):
    browser = signed_in(admin)
    browser.post("/admin/notifications/notificationpolicy/add/", {"high_needs_one_of": "sms,voice"})
    assert NotificationPolicy.objects.get().high_needs_one_of == ["sms", "voice"]
    data = {"account_sid": "AC" + "a" * 32, "from_number": "+15005550006", "typed_token": "a-secret-token"}
    wrong = browser.post("/admin/notifications/phoneaccount/add/", {**data, "typed_token": "", "account_sid": "x"})
    assert (wrong.status_code, PhoneAccount.objects.count()) == (200, 0)
    assert browser.post("/admin/notifications/phoneaccount/add/", data).status_code == 302
    path = "/admin/notifications/phoneaccount/1/change/"
    assert "a-secret-token" not in browser.get(path).content.decode()
    assert browser.post(path, {**data, "typed_token": "", "from_number": "+15005550007"}).status_code == 302
    row = PhoneAccount.objects.get()
    assert (row.auth_token, row.from_number) == ("a-secret-token", "+15005550007")
