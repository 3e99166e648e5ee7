"""Posts about checks: one when a check fails and one when it recovers, to the channels that want it."""

import datetime as dt

import pytest
from django.utils import timezone

from scheduling.models import PipelineRotation
from team_channels.models import ChannelDelivery, CheckFailure
from team_channels.queries import check_posts_are_due
from team_channels.services.check_posts import post_check_changes
from team_channels.services.delivery import deliver_one
from tests.team_channels.test_kinds import PATHS
from validation.models import Check, ExternalCheck

MINUTE = dt.timedelta(minutes=1)
EVENTS = ["check.failed", "check.recovered"]


@pytest.fixture
def check(pipeline):
    return Check.objects.create(pipeline=pipeline, name="Orders arrive", check_type="custom_sql", parameters={})


def fail(check, *, since):
    Check.objects.filter(pk=check.pk).update(
        is_active=True, alerting_since=since, last_status="fail", last_message="No orders since 06:00", last_value=0.0
    )


def recover(check, *, at, status="pass", message="41 orders"):
    fields = {"alerting_since": None, "alert_ended_at": at, "last_status": status, "last_message": message}
    Check.objects.filter(pk=check.pk).update(**fields)


def sweep(*, at):
    """Run the sweep, for which beat’s probe asks if there is something to post; return the number of changes."""
    is_due, count = check_posts_are_due(at=at), post_check_changes(at=at)
    assert (is_due, check_posts_are_due(at=at)) == (count > 0, False)
    return count


def posts():
    return list(ChannelDelivery.objects.order_by("pk").values_list("event", "title", "text"))


def test_a_check_that_fails_and_recovers_is_posted_once_each(make_channel, check):
    make_channel(events=EVENTS)
    at = timezone.now() + MINUTE
    assert sweep(at=at) == 0
    fail(check, since=at)
    assert [sweep(at=at), sweep(at=at + MINUTE)] == [1, 0]
    recover(check, at=at + 2 * MINUTE)
    assert [sweep(at=at + 2 * MINUTE), sweep(at=at + 3 * MINUTE)] == [1, 0]
    assert posts() == [
        ("check.failed", "Check failed: Orders: Orders arrive", "No orders since 06:00"),
        ("check.recovered", "Check recovered: Orders: Orders arrive", "41 orders"),
    ]
    fail(check, since=at + 4 * MINUTE)
    sweep(at=at + 4 * MINUTE)
    assert ChannelDelivery.objects.values("event_id").distinct().count() == 3


def test_a_check_that_failed_again_between_two_sweeps_is_posted_as_recovered_and_failed(make_channel, check):
    make_channel(events=EVENTS)
    at = timezone.now() + MINUTE
    fail(check, since=at)
    sweep(at=at)
    fail(check, since=at + MINUTE)
    sweep(at=at + MINUTE)
    failed, recovered, again = posts()
    assert [event for event, *_ in (failed, again)] == ["check.failed", "check.failed"]
    assert recovered == (
        "check.recovered",
        failed[1].replace("failed", "recovered"),
        "The check has since failed again.",
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"is_active": False}, "The check was disabled."),
        ({"last_status": "fail", "last_expected": "Black Friday"}, "Expected: Black Friday"),
        ({"last_status": "fail"}, "The check was changed."),
    ],
)
def test_a_failure_that_ends_without_a_pass_says_why(make_channel, check, fields, reason):
    make_channel(events=EVENTS)
    at = timezone.now() + MINUTE
    fail(check, since=at)
    sweep(at=at)
    recover(check, at=at)
    Check.objects.filter(pk=check.pk).update(**fields)
    sweep(at=at)
    assert posts()[1][2] == reason


