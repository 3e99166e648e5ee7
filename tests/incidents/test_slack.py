"""The Slack app: direct messages with buttons that follow the state of their incident, and clicks on them."""

import datetime as dt
import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.conf import settings as site_settings
from django.db import connection
from django.utils import timezone
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from incidents.domain.slack import read_click
from incidents.models import SlackPost
from incidents.queries.slack import incident_card
from incidents.services.slack import update_next_post
from incidents.services.transitions import acknowledge, add_note, reassign, reopen, resolve
from incidents.tasks import sweep_slack, update_slack
from notifications.channels.slack_app.signatures import is_recent, signature
from notifications.domain.rules import Step
from notifications.models import ContactMethod, Message, SlackAnswer, SlackMember, SlackRequest
from notifications.queries.slack import slack_app
from notifications.services.delivery import deliver_one
from notifications.services.preferences import update_rules
from notifications.services.slack import NotFromSlackError, accept_request, purge_requests
from notifications.tasks import answer_slack, look_up_slack_members
from tests.each import each
from tests.factories import add_contact_method, make_engineer
from tests.incidents.test_incidents import make_incident
from tests.notifications.channels.slack import SECRET, TOKEN, FakeSlack, click, connect, signed_post

HOOK = "/hooks/slack/interactivity/"


@pytest.fixture
def slack(settings, monkeypatch):
    fake = FakeSlack()
    connect(fake, settings, monkeypatch)
    yield fake
    fake.stop()


@pytest.fixture
def people(slack, pipeline, chain):
    """The first three engineers of the chain: members U1 to U3 of the workspace."""
    people = list(dict.fromkeys(chain(timezone.now())))[:3]
    for number, person in enumerate(people, 1):
        person.email = f"{person.username}@example.org"
        person.save()
        slack.join(person, f"U{number}")
    look_up_slack_members()
    return people


@pytest.fixture
def responder(people):
    person = people[0]
    add_contact_method(person, channel="slack_dm", address=person.email)
    update_rules(person, rules={"high": [Step(0, "slack_dm"), Step(60, "email")]})
    return person


@pytest.fixture
def incident(pipeline, responder):
    incident = make_incident(pipeline, at=timezone.now(), title="Logs <late> & wrong", text="Three <!channel> hours")
    deliver_all()
    return incident


def deliver_all():
    while deliver_one():
        pass


def shown(slack):
    """Return the only message in Slack."""
    [message] = slack.messages.values()
    return message


def texts(message):
    return json.dumps(message["blocks"], ensure_ascii=False)


def buttons(message):
    rows = [block for block in message["blocks"] if block["type"] == "actions"]
    return [element["action_id"] for block in rows for element in block["elements"]]


def state(incident):
    incident.refresh_from_db()
    return incident.state


def answers(slack):
    answer_slack()
    return [body["text"] for _, body in slack.answers]


def test_the_stand_in_answers_slacks_own_library(slack, a):
    a.email = "a@example.org"
    slack.join(a, "U1")
    web = WebClient(token=TOKEN, base_url=f"{slack.url}/", retry_handlers=[])
    assert web.users_lookupByEmail(email=a.email)["user"]["id"] == "U1"
    with pytest.raises(SlackApiError, match="channel_not_found"):
        web.chat_postMessage(channel="C9", text="x")


def test_a_direct_message_has_the_incident_and_its_buttons(slack, incident, people):
    message = shown(slack)
    assert message["channel"] == "U1"
    assert "Logs &lt;late&gt; &amp; wrong" in message["text"]
    assert f"{site_settings.SITE_URL}/incidents/{incident.pk}/" in texts(message)
    assert "Three &lt;!channel&gt; hours" in texts(message)
    assert "*State*\\nOpen" in texts(message)
    assert buttons(message) == ["acknowledge", "resolve", "reassign", "snooze"]
    [groups] = [
        element["option_groups"]
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == "reassign"
    ]
    assert groups[0]["label"]["text"] == "Escalation chain"
    assert [row["value"] for row in groups[0]["options"]][:2] == [people[0].username, people[1].username]
    post = SlackPost.objects.get()
    assert (post.channel, (post.channel, post.ts) in slack.messages) == ("D1", True)
    assert Message.objects.get(channel="slack_dm").provider_id == post.ts
    assert not update_next_post(slack_app())


def test_the_documented_blocks_are_those_of_a_message(slack, incident):
    def shape(blocks):
        return [
            (block["type"], len(block.get("fields", [])), [row.get("action_id") for row in block.get("elements", [])])
            for block in blocks
        ]

    text = (
        (site_settings.BASE_DIR / "docs" / "notifications.md").read_text().partition("```json\n")[2].partition("```")[0]
    )
    assert shape(json.loads(text)) == shape(shown(slack)["blocks"])


