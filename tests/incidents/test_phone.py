"""SMS and calls: sent through Twilio's API, answered by a reply or a key, with its signatures and reports."""

import base64
import datetime as dt
import re
import time
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings as site_settings
from django.utils import timezone
from twilio.request_validator import RequestValidator

from incidents.services.replies import answer_reply
from incidents.services.transitions import acknowledge
from notifications.channels.deadline import within
from notifications.channels.phone.twilio import STOP_TEXT, signature
from notifications.domain.rules import Step
from notifications.models import ContactMethod, Message
from notifications.queries.contact_methods import contact_code
from notifications.services.contact_methods import remove_contact_method, report_methods_off, set_contact_method
from notifications.services.delivery import deliver_one
from notifications.services.preferences import update_rules
from tests.each import each
from tests.factories import add_contact_method
from tests.incidents.test_incidents import make_incident
from tests.notifications.channels.phone import NUMBER, SID, TOKEN, FakeTwilio, connect

PHONE = "+4915123456789"


@pytest.fixture
def twilio(settings, monkeypatch):
    fake = FakeTwilio()
    connect(fake, settings, monkeypatch)
    yield fake
    fake.stop()


@pytest.fixture
def responder(twilio, pipeline, chain, now):
    """The first engineer of the chain, with a phone for SMS and calls; e-mail comes later."""
    person = chain(timezone.now())[0]
    for channel in ("sms", "voice"):
        add_contact_method(person, channel=channel, address=PHONE)
    update_rules(person, rules={"high": [Step(0, "sms"), Step(0, "voice"), Step(60, "email")]})
    return person


@pytest.fixture
def incident(pipeline, responder):
    return make_incident(pipeline, at=timezone.now(), title="Logs are late & wrong")


def deliver_all():
    while deliver_one():
        pass


def signed_post(client, url, fields, *, token=TOKEN):
    """Post as Twilio does: signed by its own library."""
    header = RequestValidator(token).compute_signature(url, fields)
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return client.post(path, fields, headers={"X-Twilio-Signature": header})


def hook(name):
    return f"{site_settings.SITE_URL}/hooks/phone/{name}/"


def test_an_sms_and_a_call_are_sent_with_their_actions(twilio, incident):
    deliver_all()
    requests = {
        path.rpartition("/")[2]: (path, authorization, fields) for path, authorization, fields in twilio.requests
    }
    path, authorization, sms = requests["Messages.json"]
    assert path == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{SID}:{TOKEN}"
    assert (sms["From"], sms["To"]) == (NUMBER, PHONE)
    lines = sms["Body"].splitlines()
    assert "Logs are late & wrong" in lines[0]
    assert lines[1:] == [
        f"{site_settings.SITE_URL}/incidents/{incident.pk}/",
        "Reply A to acknowledge or R to resolve.",
    ]
    script = ET.fromstring(requests["Calls.json"][2]["Twiml"])  # noqa: S314  # our own text
    gather = script.find("Gather")
    assert gather.get("action").startswith(hook("call"))
    assert "Logs are late & wrong" in gather.find("Say").text
    assert set(Message.objects.filter(state="sent").values_list("provider_id", flat=True)) == {"SM1", "SM2"}


@pytest.mark.parametrize(("text", "state"), [("a", "acknowledged"), (" Ack. ", "acknowledged"), ("R", "resolved")])
def test_a_reply_acts_on_the_newest_incident(client, incident, responder, text, state):
    deliver_all()
    answer = signed_post(client, hook("sms"), {"From": PHONE, "Body": text})
    assert answer.status_code == 200
    assert f"{state.capitalize()}: Logs are late &amp; wrong" in answer.content.decode()
    incident.refresh_from_db()
    assert (incident.state, incident.timeline.last().by) == (state, responder)


