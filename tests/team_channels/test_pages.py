"""The pages of channels: list, add, test, turn off and on, new secret, send again, delete."""

import re
import threading

import pytest
from django.db import connection, transaction
from django.db.models import TextField, Value
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.exceptions import DomainError
from people.undo import UNDO_WINDOW
from team_channels.kinds import webhook
from team_channels.models import ChannelDelivery, TeamChannel
from team_channels.services.channels import (
    add_channel,
    delete_channel,
    purge_deleted_channels,
    restore_channel,
    rotate_secret,
)
from team_channels.services.delivery import deliver_one
from tests.each import each
from tests.factories import make_engineer, make_pipeline
from tests.team_channels.test_delivery import post

FORM = {
    "kind": "webhook",
    "name": "#data",
    "address": "https://hooks.example.org/1?k=secret",
    "events": ["incident.opened"],
}


def test_an_owner_adds_a_webhook_and_sees_its_secret_once(signed_in, a, pipeline):
    client = signed_in(a)
    page = client.post("/pipelines/orders/channels/", FORM, follow=True).content.decode()
    channel = TeamChannel.objects.get()
    assert (channel.pipeline, channel.events, channel.created_by) == (pipeline, ["incident.opened"], a)
    assert channel.secret in page
    again = client.get(f"/channels/{channel.pk}/").content.decode()
    assert channel.secret not in again
    assert "k=secret" not in again, "the address is never shown"
    assert "hooks.example.org" in again


@each(
    ("field", "value", "problem"),
    [
        ("name", "", "This field is required."),
        ("address", "http://example.org/x", "The URL must start with https://."),
        ("address", "https://10.0.0.1:22/x", "Port 22 is not allowed."),
        ("address", "our channel", "Enter a URL without spaces or special characters"),
        ("events", [], "Choose at least one event."),
    ],
)
def test_an_invalid_form_shows_errors_and_keeps_the_input(signed_in, a, pipeline, field, value, problem):
    response = signed_in(a).post("/pipelines/orders/channels/", {**FORM, "name": "#typed", field: value})
    page = response.content.decode()
    assert (response.status_code, TeamChannel.objects.count()) == (400, 0)
    assert problem in page
    assert ("#typed" in page) == (field != "name")


@each(
    ("kind", "address"),
    [
        ("mattermost", "https://chat.example.org/x"),
        ("discord", "https://example.org/api/webhooks/1/t"),
        ("discord", "https://discord.com/channels/1"),
        ("google_chat", "https://example.org/v1/spaces/A/messages?key=k&token=t"),
        ("google_chat", "https://chat.googleapis.com/v1/spaces/A/messages"),
    ],
)
def test_an_address_of_another_service_is_rejected(signed_in, a, pipeline, kind, address):
    response = signed_in(a).post("/pipelines/orders/channels/", {**FORM, "kind": kind, "address": address})
    assert response.status_code == 400
    assert "Enter the URL of a" in response.content.decode()


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("teams", "https://prod-1.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=x"),
        ("mattermost", "https://chat.example.org/hooks/abc"),
        ("discord", "https://discord.com/api/webhooks/1/t-o_k"),
        ("google_chat", "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t"),
    ],
)
def test_a_chat_channel_has_no_secret(signed_in, a, pipeline, kind, address):
    signed_in(a).post("/pipelines/orders/channels/", {**FORM, "kind": kind, "address": address})
    assert TeamChannel.objects.get().secret == ""


def test_owners_and_admins_edit_and_others_only_read(signed_in, a, b, c, admin, make_channel):
    channel = make_channel()
    path = f"/channels/{channel.pk}/"
    for person, allowed in ((a, True), (b, True), (admin, True), (c, False)):
        client = signed_in(person)
        assert ("Add channel" in client.get("/pipelines/orders/channels/").content.decode()) is allowed
        assert ("Send test" in client.get(path).content.decode()) is allowed
        assert (client.post(path, {"name": str(person), "events": ["incident.opened"]}).status_code == 302) is allowed
        assert ("/channels/" in client.get("/pipelines/orders/").content.decode()) is allowed
    assert TeamChannel.objects.get().name == str(admin)


def test_only_admins_edit_the_channels_of_a_rotation(signed_in, a, admin, rotation):
    form = {**FORM, "events": ["shift.started", "incident.opened"]}
    assert signed_in(a).post("/rotations/first/channels/", form).status_code == 403
    assert signed_in(admin).post("/rotations/first/channels/", form).status_code == 302
    assert TeamChannel.objects.get().events == ["incident.opened", "shift.started"]