def test_the_tasks_for_slack_start_only_on_a_site_with_a_slack_app(request, db, monkeypatch):
    started = []
    for task in (answer_slack, update_slack):
        monkeypatch.setattr(task, "delay", lambda task=task: started.append(task))
    sweep_slack()
    assert started == []
    request.getfixturevalue("slack")
    sweep_slack()
    assert started == [answer_slack, update_slack]


def test_a_message_follows_every_change(slack, incident, people):
    add_note(incident, text="Looking", by=people[1], at=timezone.now())
    acknowledge(incident, by=people[1], at=timezone.now())
    update_slack()
    assert slack.names().count("chat.update") == 1
    assert "*State*\\nAcknowledged" in texts(shown(slack))
    assert f"Acknowledged by {people[1]}" in texts(shown(slack))
    assert buttons(shown(slack)) == ["resolve", "reassign", "snooze"]
    resolve(incident, by=people[1], at=timezone.now())
    update_slack()
    assert f"Resolved by {people[1]}" in texts(shown(slack))
    assert buttons(shown(slack)) == []
    add_note(incident, text="Done", by=people[1], at=timezone.now())
    update_slack()
    assert slack.names().count("chat.update") == 2
    reopen(incident, by=people[1], at=timezone.now())
    update_slack()
    assert buttons(shown(slack)) == ["acknowledge", "resolve", "reassign", "snooze"]


