"""Delivery to channels: responses, order, rate, signatures, at least once."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import threading
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.exceptions import DomainError
from notifications.channels import http
from notifications.models import Message
from notifications.services.leases import claim_row
from notifications.services.restore import drop_possibly_sent
from people.undo import UNDO_WINDOW
from team_channels import tasks
from team_channels.domain.events import ChannelEvent
from team_channels.kinds import base
from team_channels.kinds.catalog import KINDS as KINDS_BY_NAME
from team_channels.kinds.webhook import new_secret, signature
from team_channels.models import ChannelDelivery, TeamChannel
from team_channels.queries import sweep_is_due
from team_channels.services import delivery
from team_channels.services.channels import (
    MAX_OLD_SECRETS,
    redeliver,
    report_channels_off,
    rotate_secret,
    turn_off,
    update_channel,
)
from team_channels.services.delivery import deliver_one, purge_finished
from team_channels.services.outbox import post_event
from tests.http_peer import local_rules
from tests.team_channels.conftest import SECRET

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
KINDS = {
    "webhook": "/hook?key=1",
    "teams": "/workflows/1/triggers/manual?sig=x",
    "mattermost": "/hooks/abc",
    "discord": "/api/webhooks/1/token",
    "google_chat": "/v1/spaces/A/messages?key=k&token=t",
}


def post(*channels, number=1, **fields):
    at = timezone.now()
    event = ChannelEvent(
        type="incident.opened",
        id=f"incident-1-{number}",
        occurred_at=at,
        title=fields.pop("title", f"Orders are late {number}"),
        path="/incidents/1/",
        **fields,
    )
    post_event(channels, event, at=at)
    return ChannelDelivery.objects.order_by("-pk").first()


def deliver_all():
    while deliver_one():
        pass


def states():
    return list(ChannelDelivery.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "sent"), (202, "sent"), (204, "sent"), (302, "failed"), (400, "failed"), (408, "pending"), (503, "pending")],
)
def test_the_status_decides_whether_a_message_is_sent_failed_or_retried(make_channel, peer, kind, status, state):
    peer.status = status
    row = post(make_channel(kind, path=KINDS[kind]))
    deliver_one()
    row.refresh_from_db()
    channel = TeamChannel.objects.get()
    assert (row.state, row.response_status) == (state, status)
    assert len(peer.requests) == 1, "a redirect is not followed"
    problem = "" if state == "sent" else f"127.0.0.1 returned status {status}."
    assert (row.problem, channel.problem, channel.is_active) == (problem, problem, True)
    assert (channel.last_delivered_at is not None) == (state == "sent")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [404, 410])
def test_a_channel_that_no_longer_exists_is_turned_off_and_reported_once(make_channel, peer, a, admin, kind, status):
    peer.status = status
    channel = make_channel(kind, path=KINDS[kind])
    post(channel, number=1)
    post(channel, number=2)
    deliver_all()
    channel.refresh_from_db()
    assert (channel.is_active, channel.switched_off_by) == (False, None)
    assert states() == ["failed", "dropped"]
    assert sweep_is_due(at=timezone.now())
    assert [report_channels_off(), report_channels_off()] == [1, 0]
    assert not sweep_is_due(at=timezone.now())
    subjects = Message.objects.filter(type="channel-off").values_list("recipient__username", "subject")
    assert ("engineer-a", f"Channel turned off: {channel} (Orders)") in list(subjects)
    assert admin.pk in Message.objects.values_list("recipient", flat=True)


@pytest.mark.parametrize(("status", "retry_after"), [(410, ""), (429, "3600"), (400, "")])
def test_a_response_from_the_old_address_does_not_affect_the_new_one(
    make_channel, peer, admin, monkeypatch, status, retry_after
):
    """The address is changed while a message is being sent to the old one."""
    peer.status, peer.headers = status, {"Retry-After": retry_after}
    channel = make_channel("teams", path="/old")
    post(channel)
    within = delivery.within
    monkeypatch.setattr(KINDS_BY_NAME["teams"], "check_address", lambda address: "new")

    def within_and_change(seconds, send):
        try:
            return within(seconds, send)
        finally:
            update_channel(channel, by=admin, address=f"{peer.url}/new")

    monkeypatch.setattr(delivery, "within", within_and_change)
    deliver_one()
    channel.refresh_from_db()
    assert (channel.is_active, channel.problem, channel.retry_at) == (True, "", None)
    monkeypatch.setattr(delivery, "within", within)
    if status == 410:
        peer.status = 200
        ChannelDelivery.objects.update(retry_at=timezone.now() - HOUR)
        deliver_one()
        assert (states(), [path for path, _, _ in peer.requests]) == (["sent"], ["/old", "/new"])


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [("mattermost", 400, b'{"id":"web.incoming_webhook.invalid.app_error"}'), ("discord", 401, b'{"code":50027}')],
)
def test_each_service_has_its_own_response_for_a_deleted_webhook(make_channel, peer, kind, status, body):
    peer.status, peer.body = status, body
    post(make_channel(kind, path=KINDS[kind]))
    deliver_one()
    assert not TeamChannel.objects.get().is_active


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pause", ["600", "600.5"])
def test_a_requested_pause_applies_to_the_whole_channel(make_channel, peer, kind, pause):
    peer.status, peer.headers = 429, {"Retry-After": pause}
    channel = make_channel(kind, path=KINDS[kind])
    post(channel, number=1)
    post(channel, number=2)
    deliver_all()
    assert (len(peer.requests), states()) == (1, ["pending", "pending"])
    channel.refresh_from_db()
    assert 500 < (channel.retry_at - timezone.now()).total_seconds() <= 601


def test_a_slow_server_times_out_and_is_tried_again(make_channel, peer, monkeypatch, settings):
    settings.MESSAGE_SEND_SECONDS = 0.5
    monkeypatch.setattr(base, "http_rules", lambda url: local_rules(seconds=0.5))
    peer.hold = threading.Event()
    row = post(make_channel())
    deliver_one()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.response_status) == ("pending", 1, None)
    peer.hold.set()
    ChannelDelivery.objects.update(retry_at=timezone.now() - HOUR)
    deliver_one()
    assert states() == ["sent"]
    ids = [headers["Webhook-Id"] for _, headers, _ in peer.requests]
    assert ids == ["incident-1-1", "incident-1-1"], "the ID is the same at every attempt"


def test_no_address_leads_to_the_internal_network(make_channel, monkeypatch):
    monkeypatch.setattr(base, "http_rules", http.http_rules)
    row = post(make_channel())
    channel = TeamChannel.objects.get()
    channel.address = "https://10.0.0.1/hook"
    channel.save()
    deliver_one()
    row.refresh_from_db()
    assert (row.state, row.problem) == ("pending", "The URL does not lead to a public address.")


def test_a_request_is_signed_as_standard_webhooks_describes(make_channel, peer):
    post(make_channel())
    deliver_one()
    [(_, headers, _)] = peer.requests
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = b".".join([headers["Webhook-Id"].encode(), headers["Webhook-Timestamp"].encode(), peer.bodies[0]])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    assert abs(int(headers["Webhook-Timestamp"]) - timezone.now().timestamp()) < 60


def test_the_documented_receiver_accepts_only_genuine_requests(make_channel, peer):
    """Its code is the one in docs/operations.md."""
    document = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    [code] = [block for block in re.findall(r"```python\n(.*?)```", document, re.DOTALL) if "def is_genuine" in block]
    receiver = {}
    exec(code, receiver)  # noqa: S102  # the repository's own documentation
    post(make_channel())
    deliver_one()
    [(_, headers, _)], [body] = peer.requests, peer.bodies
    is_genuine = receiver["is_genuine"]
    assert is_genuine(headers, body, SECRET)
    assert not is_genuine(headers, body, new_secret())
    assert not is_genuine(headers, body + b" ", SECRET)
    assert not is_genuine({**headers, "Webhook-Id": "other"}, body, SECRET)
    assert not is_genuine({**headers, "Webhook-Timestamp": "1614265330"}, body, SECRET)


def test_the_signature_of_the_specifications_example():
    """The example of the Standard Webhooks specification and of its libraries' tests."""
    body = b'{"test": 2432232314}'
    row = {"message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "timestamp": "1614265330", "body": body}
    assert signature(SECRET, **row) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_new_secret_has_256_random_bits():
    secrets = {new_secret() for _ in range(3)}
    assert len(secrets) == 3
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets} == {32}