def test_a_pipeline_has_no_shift_events(signed_in, a, pipeline):
    response = signed_in(a).post("/pipelines/orders/channels/", {**FORM, "events": ["shift.started"]})
    assert response.status_code == 400


def test_a_test_message_arrives_and_shows_in_the_log(signed_in, a, make_channel, peer):
    channel, client = make_channel(), signed_in(a)
    empty = client.get(f"/channels/{channel.pk}/").content.decode()
    assert "Send a test to see that the channel works." in empty
    assert "hx-get" not in empty
    client.post(f"/channels/{channel.pk}/test/")
    waiting = client.get(f"/channels/{channel.pk}/").content.decode()
    assert 'hx-select="#delivery-log"' in waiting, "the log replaces itself until the message has arrived"
    assert "Resend" not in waiting
    assert 'data-label="Actions"' not in waiting
    deliver_one()
    [(_, _, body)] = peer.requests
    assert (body["type"], body["title"]) == ("test", "Test message for Orders")
    page = client.get(f"/channels/{channel.pk}/").content.decode()
    assert "Test message for Orders" in page
    assert "Works" in page
    assert "hx-get" not in page
    again = client.post(f"/channels/{channel.pk}/test/", follow=True).content.decode()
    assert "Wait a minute" in again
    assert ChannelDelivery.objects.count() == 1


def test_a_channel_is_turned_off_and_on_again(signed_in, a, make_channel):
    channel, client = make_channel(), signed_in(a)
    page = client.post(f"/channels/{channel.pk}/turn-off/", follow=True).content.decode()
    assert "Engineer A turned it off" in page
    assert "Send test" not in page
    client.post(f"/channels/{channel.pk}/turn-on/")
    channel.refresh_from_db()
    assert (channel.is_active, channel.switched_off_by) == (True, None)


def test_a_new_address_turns_a_missing_channel_on_again(signed_in, a, make_channel):
    channel, client = make_channel(), signed_in(a)
    TeamChannel.objects.update(switched_off_at=timezone.now(), problem="Gone.")
    assert "no longer exists" in client.get(f"/channels/{channel.pk}/").content.decode()
    client.post(f"/channels/{channel.pk}/", {"name": "x", "address": FORM["address"], "events": ["incident.opened"]})
    channel.refresh_from_db()
    assert (channel.is_active, channel.problem, channel.address) == (True, "", FORM["address"])


def test_a_new_secret_is_shown_once(signed_in, a, make_channel):
    channel, client = make_channel(), signed_in(a)
    client.post(f"/channels/{channel.pk}/new-secret/")
    client.head(f"/channels/{channel.pk}/")  # shows nothing
    page = client.get(f"/channels/{channel.pk}/").content.decode()
    old, channel = channel.secret, TeamChannel.objects.get()
    assert channel.secret in page
    assert [one.secret for one in channel.old_secrets(timezone.now())] == [old]
    assert channel.secret.startswith(webhook.SECRET_PREFIX)
    assert channel.secret not in client.get(f"/channels/{channel.pk}/").content.decode()


def test_a_message_is_sent_again(signed_in, a, make_channel, peer):
    row = post(make_channel())
    deliver_one()
    signed_in(a).post(f"/channels/{row.channel_id}/deliveries/{row.pk}/redeliver/")
    deliver_one()
    assert [body["id"] for _, _, body in peer.requests] == [row.event_id, row.event_id]


def test_a_channel_is_permanently_deleted_with_its_log_after_ten_minutes(signed_in, a, make_channel, peer):
    row, client = post(make_channel()), signed_in(a)
    response = client.post(f"/channels/{row.channel_id}/delete/")
    assert response.url == "/pipelines/orders/channels/"
    assert TeamChannel.objects.count() == 0
    assert client.get(f"/channels/{row.channel_id}/").status_code == 404
    assert deliver_one() is None
    assert peer.requests == []
    assert purge_deleted_channels() == 0
    TeamChannel.all_objects.update(deleted_at=timezone.now() - UNDO_WINDOW)
    assert purge_deleted_channels() == 1
    assert (TeamChannel.all_objects.count(), ChannelDelivery.objects.count()) == (0, 0)


