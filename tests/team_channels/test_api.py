"""The API of channels."""

import pytest

from team_channels.models import ChannelDelivery, TeamChannel
from team_channels.services.delivery import deliver_one
from tests.each import each
from tests.factories import bearer
from tests.team_channels.test_delivery import post

PATH = "/api/v1/pipelines/orders/channels/"
NEW = {"kind": "webhook", "name": "bot", "address": "https://bot.example.org/hook", "events": ["incident.opened"]}
FIELDS = {
    "id", "kind", "name", "shown_as", "events", "is_active", "last_delivered_at", "problem", "problem_at", "switched_off_at",
    "switched_off_by", "created_at", "created_by", "user_group",
}  # fmt: skip


@pytest.fixture
def call(client, a):
    """Return a function that makes a request as the pipeline's owner."""
    headers = bearer(a)

    def make(method, path, **data):
        options = {"data": data, "content_type": "application/json"} if method != "get" else {}
        return getattr(client, method)(path, **options, **headers)

    return make


def test_a_webhook_is_added_and_its_secret_returned_once(call, pipeline):
    answer = call("post", PATH, **NEW)
    row = answer.json()
    assert (answer.status_code, set(row)) == (201, FIELDS | {"secret"})
    assert row["secret"] == TeamChannel.objects.get().secret
    assert (row["shown_as"], row["is_active"], row["created_by"]) == ("bot.example.org", True, "engineer-a")
    assert set(call("get", f"{PATH}{row['id']}/").json()) == FIELDS
    assert [set(one) for one in call("get", PATH).json()["results"]] == [FIELDS]


@each(
    ("field", "value"),
    [
        ("kind", "pigeon"),
        ("name", ""),
        ("name", "two\nlines"),
        ("address", "http://bot.example.org/"),
        ("address", "https://user:word@bot.example.org/"),
        ("events", []),
        ("events", ["incident.invented"]),
        ("events", ["shift.started"]),
    ],
)
def test_an_invalid_value_is_a_400_that_names_the_field(call, pipeline, field, value):
    answer = call("post", PATH, **{**NEW, field: value})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not TeamChannel.objects.exists()


def test_a_channel_is_changed_turned_off_and_deleted(call, make_channel):
    path = f"{PATH}{make_channel().pk}/"
    row = call("patch", path, name="#new", events=["incident.resolved", "incident.opened"]).json()
    assert (row["name"], row["events"]) == ("#new", ["incident.opened", "incident.resolved"])
    row = call("patch", path, is_active=False).json()
    assert (row["is_active"], row["switched_off_by"]) == (False, "engineer-a")
    assert call("post", f"{path}test/").status_code == 409
    assert call("patch", path, is_active=True).json()["is_active"] is True
    assert call("patch", path, address="https://10.0.0.1:22/x").json() == {"address": ["Port 22 is not allowed."]}
    assert call("delete", path).status_code == 204
    assert call("get", path).status_code == 404


def test_the_delivery_log_lists_messages_and_sends_them_again(call, make_channel, peer):
    peer.status = 400
    row = post(make_channel())
    deliver_one()
    path = f"{PATH}{row.channel_id}/deliveries/"
    [logged] = call("get", path).json()["results"]
    assert {name: logged[name] for name in ("event", "event_id", "state", "attempts", "response_status")} == {
        "event": "incident.opened",
        "event_id": "incident-1-1",
        "state": "failed",
        "attempts": 1,
        "response_status": 400,
    }
    again = call("post", f"{path}{row.pk}/redeliver/")
    assert (again.status_code, again.json()["state"]) == (200, "pending")
    assert call("post", f"{path}{row.pk}/redeliver/").status_code == 409
    assert call("post", f"{path}999999/redeliver/").status_code == 404


def test_a_test_message_is_sent_and_a_new_secret_created(call, make_channel, peer):
    channel = make_channel()
    path = f"{PATH}{channel.pk}/"
    assert call("post", f"{path}test/").json()["event"] == "test"
    assert call("post", f"{path}test/").status_code == 409
    deliver_one()
    assert ChannelDelivery.objects.get().state == "sent"
    secret = call("post", f"{path}rotate-secret/").json()["secret"]
    assert secret == TeamChannel.objects.get().secret != channel.secret
    chat = make_channel("teams")
    assert call("post", f"{PATH}{chat.pk}/rotate-secret/").status_code == 409


def test_a_channel_exists_only_under_its_owner(call, make_channel, rotation):
    other = make_channel(rotation=rotation)
    assert call("get", f"{PATH}{other.pk}/").status_code == 404
    assert call("get", f"/api/v1/rotations/first/channels/{other.pk}/").status_code == 200
    assert call("patch", f"/api/v1/rotations/first/channels/{other.pk}/", name="x").status_code == 403


def test_a_pipeline_has_a_limited_number_of_channels(call, make_channel, pipeline):
    for number in range(20):
        make_channel(name=str(number))
    answer = call("post", PATH, **NEW)
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"{pipeline} already has 20 channels. Delete one first.",
    )
