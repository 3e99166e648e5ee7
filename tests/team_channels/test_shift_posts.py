"""Shifts and the week, from beat's task to the service."""

import datetime as dt

from django.utils import timezone

from handoffs import tasks
from scheduling.models import Rotation
from team_channels.models import ChannelDelivery, TeamChannel
from team_channels.services.delivery import deliver_one
from tests.factories import import_example


def test_a_channel_gets_who_is_on_call_this_week(make_channel, peer, pipeline, monkeypatch):
    now = timezone.now()
    monday = dt.datetime.combine(now.date() - dt.timedelta(days=now.weekday()), dt.time(9, 1), dt.UTC)
    import_example(at=now, starting=(monday - dt.timedelta(days=7)).date())
    rotation = Rotation.objects.get()
    make_channel(rotation=rotation, events=["week.started", "shift.started", "shift.ended"])
    TeamChannel.objects.update(created_at=monday - dt.timedelta(days=1))
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: monday)
        tasks.post_shifts()
        tasks.post_shifts()
    ChannelDelivery.objects.update(due_at=timezone.now(), expires_at=timezone.now() + dt.timedelta(hours=1))
    deliver_one()
    [(_, headers, body)] = peer.requests
    assert body["type"] == "week.started"
    assert body["title"].startswith(f"On call for {rotation} this week: Engineer ")
    assert body["data"]["rotation"] == rotation.slug
    assert "Webhook-Signature" in headers