def test_a_reply_may_name_an_incident_and_says_why_nothing_happened(client, incident, responder, a, pipeline):
    other = make_incident(pipeline, at=timezone.now(), title="Other")
    deliver_all()
    assert (
        "Acknowledged: Other"
        in signed_post(client, hook("sms"), {"From": PHONE, "Body": f"a{other.pk}"}).content.decode()
    )
    again = signed_post(client, hook("sms"), {"From": PHONE, "Body": f"a {other.pk}"}).content.decode()
    assert "already acknowledged this incident" in again
    assert (
        "Incident not found" in signed_post(client, hook("sms"), {"From": PHONE, "Body": "r 999999"}).content.decode()
    )
    assert (
        "Reply A to acknowledge" in signed_post(client, hook("sms"), {"From": PHONE, "Body": "hello"}).content.decode()
    )


def test_a_long_reply_is_read_at_once(a):
    started = time.perf_counter()
    assert answer_reply(a, text=f"a{' ' * 1600}x", at=timezone.now()).startswith("Reply A")
    assert time.perf_counter() - started < 0.2


def test_a_reply_from_an_unknown_number_changes_nothing(client, incident):
    deliver_all()
    answer = signed_post(client, hook("sms"), {"From": "+15005550001", "Body": "r"})
    assert answer.content.decode() == "<Response></Response>"
    incident.refresh_from_db()
    assert incident.state == "open"


@pytest.mark.parametrize(("key", "state"), [("1", "acknowledged"), ("2", "resolved"), ("9", "open")])
def test_a_key_in_a_call_acts_on_its_incident(client, twilio, incident, responder, key, state):
    deliver_all()
    [twiml] = [fields["Twiml"] for path, _, fields in twilio.requests if "Calls" in path]
    url = ET.fromstring(twiml).find("Gather").get("action")  # noqa: S314  # our own text
    assert signed_post(client, url, {"Digits": key, "From": NUMBER}).status_code == 200
    incident.refresh_from_db()
    assert incident.state == state


def reply(client, text, *, number=PHONE):
    return signed_post(client, hook("sms"), {"From": number, "Body": text}).content.decode()


def test_a_reply_names_the_other_open_incidents(client, incident, responder, pipeline):
    deliver_all()
    other = make_incident(pipeline, at=timezone.now(), title="Other")
    deliver_all()
    answer = reply(client, "a")
    assert "Acknowledged: Other" in answer
    assert f"Still open: Logs are late &amp; wrong (A {incident.pk})" in answer
    assert "Still open" not in reply(client, f"a {incident.pk}")
    other.refresh_from_db()
    assert other.state == "acknowledged"


def test_1_pressed_twice_says_why_nothing_happened(client, twilio, incident, responder):
    deliver_all()
    [twiml] = [fields["Twiml"] for path, _, fields in twilio.requests if "Calls" in path]
    url = ET.fromstring(twiml).find("Gather").get("action")  # noqa: S314  # our own text
    assert "Acknowledged: " in signed_post(client, url, {"Digits": "1"}).content.decode()
    assert "already acknowledged this incident" in signed_post(client, url, {"Digits": "1"}).content.decode()
    assert incident.timeline.filter(kind="acknowledged").count() == 1


@each("word", ["STOP", " stop ", "Unsubscribe", "QUIT"])
def test_stop_turns_sms_off_and_start_on_again(client, incident, responder, word):
    deliver_all()
    assert reply(client, word) == "<Response></Response>"
    method = ContactMethod.objects.get(channel="sms")
    assert (method.is_live, method.problem) == (False, "Turned off by the reply STOP. Reply START to turn it on again.")
    assert report_methods_off() == 1
    assert ContactMethod.objects.get(channel="voice").is_live
    assert reply(client, "a") == "<Response></Response>"
    assert reply(client, "start") == "<Response></Response>"
    method.refresh_from_db()
    assert (method.is_live, method.problem) == (True, "")
    incident.refresh_from_db()
    assert incident.state == "open"


def test_start_does_not_turn_on_what_the_provider_turned_off(client, incident):
    deliver_all()
    ContactMethod.objects.filter(channel="sms").update(switched_off_at=timezone.now(), problem="Unknown number")
    reply(client, "START")
    assert not ContactMethod.objects.get(channel="sms").is_live