def test_requests_are_signed_with_every_secret_of_the_last_day(make_channel, peer, admin):
    channel = make_channel()
    second, third = (rotate_secret(channel, by=admin).secret for _ in range(2))
    assert len({SECRET, second, third}) == 3
    post(channel)
    deliver_one()
    channel.refresh_from_db()
    [newest, oldest] = channel.old_secrets(timezone.now())
    ended = [(newest.secret, newest.until.isoformat()), (oldest.secret, (timezone.now() - HOUR).isoformat())]
    channel.previous_secrets = json.dumps(ended)
    channel.save()
    post(channel, number=2)
    deliver_one()
    for (_, headers, _), body, secrets in zip(
        peer.requests, peer.bodies, [(third, second, SECRET), (third, second)], strict=True
    ):
        row = {"message_id": headers["Webhook-Id"], "timestamp": headers["Webhook-Timestamp"], "body": body}
        assert headers["Webhook-Signature"] == " ".join(signature(secret, **row) for secret in secrets)


def test_one_secret_change_too_many_is_refused_and_drops_none(make_channel, admin):
    channel = make_channel()
    secrets = [SECRET, *(rotate_secret(channel, by=admin).secret for _ in range(MAX_OLD_SECRETS))]
    with pytest.raises(DomainError, match="5 times within 24 hours"):
        rotate_secret(channel, by=admin)
    channel.refresh_from_db()
    assert [channel.secret, *(old.secret for old in channel.old_secrets(timezone.now()))] == secrets[::-1]


