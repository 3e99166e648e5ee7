"""Fixtures of the tests of channels: a pipeline, and a server in the place of the services."""

import pytest

from scheduling.models import Rotation
from team_channels.domain.events import EVENTS, INCIDENT_EVENTS
from team_channels.kinds import base
from team_channels.models import TeamChannel
from tests.factories import make_pipeline
from tests.http_peer import Peer, local_rules

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def pipeline(a, b):
    return make_pipeline("Orders", primary=a, secondary=b)


@pytest.fixture
def rotation(db):
    return Rotation.objects.create(slug="first", name="First")


@pytest.fixture
def peer(monkeypatch):
    peer = Peer()
    monkeypatch.setattr(base, "http_rules", lambda url: local_rules())
    yield peer
    peer.stop()


@pytest.fixture
def make_channel(peer, pipeline):
    """Return a function that adds a channel of a kind at the server, by default of the pipeline and with all events."""

    def make(kind="webhook", *, path="/hook", rotation=None, **fields):
        fields.setdefault("events", list(EVENTS if rotation else INCIDENT_EVENTS))
        fields.setdefault("name", "#data")
        return TeamChannel.objects.create(
            pipeline=None if rotation else pipeline,
            rotation=rotation,
            kind=kind,
            address=peer.url + path,
            shown_as="peer",
            secret=SECRET if kind == "webhook" else "",
            **fields,
        )

    return make
