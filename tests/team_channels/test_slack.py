"""Channels in Slack: messages with buttons that follow their incident, replies below them, shifts, and user groups."""

import datetime as dt
import json

import pytest
from django.utils import timezone

from common.exceptions import InvalidInputError
from incidents.models import SlackPost
from incidents.services.transitions import acknowledge, resolve
from incidents.tasks import update_slack
from notifications.domain.slack import escape, escape_within
from notifications.models import SlackMember
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation
from scheduling.queries.on_call import on_call_shifts, responder_chains
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from team_channels.domain.events import EVENTS, SHIFT_STARTED, ChannelEvent
from team_channels.models import SlackUserGroup, TeamChannel
from team_channels.services.channels import add_channel, send_test, update_channel
from team_channels.services.delivery import deliver_one
from team_channels.services.outbox import post_event
from team_channels.services.user_groups import engineers_on_call
from team_channels.tasks import sync_user_groups
from tests.each import each
from tests.factories import bearer, import_example
from tests.incidents.test_incidents import make_incident
from tests.notifications.channels.slack import FakeSlack, connect
from tests.snapshots import this_minute

CHANNEL, GROUP = "C0123ABCD", "S0123ABCD"
FORM = {"kind": "slack", "name": "#data", "address": CHANNEL, "events": ["incident.opened"]}


@pytest.fixture
def slack(settings, monkeypatch):
    fake = FakeSlack()
    connect(fake, settings, monkeypatch)
    fake.channels.add(CHANNEL)
    yield fake
    fake.stop()


@pytest.fixture
def channel(slack, pipeline, a):
    return add_channel(
        pipeline, kind="slack", name="#data", address=CHANNEL, events=[e for e in EVENTS if "incident" in e], by=a
    ).channel


def deliver_all():
    while deliver_one():
        pass


def posts(slack):
    return [fields for method, fields in slack.calls if method == "chat.postMessage"]


def test_an_incident_is_one_message_that_follows_it_with_replies(slack, channel, pipeline, a):
    incident = make_incident(pipeline, at=timezone.now(), title="Late")
    deliver_all()
    [post] = SlackPost.objects.all()
    assert (post.incident, post.channel) == (incident, CHANNEL)
    acknowledge(incident, by=a, at=timezone.now())
    resolve(incident, by=a, at=timezone.now(), text="Restarted.")
    deliver_all()
    update_slack()
    card, *replies = posts(slack)
    assert [block["type"] for block in card["blocks"]][-1] == "actions"
    assert [reply["thread_ts"] for reply in replies] == [post.ts, post.ts]
    assert [reply["text"] for reply in replies] == ["Acknowledged: Orders: Late", "Resolved: Orders: Late"]
    assert "Restarted." in json.dumps(replies[1]["blocks"])
    shown = json.dumps(slack.messages[CHANNEL, post.ts]["blocks"])
    assert f"Resolved by {a}" in shown
    assert '"actions"' not in shown
    assert set(channel.deliveries.values_list("state", "response_status")) == {("sent", 200)}


def test_a_test_message_and_shifts_have_no_buttons(slack, rotation, admin):
    new = add_channel(rotation, kind="slack", name="#data", address=CHANNEL, events=[SHIFT_STARTED], by=admin)
    at = timezone.now()
    event = ChannelEvent(SHIFT_STARTED, "1", at, "A & B", "/schedule/", text="x <y>", facts=(("Until", "Monday"),))
    post_event([new.channel], event, at=at)
    send_test(new.channel, by=admin)
    deliver_all()
    shift, test = posts(slack)
    assert shift["text"] == "A &amp; B"
    assert "x &lt;y&gt;" in json.dumps(shift["blocks"])
    assert "*Until*\\nMonday" in json.dumps(shift["blocks"])
    assert test["text"] == "Test message for First"


def test_titles_cannot_mention_anyone():
    text = escape("@channel <!here> (@here) a@example.org <@U012AB3CD> @ noon")
    assert text == "@\u200bchannel &lt;!here&gt; (@\u200bhere) a@example.org &lt;@\u200bU012AB3CD&gt; @ noon"