def test_a_deleted_channel_is_restored_within_the_limit(a, pipeline, make_channel, monkeypatch):
    channel = make_channel()
    delete_channel(channel, by=a)
    make_channel()
    monkeypatch.setattr("team_channels.services.channels.MAX_CHANNELS", 1)
    with pytest.raises(DomainError, match="already has 1 channels"):
        restore_channel(channel.pk, by=a)
    monkeypatch.undo()
    assert restore_channel(channel.pk, by=a).is_active
    with pytest.raises(DomainError, match="already restored"):
        restore_channel(channel.pk, by=a)


def test_a_webhook_whose_secret_is_lost_gets_a_new_one(signed_in, a, make_channel):
    channel, client = make_channel(), signed_in(a)
    rotate_secret(channel, by=a)
    lost = TextField()
    TeamChannel.objects.update(secret=Value("lost", lost), previous_secrets=Value("lost", lost))
    assert "Create new secret" in client.get(f"/channels/{channel.pk}/").content.decode()
    page = client.post(f"/channels/{channel.pk}/new-secret/", follow=True).content.decode()
    channel.refresh_from_db()
    assert channel.secret in page
    assert channel.old_secrets(timezone.now()) == []


@pytest.mark.django_db(transaction=True)
def test_a_channel_that_is_being_restored_is_not_purged(a, pipeline, make_channel):
    channel = make_channel()
    delete_channel(channel, by=a)
    TeamChannel.all_objects.update(deleted_at=timezone.now() - UNDO_WINDOW)
    restored, purged = threading.Event(), threading.Event()

    def restore():
        try:
            with transaction.atomic():
                restore_channel(channel.pk, by=a)
                restored.set()
                purged.wait(timeout=1)
        finally:
            connection.close()

    thread = threading.Thread(target=restore)
    thread.start()
    restored.wait()
    assert purge_deleted_channels() == 0
    purged.set()
    thread.join()
    assert TeamChannel.objects.get() == channel


def test_the_pages_run_the_same_number_of_queries_for_1_row_and_for_30(signed_in, a, make_channel):
    client, channel = signed_in(a), make_channel()
    post(channel)
    api = "/api/v1/pipelines/orders/channels/"
    paths = ["/pipelines/orders/channels/", f"/channels/{channel.pk}/", api, f"{api}{channel.pk}/deliveries/"]

    def counts():
        numbers = []
        for path in paths:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            numbers.append(len(captured))
        return numbers

    counts()
    few = counts()
    for number in range(29):
        make_channel(name=f"#{number}", created_by=make_engineer(f"Engineer {number}"))
        post(channel, number=number + 2)
    assert counts() == few


def test_the_log_has_pages(signed_in, a, make_channel):
    channel = make_channel()
    for number in range(51):
        post(channel, number=number)
    page = signed_in(a).get(f"/channels/{channel.pk}/?page=2").content.decode()
    assert "Page 2 of 2, 51 deliveries" in page


def test_the_admin_lists_channels_and_turns_them_off(signed_in, admin, make_channel):
    channel, client = make_channel(), signed_in(admin)
    assert "#data" in client.get("/admin/team_channels/teamchannel/").content.decode()
    assert client.get(f"/admin/team_channels/teamchannel/{channel.pk}/change/").status_code == 200
    client.post("/admin/team_channels/teamchannel/", {"action": "turn_off", "_selected_action": [channel.pk]})
    channel.refresh_from_db()
    assert (channel.is_active, channel.switched_off_by) == (False, admin)
    assert client.get("/admin/team_channels/channeldelivery/").status_code == 200


def test_a_page_lists_only_the_channels_of_its_owner(signed_in, a, b, make_channel):
    make_channel()
    make_pipeline("Visits", primary=a, secondary=b, position=1)
    assert signed_in(a).get("/pipelines/visits/channels/").context["page"].object_list.count() == 0


@pytest.mark.parametrize(("owner", "section"), [("pipeline", "Pipelines"), ("rotation", "Schedule")])
def test_the_navigation_shows_the_section_of_the_owner(signed_in, admin, request, owner, section):
    channel = add_channel(
        request.getfixturevalue(owner),
        kind="webhook",
        name="#data",
        address=FORM["address"],
        events=FORM["events"],
        by=admin,
    ).channel
    page = signed_in(admin).get(f"/channels/{channel.pk}/").content.decode()
    current = re.findall(r'aria-current="true">(.*?)</a>', page, re.DOTALL)
    assert [re.sub(r"<.*?>|\s", "", link) for link in current] == [section]