def test_start_turns_on_what_stopped_while_the_site_was_down(client, twilio, incident):
    twilio.answers = [(400, {"code": 21610, "message": "Unsubscribed"})]
    Message.objects.exclude(channel="sms").delete()
    deliver_one()
    assert not ContactMethod.objects.get(channel="sms").is_live
    reply(client, "START")
    assert ContactMethod.objects.get(channel="sms").is_live


def test_a_number_that_changed_in_between_can_no_longer_answer(client, twilio, incident, responder):
    deliver_all()
    [twiml] = [fields["Twiml"] for path, _, fields in twilio.requests if "Calls" in path]
    url = ET.fromstring(twiml).find("Gather").get("action")  # noqa: S314  # our own text
    for method in ContactMethod.objects.all():
        remove_contact_method(method, by=responder)
    add_contact_method(responder, channel="sms", address="+4915187654321")
    assert "has expired" in signed_post(client, url, {"Digits": "1"}).content.decode()
    assert reply(client, "a") == "<Response></Response>"
    incident.refresh_from_db()
    assert incident.state == "open"
    assert "Acknowledged" in reply(client, "a", number="+4915187654321")


def test_requests_that_twilio_did_not_sign_are_refused(client, incident):
    deliver_all()
    fields = {"From": PHONE, "Body": "r"}
    assert signed_post(client, hook("sms"), fields, token="another").status_code == 403
    assert client.post("/hooks/phone/sms/", fields).status_code == 403
    signed = RequestValidator(TOKEN).compute_signature(hook("sms"), {**fields, "Body": "a"})
    changed = client.post("/hooks/phone/sms/", fields, headers={"X-Twilio-Signature": signed})
    assert changed.status_code == 403
    old = signed_post(client, f"{hook('call')}?message=wrong", {"Digits": "2"})
    assert "has expired" in old.content.decode()
    incident.refresh_from_db()
    assert incident.state == "open"


def test_a_large_body_is_refused_before_it_is_parsed(client, incident):
    deliver_all()
    fields = {"From": PHONE, "Body": "r", "Padding": "x" * 70_000}
    assert signed_post(client, hook("sms"), fields).status_code == 403
    incident.refresh_from_db()
    assert incident.state == "open"


def test_our_signature_is_twilios():
    url, fields = "https://oncall.example.org/hooks/phone/call/?message=a:b", {"B": "2", "A": "ü", "a": ""}
    assert RequestValidator(TOKEN).validate(url, fields, signature(TOKEN, url=url, fields=fields))


def report(client, twilio, **fields):
    [url] = [row["StatusCallback"] for path, _, row in twilio.requests if "Messages" in path]
    return signed_post(client, url, fields)


def sms_message():
    return Message.objects.get(channel="sms", type="incident-escalated")


def test_reports_are_the_health_of_the_number(client, twilio, incident):
    deliver_all()
    assert report(client, twilio, MessageStatus="delivered").status_code == 204
    method = ContactMethod.objects.get(channel="sms")
    assert (method.problem, method.last_delivered_at is None) == ("", False)
    report(client, twilio, MessageStatus="undelivered", ErrorCode="30003")
    method.refresh_from_db()
    assert (method.is_live, method.problem) == (True, "Twilio reported: undelivered, error 30003")
    assert (sms_message().state, sms_message().problem) == ("failed", "Twilio reported: undelivered, error 30003")
    assert report(client, twilio, MessageStatus="failed", ErrorCode="\0").status_code == 204
    method.refresh_from_db()
    assert (method.is_live, method.problem) == (True, "Twilio reported: failed")
    report(client, twilio, MessageStatus="failed", ErrorCode="30005")
    method.refresh_from_db()
    assert not method.is_live


@pytest.mark.parametrize(
    "fields",
    [
        {"MessageStatus": "delivered"},
        {"MessageStatus": "undelivered", "ErrorCode": "30003"},
        {"MessageStatus": "failed", "ErrorCode": "21610"},
    ],
)
def test_start_works_after_a_late_report_of_an_earlier_sms(client, twilio, incident, fields):
    deliver_all()
    reply(client, "STOP")
    report(client, twilio, **fields)
    method = ContactMethod.objects.get(channel="sms")
    assert (method.is_live, method.problem) == (False, STOP_TEXT)
    reply(client, "START")
    method.refresh_from_db()
    assert (method.is_live, method.problem) == (True, "")