@pytest.mark.parametrize("character", ["x", "*", "\U0001f525", "<", "&"])
def test_the_longest_message_is_within_slacks_limits(slack, rotation, admin, character):
    """Slack's own library checks the blocks in the stand-in."""
    new = add_channel(rotation, kind="slack", name="#data", address=CHANNEL, events=[SHIFT_STARTED], by=admin)
    facts = tuple((f"Label {number}", character * 1000) for number in range(20))
    text = character * 100_000
    event = ChannelEvent(SHIFT_STARTED, "1", timezone.now(), character * 1000, "/schedule/", text=text, facts=facts)
    post_event([new.channel], event, at=timezone.now())
    deliver_all()
    [message] = posts(slack)
    assert message["blocks"][1]["text"]["text"].endswith("…")
    assert escape_within(text, 100) in (f"{character * 99}…", f"{escape(character) * (99 // len(escape(character)))}…")


@pytest.mark.parametrize(
    ("failure", "state", "is_active", "problem"),
    [
        ({"error": "channel_not_found"}, "failed", False, "Slack has no such channel, or the app is not in it."),
        ({"error": "is_archived"}, "failed", False, "The channel is archived."),
        ({"error": "not_in_channel"}, "failed", True, "The app is not in the channel. Invite it there."),
        ({"error": "ratelimited"}, "pending", True, "Slack’s rate limit was reached."),
        (
            {"error": "invalid_auth"},
            "pending",
            True,
            "Slack does not accept the site’s bot token. An admin must replace it.",
        ),
    ],
)
def test_a_channel_that_slack_rejects(slack, channel, pipeline, failure, state, is_active, problem):
    slack.failures["chat.postMessage"] = [(200, {}, {"ok": False, **failure})]
    make_incident(pipeline, at=timezone.now())
    deliver_one()
    channel.refresh_from_db()
    delivery = channel.deliveries.get()
    assert (delivery.state, delivery.problem) == (state, problem)
    assert (channel.is_active, channel.problem) == (is_active, problem)


def test_it_is_added_in_the_browser_and_by_the_api(slack, signed_in, client, a, admin, pipeline, rotation):
    page = signed_in(a).get("/pipelines/orders/channels/").content.decode()
    assert ('value="slack"' in page, 'name="user_group"' in page) == (True, False)
    assert signed_in(a).post("/pipelines/orders/channels/", FORM).status_code == 302
    browser = signed_in(admin)
    data = {**FORM, "user_group": GROUP}
    wrong = browser.post("/rotations/first/channels/", {**data, "user_group": "@data", "address": CHANNEL})
    assert (wrong.status_code, "Enter the ID of a user group" in wrong.content.decode()) == (400, True)
    assert browser.post("/rotations/first/channels/", data).status_code == 302
    row = TeamChannel.objects.get(rotation=rotation)
    assert GROUP in browser.get(f"/channels/{row.pk}/").content.decode()
    browser.post(f"/channels/{row.pk}/", {**data, "user_group": "", "address": ""})
    row.refresh_from_db()
    assert (row.user_group, row.address) == ("", CHANNEL)
    answer = client.post("/api/v1/rotations/first/channels/", data, content_type="application/json", **bearer(admin))
    assert (answer.status_code, answer.json()["user_group"]) == (201, GROUP)
    answer = client.post("/api/v1/pipelines/orders/channels/", data, content_type="application/json", **bearer(admin))
    assert answer.json() == {"user_group": ["Only Slack channels of a rotation have a user group."]}


def test_without_an_app_it_is_not_offered(signed_in, a, pipeline):
    assert 'value="slack"' not in signed_in(a).get("/pipelines/orders/channels/").content.decode()
    with pytest.raises(InvalidInputError, match="kind"):
        add_channel(pipeline, by=a, **FORM)


@each("address", ["#data", "c0123abcd", "U0123ABCD", "https://x.slack.com/archives/C1", ""])
def test_an_address_is_the_id_of_a_channel(slack, a, pipeline, address):
    with pytest.raises(InvalidInputError, match="address"):
        add_channel(pipeline, by=a, **{**FORM, "address": address})


@pytest.fixture
def on_call(slack, admin):
    """The example rotation with a user group, at a Wednesday noon, whose engineers are members of the workspace."""
    now = this_minute()
    import_example(at=now, starting=(now - dt.timedelta(days=7 + now.weekday())).date())
    rotation = Rotation.objects.get()
    for number, person in enumerate(User.objects.order_by("pk"), 1):
        SlackMember.objects.create(person=person, email=f"{number}@x.org", slack_id=f"U{number}", looked_up_at=now)
    slack.groups[GROUP] = []
    add_channel(
        rotation, kind="slack", name="#data", address=CHANNEL, events=[SHIFT_STARTED], by=admin, user_group=GROUP
    )
    return rotation


def member(person):
    return SlackMember.objects.get(person=person).slack_id