def test_checks_of_other_tools_are_posted_too_and_an_error_ends_nothing(make_channel, pipeline):
    make_channel(events=EVENTS)
    at = timezone.now() + MINUTE
    row = ExternalCheck.objects.create(
        tool="dbt",
        key="test.unique",
        name="unique",
        pipeline=pipeline,
        status="fail",
        message="3 rows",
        at=at,
        created_at=at,
    )
    sweep(at=at)
    ExternalCheck.objects.filter(pk=row.pk).update(status="error")
    assert sweep(at=at) == 0
    ExternalCheck.objects.filter(pk=row.pk).update(status="pass", message="", at=at + MINUTE)
    sweep(at=at + MINUTE)
    assert [event for event, *_ in posts()] == EVENTS
    delivery = ChannelDelivery.objects.order_by("pk")[0]
    assert delivery.data["external_check"]["key"] == "test.unique"
    assert delivery.path == "/pipelines/orders/"


def test_the_failure_of_a_check_that_is_no_longer_mapped_ends_without_a_post(make_channel, pipeline):
    make_channel(events=EVENTS)
    at = timezone.now() + MINUTE
    row = ExternalCheck.objects.create(
        tool="dbt", key="test.unique", name="unique", pipeline=pipeline, status="fail", at=at, created_at=at
    )
    sweep(at=at)
    ExternalCheck.objects.filter(pk=row.pk).update(pipeline=None)
    assert check_posts_are_due(at=at)
    assert post_check_changes(at=at) == 0
    assert not check_posts_are_due(at=at)
    assert [event for event, *_ in posts()] == ["check.failed"]


def test_a_channel_gets_only_what_it_chose_and_nothing_from_before_it_was_added(
    make_channel, pipeline, rotation, check
):
    at = timezone.now() + MINUTE
    make_channel(events=["incident.opened"])
    fail(check, since=at - 10 * MINUTE)
    make_channel(events=EVENTS)
    sweep(at=at)
    assert (posts(), CheckFailure.objects.count()) == ([], 1)


def test_a_channel_of_the_rotation_gets_the_checks_of_its_pipelines(make_channel, pipeline, rotation, check):
    PipelineRotation.objects.create(pipeline=pipeline, rotation=rotation)
    make_channel(rotation=rotation, events=["check.failed"])
    at = timezone.now() + MINUTE
    fail(check, since=at)
    sweep(at=at)
    assert [event for event, *_ in posts()] == ["check.failed"]


def test_a_webhook_gets_the_check_as_the_api_names_it(make_channel, check, peer):
    make_channel(events=EVENTS)
    at = timezone.now() + MINUTE
    fail(check, since=at)
    sweep(at=at)
    ChannelDelivery.objects.update(due_at=timezone.now())
    deliver_one()
    [(_, _, body)] = peer.requests
    assert (body["version"], body["type"]) == (1, "check.failed")
    assert body["url"] == f"http://127.0.0.1:8000/checks/{check.pk}/"
    row = body["data"]["check"]
    assert {name: row[name] for name in ("id", "pipeline", "name", "status", "value", "message")} == {
        "id": check.pk,
        "pipeline": "orders",
        "name": "Orders arrive",
        "status": "fail",
        "value": 0.0,
        "message": "No orders since 06:00",
    }


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("teams", '"title": "Open check"'),
        ("mattermost", '"color": "#C62828"'),
        ("discord", '"color": 12986408'),
        ("google_chat", '"text": "Open check"'),
    ],
)
def test_each_service_shows_a_failing_check(make_channel, check, peer, kind, shown):
    make_channel(kind, path=PATHS[kind], events=EVENTS)
    at = timezone.now() + MINUTE
    fail(check, since=at)
    sweep(at=at)
    ChannelDelivery.objects.update(due_at=timezone.now())
    deliver_one()
    assert ChannelDelivery.objects.get().state == "sent"
    [body] = peer.bodies
    text = body.decode()
    assert "Check failed: Orders: Orders arrive" in text
    assert shown in text


def test_a_pipelines_form_offers_the_events(signed_in, a, pipeline):
    page = signed_in(a).get("/pipelines/orders/channels/").content.decode()
    assert "Check failed" in page
    assert "Published numbers changed" in page
    assert "Shift started" not in page