@pytest.mark.parametrize("answer", [(201, {}), (500, {})])
def test_start_works_if_stop_arrived_while_an_sms_was_sent(client, twilio, incident, monkeypatch, answer):
    twilio.answers = [answer]
    Message.objects.exclude(channel="sms").delete()

    def send_late(seconds, sending):
        reply(client, "STOP")
        within(seconds, sending)

    monkeypatch.setattr("notifications.channels.sending.within", send_late)
    deliver_one()
    assert ContactMethod.objects.get(channel="sms").problem == STOP_TEXT
    reply(client, "START")
    assert ContactMethod.objects.get(channel="sms").is_live


@each(
    ("answer", "state", "live"),
    [
        ((400, {"code": 21211, "message": "Invalid 'To' number"}), "failed", False),
        ((400, {"code": 21610, "message": "Unsubscribed"}), "failed", False),
        ((400, {"code": 21602, "message": "No body"}), "failed", True),
        ((401, {"code": 20003, "message": "Authenticate"}), "pending", True),
        ((429, {"code": 20429, "message": "Too many", "headers": {"Retry-After": "120"}}), "pending", True),
        ((500, {}), "pending", True),
        ((503, {"message": "Unavailable"}), "pending", True),
    ],
)
def test_what_twilio_refuses(twilio, incident, answer, state, live):
    twilio.answers = [answer]
    Message.objects.exclude(channel="sms").delete()
    deliver_one()
    message = sms_message()
    assert (message.state, str(answer[0]) in message.problem) == (state, True)
    assert ContactMethod.objects.get(channel="sms").is_live is live
    if answer[0] == 429:
        assert message.retry_at - timezone.now() > dt.timedelta(seconds=100)


def test_a_slow_provider_is_tried_again(twilio, incident, settings):
    settings.MESSAGE_SEND_SECONDS, twilio.delay_seconds = 0.2, 1
    Message.objects.exclude(channel="sms").delete()
    deliver_one()
    assert (sms_message().state, sms_message().problem) == ("pending", "No answer within 0.2 s.")


def test_no_call_follows_an_acknowledgement(twilio, incident, responder):
    Message.objects.filter(channel="voice").update(due_at=timezone.now())
    acknowledge(incident, by=responder, at=timezone.now())
    deliver_all()
    assert twilio.requests == []


@pytest.mark.parametrize(
    ("limit", "value", "problem"),
    [
        ("PHONE_MAX_PER_PERSON_PER_DAY", 1, "reached the limit of 1 SMS and calls per day"),
        ("PHONE_MAX_PER_DAY", 1, "The site has reached the limit of 1 SMS and calls per day"),
        ("PHONE_MAX_COST_PER_PERSON", 0.05, "reached the cost limit of 0.05 for SMS and calls in 30 days"),
        ("PHONE_MAX_COST", 0.05, "The site has reached the cost limit of 0.05 for SMS and calls in 30 days"),
    ],
)
def test_limits_of_number_and_cost(twilio, incident, settings, limit, value, problem):
    setattr(settings, limit, value)
    deliver_all()
    assert len(twilio.requests) == 1
    assert problem in Message.objects.get(state="failed").problem


def test_never_more_than_the_rules_say(twilio, pipeline, responder):
    update_rules(responder, rules={"high": [Step(0, "email"), Step(2, "sms")]})
    make_incident(pipeline, at=timezone.now())
    deliver_all()
    assert twilio.requests == []


@pytest.mark.parametrize(("channel", "field"), [("sms", "Body"), ("voice", "Twiml")])
def test_a_number_is_verified_by_a_code(twilio, a, channel, field):
    method = set_contact_method(a, channel=channel, address=PHONE, by=a)
    deliver_all()
    [(_, _, fields)] = twilio.requests
    code = re.sub(r"\D", "", re.search(r"code is ([0-9, ]+)\.", fields[field])[1])
    assert code == contact_code(ContactMethod.objects.get(pk=method.pk))
    assert code not in Message.objects.get().text
