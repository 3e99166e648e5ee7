"""Weekly drills under killed workers and two beats: each rotation has one drill, with one message to one person."""

import contextlib
import datetime as dt
import random
import time
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from incidents.models import Drill, EscalationStep, Incident
from notifications.models import Message
from scheduling.models import PipelineRotation, Rotation
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation
from tests.factories import make_engineer, make_pipeline
from tests.faults.workers import site
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.xdist_group("messages")]


def make_rotations(count):
    """Create rotations, each with a pipeline, an engineer and a drill that was due a minute ago."""
    at = timezone.now()
    due, other = at - dt.timedelta(minutes=1), make_engineer("Other", email="other@example.org")
    for number in range(count):
        engineer = make_engineer(f"Engineer {number}", email=f"e{number}@example.org")
        rotation = import_rotation(RotationText(f"Rotation {number}", "", "Policy", "", ()), time_zone="UTC")
        monday = (at - dt.timedelta(days=at.weekday() + 7)).date()
        set_roster(rotation, engineers=[engineer], starts_on=monday, at=at)
        pipeline = make_pipeline(f"Pipeline {number}", primary=engineer, secondary=other)
        PipelineRotation.objects.create(pipeline=pipeline, rotation=rotation)
    Rotation.objects.update(
        weekly_drill=True,
        drill_weekday=due.weekday(),
        drill_time=due.time().replace(microsecond=0),
        drill_changed_at=at - dt.timedelta(days=1),
    )


def check_drills(*, rotations, kills):
    """Kill processes of two workers and two beats, and check that each rotation has exactly one drill."""
    source = random.Random(5)
    make_rotations(rotations)
    killed, until = 0, time.monotonic() + PATIENCE_SECONDS
    with site(often=["start drills"]) as running:
        for number in range(2):
            running.worker(f"worker-{number}")
            running.beat(f"beat-{number}")
        while Drill.objects.count() < rotations or killed < kills:
            assert time.monotonic() < until, f"{Drill.objects.count()} of {rotations} drills"
            running.revive()
            time.sleep(source.uniform(0.05, 0.5))
            if killed < kills and (senders := running.senders()):
                with contextlib.suppress(Exception):
                    source.choice(senders).kill()
                    killed += 1
        revived = running.revived
    drills = Drill.objects.exclude(incident=None)
    assert Counter(drills.values_list("rotation", flat=True)) == Counter(Rotation.objects.values_list("pk", flat=True))
    assert Incident.objects.count() == EscalationStep.objects.count() == rotations
    messages = Message.objects.filter(type="incident-escalated").values_list("context__incident_id", flat=True)
    assert Counter(Counter(messages).values()) == Counter({1: rotations})
    return (
        f"{rotations} weekly drills, {killed} processes killed, {revived} started again, two beats: each started once"
    )


@pytest.fixture
def database(transactional_db):
    yield
    connection.close()


def test_each_weekly_drill_starts_once_under_kills_and_two_beats(database):
    check_drills(rotations=12, kills=4)
