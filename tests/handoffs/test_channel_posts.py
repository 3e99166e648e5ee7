"""Posts to the channels of a rotation: each shift that starts and ends once, with the hand-off, and the week on Monday."""

import datetime as dt

import pytest

from handoffs.models import Handoff, HandoffNote
from handoffs.services.channel_posts import post_shifts
from scheduling.services.covers import CoverData, create_cover
from team_channels.models import ChannelDelivery, TeamChannel
from tests.handoffs.conftest import NOW

HOUR = dt.timedelta(hours=1)
HANDOFF = dt.datetime(2026, 11, 30, 10, tzinfo=dt.UTC)
SHIFTS = ["shift.started", "shift.ended", "week.started"]


@pytest.fixture
def channel(rotation):
    row = TeamChannel.objects.create(
        rotation=rotation, kind="teams", name="#on-call", address="https://example.org/x", shown_as="x", events=SHIFTS
    )
    TeamChannel.objects.update(created_at=NOW)
    return row


def posts():
    return list(ChannelDelivery.objects.order_by("pk").values_list("event", "title"))


def test_a_change_of_engineer_is_posted_once_when_it_happens(channel, handoffs):
    post_shifts(at=HANDOFF - HOUR / 2)
    ChannelDelivery.objects.all().delete()
    post_shifts(at=HANDOFF - HOUR / 60)
    assert [event for event, _ in posts()] == ["week.started"]
    for minutes in (0, 1, 200):
        post_shifts(at=HANDOFF + dt.timedelta(minutes=minutes))
    name = str(channel.rotation)
    assert posts()[1:] == [
        ("shift.ended", f"Hand-off of {name}: Engineer A → Engineer B"),
        ("shift.started", f"Engineer B is on call for {name}"),
    ]


def test_the_end_of_a_shift_has_the_hand_offs_summary(channel, handoffs):
    handoff = Handoff.objects.get(at=HANDOFF)
    HandoffNote.objects.create(
        handoff=handoff,
        title="Known outages or delays.",
        text="The loader is slow.",
        edited_at=NOW,
        edited_by=handoff.outgoing,
    )
    post_shifts(at=HANDOFF)
    row = ChannelDelivery.objects.get(event="shift.ended")
    assert "The loader is slow." in row.text
    assert "Pending action items:\n- None" in row.text
    assert row.path == f"/handoffs/{handoff.pk}/"
    assert row.fact_pairs == [("Signed", "Not yet by Engineer A, Engineer B")]


def test_a_cover_is_a_shift_too(channel, rotation, handoffs):
    people = {person.username: person for person in handoffs[0].people}
    begin = NOW + HOUR
    create_cover(
        rotation,
        data=CoverData(people["engineer-b"], begin, begin + 2 * HOUR),
        by=people["engineer-b"],
        at=NOW,
    )
    post_shifts(at=begin + 3 * HOUR)
    assert [title for event, title in posts() if event == "shift.started"] == [
        f"Engineer B is on call for {rotation}",
        f"Engineer A is on call for {rotation}",
    ]


def test_on_monday_at_nine_the_week_is_posted(channel, rotation):
    monday = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)
    post_shifts(at=monday - HOUR / 60)
    assert posts() == []
    post_shifts(at=monday)
    row = ChannelDelivery.objects.get()
    assert row.title == f"On call for {rotation} this week: Engineer A, Engineer B"
    assert [shift["engineer"] for shift in row.data["shifts"]] == ["engineer-a", "engineer-b"]


@pytest.mark.parametrize("hours", [7, 24])
def test_after_a_long_outage_nothing_old_is_posted(channel, handoffs, hours):
    post_shifts(at=HANDOFF + hours * HOUR)
    assert posts() == []


def test_a_channel_gets_nothing_from_before_it_was_added(channel, handoffs):
    TeamChannel.objects.update(created_at=HANDOFF + HOUR / 60)
    post_shifts(at=HANDOFF + HOUR)
    assert posts() == []


def test_a_channel_gets_only_its_chosen_events(channel, handoffs):
    TeamChannel.objects.update(events=["shift.started"])
    post_shifts(at=HANDOFF)
    assert [event for event, _ in posts()] == ["shift.started"]
