"""The format of each kind of channel: within its limits, and with user text escaped."""

import json

import pytest
from django.utils import timezone

from common.api.description import openapi_description
from notifications.domain.markup import escape_markdown, without_mentions
from team_channels.domain.events import (
    MAX_FACT_LENGTH,
    MAX_FACTS,
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    ChannelEvent,
    shorten,
)
from team_channels.kinds.catalog import KINDS
from team_channels.models import TeamChannel
from team_channels.services.delivery import deliver_one
from team_channels.services.outbox import new_delivery
from tests.team_channels.test_delivery import KINDS as PATHS

LINK = "http://127.0.0.1:8000/incidents/7/"


@pytest.fixture
def sent(make_channel, peer):
    """Return a function that posts an event to a channel of a kind, and returns the path and the body."""

    def send(kind, **fields):
        defaults = {
            "type": "incident.opened",
            "id": "incident-7-1",
            "occurred_at": timezone.now(),
            "title": "Opened: Orders: *late* @channel",
            "text": "First line.\nSecond <b>line</b>.",
            "path": "/incidents/7/",
            "facts": (("Severity", "High"), ("Assigned to", "Engineer_A")),
            "data": {"incident": {"id": 7}},
        }
        event = ChannelEvent(**{**defaults, **fields})
        new_delivery(make_channel(kind, path=PATHS[kind]), event, at=timezone.now()).save()
        deliver_one()
        [(path, headers, body)] = peer.requests
        assert headers["Content-Type"] == "application/json"
        return path, body

    return send


def test_teams_gets_an_adaptive_card_with_a_button_that_opens_the_page(sent):
    path, body = sent("teams")
    assert path == PATHS["teams"]
    [attachment] = body["attachments"]
    card = attachment["content"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open incident", "url": LINK}]
    title, text, facts = card["body"]
    # Rich text has no Markdown.
    assert title["items"][0]["inlines"][0]["text"] == "Opened: Orders: *late* @channel"
    assert (title["style"], title["items"][0]["type"]) == ("attention", "RichTextBlock")
    assert text["inlines"][0]["text"] == "First line.\nSecond <b>line</b>."
    assert facts["facts"][1] == {"title": "Assigned to", "value": "Engineer\\_A"}


def test_mattermost_gets_an_attachment_that_mentions_nobody(sent):
    _, body = sent("mattermost")
    [attachment] = body["attachments"]
    assert attachment["title"] == "Opened: Orders: \\*late\\* @\u200bchannel"
    assert attachment["fallback"] == "Opened: Orders: *late* @\u200bchannel"
    assert (attachment["title_link"], attachment["color"]) == (LINK, "#C62828")
    assert attachment["text"] == "First line.\nSecond \\<b\\>line\\</b\\>."
    assert attachment["fields"][1] == {"short": True, "title": "Assigned to", "value": "Engineer\\_A"}


def test_discord_gets_an_embed_that_mentions_nobody(sent):
    _, body = sent("discord")
    assert body["allowed_mentions"] == {"parse": []}
    [embed] = body["embeds"]
    assert (embed["title"], embed["url"]) == ("Opened: Orders: \\*late\\* @channel", LINK)
    assert (embed["color"], embed["fields"][0]) == (0xC62828, {"name": "Severity", "value": "High", "inline": True})


def test_google_chat_gets_a_card_in_the_thread_of_its_incident(sent):
    path, body = sent("google_chat")
    assert path == "/v1/spaces/A/messages?key=k&token=t&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
    assert body["thread"] == {"threadKey": "/incidents/7/"}
    [card] = body["cardsV2"]
    text, severity, _, buttons = card["card"]["sections"][0]["widgets"]
    assert card["card"]["header"]["title"] == "Opened: Orders: *late* @channel"
    assert text["textParagraph"]["text"] == "First line.<br>Second &lt;b&gt;line&lt;/b&gt;."
    assert severity["decoratedText"] == {"topLabel": "Severity", "text": "High", "wrapText": True}
    assert buttons["buttonList"]["buttons"][0]["onClick"] == {"openLink": {"url": LINK}}


def test_a_webhook_gets_what_openapi_describes(sent):
    _, body = sent("webhook")
    schema = openapi_description()["components"]["schemas"]["WebhookEvent"]
    assert set(body) == set(schema["properties"]) == set(schema["required"])
    assert (body["version"], body["data"]) == (1, {"incident": {"id": 7}})
    assert body["occurred_at"].endswith("Z")


@pytest.mark.parametrize("character", ["x", "*", "\U0001f525", "<"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "slack"])  # that is in test_slack.py
def test_the_longest_message_is_within_the_limits_of_each_service(sent, peer, kind, character):
    facts = tuple((f"Label {number}", character * 1000) for number in range(20))
    _, body = sent(kind, title=character * 1000, text=character * 100_000, facts=facts)
    assert len(peer.bodies[0]) < 28_000
    if kind == "discord":
        [embed] = body["embeds"]
        fields = [len(field["name"]) + len(field["value"]) for field in embed["fields"]]
        assert len(embed["title"]) <= 256
        assert len(embed["description"]) <= 4096
        assert len(fields) <= 25
        assert max(len(field["value"]) for field in embed["fields"]) <= 1024
        assert len(embed["title"]) + len(embed["description"]) + sum(fields) <= 6000
    assert "…" in json.dumps(body, ensure_ascii=False)


def test_every_kind_of_the_model_has_a_class():
    assert set(KINDS) == set(TeamChannel.Kind)


def test_texts_are_shortened_to_their_limit():
    assert shorten("abcdef", length=6) == "abcdef"
    assert shorten("abcdefg", length=6) == "abcde…"
    assert (MAX_TITLE_LENGTH, MAX_TEXT_LENGTH, MAX_FACTS, MAX_FACT_LENGTH) == (250, 2000, 8, 200)


def test_markup_has_no_effect():
    assert escape_markdown(r"a*b_c`d\e") == r"a\*b\_c\`d\\e"
    assert without_mentions("@all a@b @ x") == "@\u200ball a@\u200bb @ x"