@pytest.mark.parametrize(
    ("action", "value", "expected"),
    [("acknowledge", "", "acknowledged"), ("resolve", "", "resolved")],
)
def test_a_button_acts_as_the_person_who_clicked(client, slack, incident, people, action, value, expected):
    answer = click(client, shown(slack), action, slack_id="U2", value=value, answer=f"{slack.url}/answer/1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (state(incident), incident.timeline.last().by) == (expected, people[1])
    assert answers(slack) == []
    update_slack()
    assert f"*State*\\n{expected.capitalize()}" in texts(shown(slack))


def test_reassign_and_snooze(client, slack, incident, people):
    click(client, shown(slack), "snooze", slack_id="U1", value="60")
    incident.refresh_from_db()
    assert dt.timedelta(minutes=59) < incident.snoozed_until - timezone.now() <= dt.timedelta(hours=1)
    update_slack()
    assert "Open, snoozed until <!date^" in texts(shown(slack))
    click(client, shown(slack), "reassign", slack_id="U1", value=people[2].username)
    assert (state(incident), incident.assignee) == ("open", people[2])
    update_slack()
    assert f"*Assignee*\\n{people[2]}" in texts(shown(slack))


@pytest.mark.parametrize(
    ("action", "value", "text"),
    [
        ("snooze", "61", "Choose one of the times."),
        ("snooze", "-5", "Choose one of the times."),
        ("reassign", "nobody", "This person is not active on the site."),
    ],
)
def test_a_forged_choice_changes_nothing(client, slack, incident, action, value, text):
    click(client, shown(slack), action, slack_id="U1", value=value, answer=f"{slack.url}/answer/1")
    incident.refresh_from_db()
    assert (incident.state, incident.snoozed_until, incident.assignee) == ("open", None, None)
    assert answers(slack) == [text]


def test_a_second_click_gets_a_response_that_says_why(client, slack, incident, people):
    message = shown(slack)
    for _ in range(2):
        click(client, message, "acknowledge", slack_id="U1", answer=f"{slack.url}/answer/1")
    assert incident.timeline.filter(kind="acknowledged").count() == 1
    assert answers(slack) == [f"{people[0]} already acknowledged this incident. Nothing changed."]
    [(path, body)] = slack.answers
    assert (path, body["response_type"], body["replace_original"]) == ("/answer/1", "ephemeral", False)
    assert not SlackAnswer.objects.exists()


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_a_button_of_an_older_state_changes_nothing(client, slack, incident, people, action):
    message, answer = shown(slack), f"{slack.url}/answer/1"
    reassign(incident, to=people[2], by=people[1], at=timezone.now())
    entries = incident.timeline.count()
    click(client, message, action, slack_id="U1", answer=answer)
    assert (state(incident), incident.timeline.count()) == ("open", entries)
    resolve(incident, by=people[2], at=timezone.now())
    click(client, message, action, slack_id="U1", answer=answer)
    reopen(incident, by=people[2], at=timezone.now())
    click(client, message, action, slack_id="U1", answer=answer)
    assert state(incident) == "open"
    assert answers(slack) == [
        f"This incident was reassigned to {people[2]}. Nothing changed.",
        f"This incident was already resolved by {people[2]}.",
        "This incident has changed since this message was sent. Nothing was done. Open the incident to see its state.",
    ]


def test_only_active_people_of_the_site_act(client, slack, incident, people):
    message, answer = shown(slack), f"{slack.url}/answer/1"
    assert click(client, message, "resolve", slack_id="U9", answer=answer).status_code == 200
    people[2].is_active = False
    people[2].save()
    click(client, message, "resolve", slack_id="U3", answer=answer)
    click(client, message, "resolve", slack_id="u'1", answer=answer)
    assert state(incident) == "open"
    assert [text[:52] for text in answers(slack)] == ["Your Slack account is not linked to an active user o"] * 2


def test_a_request_needs_slacks_signature_is_recent_and_accepted_once(client, slack, incident):
    message, now = shown(slack), time.time()
    assert click(client, message, "resolve", slack_id="U1", secret="f" * 32).status_code == 403
    assert click(client, message, "resolve", slack_id="U1", at=now - 301).status_code == 403
    assert click(client, message, "resolve", slack_id="U1", at=now + 310).status_code == 403
    for headers in ({"X-Slack-Signature": ""}, {"X-Slack-Request-Timestamp": "١٢"}, {"X-Slack-Signature": "v0=é"}):
        assert click(client, message, "resolve", slack_id="U1", **headers).status_code == 403
    assert client.post(HOOK, {"payload": "{}"}).status_code == 403
    assert state(incident) == "open"
    assert not SlackRequest.objects.exists()
    assert click(client, message, "acknowledge", slack_id="U1", at=now, trigger="1").status_code == 200
    assert click(client, message, "acknowledge", slack_id="U1", at=now, trigger="1").status_code == 403
    assert incident.timeline.filter(kind="acknowledged").count() == 1
    SlackRequest.objects.update(received_at=timezone.now() - dt.timedelta(minutes=14))
    assert purge_requests() == 0
    SlackRequest.objects.update(received_at=timezone.now() - dt.timedelta(minutes=16))
    assert purge_requests() == 1


def test_our_signature_equals_slacks():
    body = "text=%C3%BC&x=1"
    theirs = SignatureVerifier(SECRET).generate_signature(timestamp="1531420618", body=body)
    assert signature(SECRET, timestamp="1531420618", body=body.encode()) == theirs
    at = dt.datetime.fromtimestamp(1531420618, dt.UTC)
    assert [is_recent(text, at=at) for text in ("1531420318", "1531420317", "1531420919", "", "-1", "9" * 400)] == [
        True,
        False,
        False,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("payload", ["", "[]", "{", "null"])
def test_a_payload_that_is_not_an_object_is_rejected(client, slack, db, payload):
    assert signed_post(client, HOOK, {"payload": payload}).status_code == 400


@each(
    "payload",
    [
        {},
        {"type": "view_submission"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": ["x"], "user": {"id": "U1"}},
        {"type": "block_actions", "actions": [{"action_id": "open", "block_id": "incident:1:1:open:0:1"}], "user": 5},
        {"type": "block_actions", "actions": [{"action_id": [], "block_id": {}}], "user": {"id": "U1"}},
    ],
)
def test_other_interactions_are_accepted_and_ignored(client, slack, db, payload):
    assert read_click(payload) is None
    assert signed_post(client, HOOK, {"payload": json.dumps(payload)}).status_code == 200


@pytest.mark.parametrize(
    ("failure", "is_stopped", "problem"),
    [
        ((429, {"Retry-After": "120"}, {}), False, "Slack’s rate limit was reached."),
        ((503, {}, {}), False, "Slack returned status 503."),
        (
            (200, {}, {"ok": False, "error": "invalid_auth"}),
            False,
            "Slack does not accept the site’s bot token. An admin must replace it.",
        ),
        ((200, {}, {"ok": False, "error": "ratelimited"}), False, "Slack’s rate limit was reached."),
        ((200, {}, {"ok": False, "error": "message_not_found"}), True, "The message was deleted in Slack."),
        (
            (200, {}, {"ok": False, "error": "channel_not_found"}),
            True,
            "Slack has no such channel, or the app is not in it.",
        ),
        ((200, {}, []), True, "Slack returned status 200."),
    ],
)
def test_an_update_that_slack_rejects(slack, incident, people, failure, is_stopped, problem):
    slack.failures["chat.update"] = [failure]
    acknowledge(incident, by=people[0], at=timezone.now())
    update_slack()
    post = SlackPost.objects.get()
    assert (post.stopped_at is not None, post.problem, post.token) == (is_stopped, problem, None)
    if failure[0] == 429:
        assert post.retry_at - timezone.now() > dt.timedelta(seconds=100)
    SlackPost.objects.update(retry_at=None)
    update_slack()
    assert ("Acknowledged by" in texts(shown(slack))) is not is_stopped
    assert slack.names().count("chat.update") == (1 if is_stopped else 2)


def test_a_slow_slack_is_tried_again(slack, incident, people, settings):
    settings.MESSAGE_SEND_SECONDS, slack.delay_seconds = 0.2, 1
    acknowledge(incident, by=people[0], at=timezone.now())
    update_slack()
    post = SlackPost.objects.get()
    assert (post.stopped_at, post.attempts, post.retry_at is None) == (None, 1, False)
    slack.delay_seconds = 0


def test_another_worker_updates_the_message_of_a_killed_worker(slack, incident, people):
    acknowledge(incident, by=people[0], at=timezone.now())
    held = "6a7a4c3e-0000-4000-8000-000000000000"
    SlackPost.objects.update(token=held, lease_until=timezone.now() + dt.timedelta(minutes=1))
    update_slack()
    assert slack.names().count("chat.update") == 0
    SlackPost.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    update_slack()
    assert slack.names().count("chat.update") == 1


@pytest.mark.parametrize(
    ("method", "failure", "message_state", "live"),
    [
        ("chat.postMessage", (429, {"Retry-After": "120"}, {}), "pending", True),
        ("chat.postMessage", (500, {}, {}), "pending", True),
        ("chat.postMessage", (200, {}, {"ok": False, "error": "token_revoked"}), "pending", True),
        ("chat.postMessage", (200, {}, {"ok": False, "error": "channel_not_found"}), "failed", False),
        ("chat.postMessage", (200, {}, {"ok": False, "error": "msg_too_long"}), "failed", True),
    ],
)
def test_a_message_that_slack_rejects(slack, pipeline, responder, method, failure, message_state, live):
    slack.failures[method] = [failure]
    make_incident(pipeline, at=timezone.now())
    deliver_all()
    message = Message.objects.get(channel="slack_dm")
    assert (message.state, ContactMethod.objects.get().is_live) == (message_state, live)
    if failure[0] == 429:
        assert message.retry_at - timezone.now() > dt.timedelta(seconds=100)


def test_people_are_matched_by_their_address(slack, people, a):
    assert set(SlackMember.objects.values_list("slack_id", flat=True)) >= {"U1", "U2", "U3"}
    calls = len(slack.calls)
    look_up_slack_members()
    assert len(slack.calls) == calls
    people[1].email = "moved@example.org"
    people[1].save()
    look_up_slack_members()
    row = SlackMember.objects.get(person=people[1])
    assert (row.slack_id, row.problem) == ("", "Slack has no member with this e-mail address.")
    slack.failures["users.lookupByEmail"] = [(429, {"Retry-After": "3"}, {})] * 2
    SlackMember.objects.update(looked_up_at=timezone.now() - dt.timedelta(days=2))
    look_up_slack_members()
    assert SlackMember.objects.get(person=people[0]).slack_id == "U1"


def test_a_verified_address_comes_before_the_same_member_by_account(slack, people):
    add_contact_method(people[1], channel="slack_dm", address=people[0].email)
    look_up_slack_members()
    assert SlackMember.objects.get(person=people[1]).slack_id == "U1"
    row = SlackMember.objects.get(person=people[0])
    assert (row.slack_id, row.problem) == ("", "Another person on the site has this Slack account.")


def test_a_member_of_a_deactivated_person_is_free(slack, people):
    people[0].is_active = False
    people[0].save()
    people[0].refresh_from_db()
    slack.members[people[1].email] = "U1"
    SlackMember.objects.filter(person=people[1]).update(looked_up_at=timezone.now() - dt.timedelta(days=2))
    look_up_slack_members()
    assert SlackMember.objects.get(slack_id="U1").person == people[1]


def test_a_message_runs_the_same_number_of_queries_for_30_people(slack, incident, django_assert_max_num_queries):
    with django_assert_max_num_queries(30) as few:
        incident_card(incident.pk, at=timezone.now())
    for number in range(30):
        make_engineer(f"Colleague {number}")
    with django_assert_max_num_queries(len(few)):
        incident_card(incident.pk, at=timezone.now())


def test_without_an_app_nothing_is_read_or_sent(client, settings, pipeline, django_assert_num_queries):
    settings.SLACK_BOT_TOKEN = settings.SLACK_SIGNING_SECRET = ""
    for task in (update_slack, answer_slack, look_up_slack_members):
        with django_assert_num_queries(1):
            task()
    assert signed_post(client, HOOK, {"payload": "{}"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_simultaneous_copies_is_accepted(settings):
    settings.SLACK_BOT_TOKEN, settings.SLACK_SIGNING_SECRET = TOKEN, SECRET
    at, body, start = timezone.now(), b"payload=x", Barrier(4)
    timestamp = str(int(at.timestamp()))
    header = signature(SECRET, timestamp=timestamp, body=body)

    def accept(_):
        start.wait()
        try:
            accept_request(body=body, timestamp=timestamp, header=header, at=at)
        except NotFromSlackError as error:
            return str(error)
        finally:
            connection.close()
        return "accepted"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(accept, range(4)))
    assert answers == ["This request was already received."] * 3 + ["accepted"]