def engineer(rotation):
    [shift] = on_call_shifts([rotation], at=timezone.now())
    return User.objects.get(pk=shift.engineer.id)


def test_a_user_group_follows_covers(slack, on_call, admin):
    now, first = timezone.now(), engineer(on_call)
    sync_user_groups()
    assert slack.groups[GROUP] == [member(first)]
    sync_user_groups()
    assert slack.names().count("usergroups.users.update") == 1
    other = User.objects.get_queryset().active().exclude(pk__in=[first.pk, admin.pk]).order_by("pk").first()
    data = CoverData(engineer=other, starts_at=now, ends_at=now + dt.timedelta(hours=1))
    create_cover(on_call, data=data, by=admin, at=now)
    after = on_call.weeks.get(starts_at__lte=data.ends_at, ends_at__gt=data.ends_at).engineer
    assert engineers_on_call(at=data.ends_at) == {GROUP: [member(after)]}
    sync_user_groups()
    assert slack.groups[GROUP] == [member(other)]


def test_a_user_group_follows_a_swap_and_the_hour_of_the_hand_off(slack, on_call, admin):
    now, first = timezone.now(), engineer(on_call)
    this, following = on_call.weeks.filter(ends_at__gt=now).order_by("starts_at")[:2]
    assert engineers_on_call(at=this.ends_at - dt.timedelta(seconds=1)) == {GROUP: [member(first)]}
    assert engineers_on_call(at=this.ends_at) == {GROUP: [member(following.engineer)]}
    later = on_call.weeks.filter(starts_at__gt=following.starts_at).exclude(engineer=following.engineer).first()
    proposal = SwapProposal(following.starts_on, wanted_week=later.starts_on, counterpart=later.engineer)
    swap = request_swap(on_call, proposal=proposal, by=following.engineer, at=now)
    accept_swap(swap, by=later.engineer, at=now)
    assert engineers_on_call(at=this.ends_at) == {GROUP: [member(later.engineer)]}


def test_nobody_who_is_away_is_in_a_user_group(slack, on_call, admin):
    now, first = timezone.now(), engineer(on_call)
    today = now.astimezone(first.zone).date()
    create_holiday(first, data=HolidayData(today, today, kind="sick", note=""), by=first)
    pipelines = Pipeline.objects.filter(in_rotation__rotation=on_call)
    responders = {chain.responder.id for chain in responder_chains(pipelines, at=now).values()}
    assert first.pk not in responders
    sync_user_groups()
    assert slack.groups[GROUP] == sorted(member(person) for person in responders)


def test_a_group_of_two_rotations_has_the_engineers_of_both(slack, on_call, admin, rotation):
    channel = add_channel(
        rotation, kind="slack", name="#data", address=CHANNEL, events=[SHIFT_STARTED], by=admin, user_group=GROUP
    ).channel
    assert engineers_on_call(at=timezone.now()) == {GROUP: [member(engineer(on_call))]}
    update_channel(channel, by=admin, is_active=False)
    TeamChannel.objects.filter(rotation=on_call).update(switched_off_at=timezone.now())
    assert engineers_on_call(at=timezone.now()) == {}
    sync_user_groups()
    assert "usergroups.users.update" not in slack.names()


def test_changes_to_a_group_in_slack_are_reverted_within_an_hour(slack, on_call):
    sync_user_groups()
    slack.groups[GROUP] = ["U9"]
    SlackUserGroup.objects.update(synced_at=timezone.now() - dt.timedelta(minutes=61))
    sync_user_groups()
    assert slack.groups[GROUP] == [member(engineer(on_call))]


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        ((200, {}, {"ok": False, "error": "no_such_subteam"}), "Slack has no such user group."),
        ((429, {"Retry-After": "100"}, {}), "Slack’s rate limit was reached."),
        ((500, {}, {}), "Slack returned status 500."),
    ],
)
def test_an_update_that_slack_rejects_is_tried_again(slack, on_call, signed_in, admin, failure, problem):
    slack.failures["usergroups.users.update"] = [failure]
    sync_user_groups()
    row = SlackUserGroup.objects.get()
    assert (row.problem, row.token, row.retry_at is None) == (problem, None, False)
    page = signed_in(admin).get(f"/channels/{TeamChannel.objects.get().pk}/").content.decode()
    assert problem in page
    SlackUserGroup.objects.update(retry_at=None)
    sync_user_groups()
    row.refresh_from_db()
    assert (row.problem, slack.groups[GROUP]) == ("", [member(engineer(on_call))])