def test_a_channel_gets_an_event_once_and_several_channels_get_the_same_id(make_channel):
    channels = [make_channel(), make_channel("teams")]
    post(*channels)
    post(*channels)
    assert list(ChannelDelivery.objects.values_list("event_id", flat=True)) == ["incident-1-1"] * 2


def test_messages_of_a_channel_are_sent_one_at_a_time_and_in_order(make_channel, peer):
    channel = make_channel()
    peer.status = 503
    for number in (1, 2, 3):
        post(channel, number=number)
    deliver_all()
    assert len(peer.requests) == 1, "the others wait for the first"
    peer.status = 200
    ChannelDelivery.objects.filter(attempts=1).update(retry_at=timezone.now() - HOUR)
    deliver_all()
    assert [body["id"] for _, _, body in peer.requests] == ["incident-1-1", *(f"incident-1-{n}" for n in (1, 2, 3))]


def test_a_failing_message_holds_back_others_only_briefly(make_channel, peer):
    channel = make_channel()
    first = post(channel, number=1)
    post(channel, number=2)
    ChannelDelivery.objects.filter(pk=first.pk).update(attempts=5, retry_at=timezone.now() + HOUR)
    deliver_all()
    assert [body["id"] for _, _, body in peer.requests] == ["incident-1-2"]


def test_a_channel_gets_a_limited_number_of_messages_a_minute_and_the_rest_later(make_channel, peer, monkeypatch):
    monkeypatch.setattr(delivery, "MAX_PER_MINUTE", 3)
    channel, other = make_channel(), make_channel("teams")
    for number in range(5):
        post(channel, number=number)
    post(other, number=9)
    deliver_all()
    assert states() == ["sent", "sent", "sent", "pending", "pending", "sent"]
    ChannelDelivery.objects.filter(state="sent").update(sent_at=timezone.now() - HOUR)
    TeamChannel.objects.update(retry_at=None)
    deliver_all()
    assert states() == ["sent"] * 6


def test_a_message_of_a_dead_worker_is_sent_when_its_lease_ends(make_channel, peer):
    row = post(make_channel())
    assert claim_row(delivery.claim_delivery).row == row  # like a worker that dies after it
    assert deliver_one() is None
    ChannelDelivery.objects.update(lease_until=timezone.now() - HOUR)
    deliver_one()
    assert (states(), len(peer.requests)) == (["sent"], 1)


def test_beat_starts_the_sweep_for_each_kind_of_work(make_channel, peer):
    is_due = lambda: sweep_is_due(at=timezone.now())  # noqa: E731
    channel = make_channel()
    assert not is_due()
    post(channel)
    assert is_due()
    assert claim_row(delivery.claim_delivery) is not None
    assert not is_due(), "a worker sends it"
    ChannelDelivery.objects.update(lease_until=timezone.now() - HOUR)
    assert is_due(), "the worker died"
    ChannelDelivery.objects.update(due_at=timezone.now() - 2 * DAY, expires_at=timezone.now() - DAY)
    assert is_due(), "it has expired"
    tasks.sweep()
    assert states() == ["dropped"]
    assert not is_due()
    TeamChannel.all_objects.update(deleted_at=timezone.now() - UNDO_WINDOW)
    assert is_due(), "the channel can no longer be restored"


def test_turning_a_channel_off_drops_pending_messages(make_channel, peer, admin):
    channel = make_channel()
    post(channel, number=1)
    turn_off(channel, by=admin)
    assert states() == ["dropped"]
    assert list(TeamChannel.objects.subscribed_to("incident.opened")) == []
    update_channel(channel, by=admin, is_active=True)
    post(channel, number=2)
    deliver_all()
    assert states() == ["dropped", "sent"]


def test_a_message_can_be_sent_again_with_the_same_id(make_channel, peer, admin):
    peer.status = 400
    row = post(make_channel())
    deliver_all()
    peer.status = 200
    redeliver(row, by=admin)
    deliver_all()
    assert states() == ["sent"]
    assert [headers["Webhook-Id"] for _, headers, _ in peer.requests] == [row.event_id] * 2


def test_a_channel_has_one_owner(make_channel, pipeline, rotation):
    channel = make_channel()
    for owners in ({"pipeline": None, "rotation": None}, {"pipeline": pipeline, "rotation": rotation}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TeamChannel.objects.filter(pk=channel.pk).update(**owners)


def test_old_finished_deliveries_are_deleted(make_channel):
    channel = make_channel()
    for number in range(3):
        post(channel, number=number)
    deliver_one()
    ChannelDelivery.objects.update(expires_at=timezone.now() - 91 * DAY)
    assert purge_finished() == 1
    assert states() == ["pending", "pending"]


def test_after_a_restore_nothing_is_sent_again(make_channel, peer):
    post(make_channel())
    assert drop_possibly_sent() == 1
    assert (deliver_one(), peer.requests) == (None, [])
