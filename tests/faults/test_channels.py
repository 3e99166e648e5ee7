"""Promise 39: while workers are killed, channels lose no message, get at most one copy per kill, and keep order."""

import random

import pytest
from django.db import connection
from django.utils import timezone

from team_channels.domain.events import ChannelEvent
from team_channels.models import ChannelDelivery, TeamChannel
from team_channels.services.outbox import post_event
from tests.factories import make_engineer, make_pipeline
from tests.faults.workers import site
from tests.http_peer import Peer
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.xdist_group("messages")]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# Below the limit of messages a minute.
MESSAGES_PER_CHANNEL = 12
WORKERS = ("first", "second")


def kill_until_done(running, *, rows, kills, sent):
    """Deliver the rows with two processes, one of which is killed every few messages; return the number of kills."""
    source, killed = random.Random(39), 0
    for name in WORKERS:
        running.copy(name, "channel_loop")
    wait_until(sent, why="nothing was ever sent")

    def is_done():
        nonlocal killed
        if killed < kills and sent() >= (killed + 1) / (kills + 1) * rows.count() * source.uniform(0.6, 1):
            name = source.choice(WORKERS)
            running.kill(name)
            killed += 1
            running.copy(name, "channel_loop")
        # The pause after a failure is not tested here.
        rows.filter(state="pending", attempts__gt=0).update(retry_at=timezone.now())
        return not rows.filter(state__in=("pending", "sending")).exists()

    wait_until(is_done, why=lambda: f"{rows.filter(state='pending').count()} still wait", every=0.1)
    assert killed == kills
    return killed


def check_channels(*, messages, kills):
    """Every event arrives at its webhook, at most once more for each kill, and the first copies in order."""
    a, b = make_engineer("Engineer A"), make_engineer("Engineer B")
    pipeline, at = make_pipeline("Orders", primary=a, secondary=b), timezone.now()
    peer = Peer()
    try:
        for number in range(-(-messages // MESSAGES_PER_CHANNEL)):
            channel = TeamChannel.objects.create(
                pipeline=pipeline,
                kind="webhook",
                name=f"#{number}",
                address=f"{peer.url}/{number}",
                shown_as="peer",
                secret=SECRET,
                events=["incident.opened"],
            )
            for place in range(MESSAGES_PER_CHANNEL):
                name = f"{number}-{place:03}"
                event = ChannelEvent("incident.opened", name, occurred_at=at, title=name, path="/incidents/1/")
                post_event([channel], event, at=at)
        with site(redis=False) as running:
            rows = ChannelDelivery.objects.all()
            killed = kill_until_done(running, rows=rows, kills=kills, sent=lambda: len(peer.requests))
    finally:
        peer.stop()
    arrived = [(path, body["id"]) for path, _, body in peer.requests]
    first_copies = list(dict.fromkeys(arrived))
    assert len(first_copies) == rows.count()
    assert len(arrived) - len(first_copies) <= killed
    for path in {path for path, _ in arrived}:
        ids = [name for at_path, name in first_copies if at_path == path]
        assert ids == sorted(ids)
    return f"{len(first_copies):,} messages to channels, {killed} processes killed: 0 lost, {len(arrived) - len(first_copies)} extra copies"


@pytest.fixture
def database(transactional_db):
    yield
    connection.close()


def test_messages_to_channels_survive_killed_workers_in_order(database):
    check_channels(messages=60, kills=4)
