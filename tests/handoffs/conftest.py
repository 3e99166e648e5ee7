"""The handbook's rotation with its hand-offs, and plain helpers about them."""

import datetime as dt

import pytest
from django.utils import timezone

from handoffs.models import Handoff
from handoffs.services.meetings import sync_handoffs
from notifications.models import Message
from scheduling.models import Rotation
from tests.factories import import_example
from tests.snapshots import build_once

# A Wednesday; the next hand-off is on Monday, 30 November, at ten.
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
# Messages with a calendar invitation or its cancellation.
MEETING_TYPES = ("handoff-invitation", "handoff-cancelled")


def import_example_now():
    import_example(at=NOW, starting=dt.date(2026, 11, 23))


def create_handoffs():
    import_example_now()
    sync_handoffs(at=NOW)


@pytest.fixture
def rotation(db, request):
    """Return the rotation. If the test uses the fixture `handoffs`, its hand-offs exist too; they are built once."""
    if "handoffs" in request.fixturenames:
        is_stopped = timezone.now() == NOW
        build_once(("hand-offs", is_stopped), create_handoffs)
    else:
        import_example_now()
    return Rotation.objects.get()


@pytest.fixture
def handoffs(rotation):
    """Return the hand-offs of the coming half year, in order."""
    return list(Handoff.objects.with_people().order_by("at"))


@pytest.fixture
def mails(db):
    """Return a function that gives the messages left since it was called last, as (kind, method, recipient) and the rows."""
    seen = set()

    def new(**fields):
        rows = [row for row in Message.objects.filter(**fields).order_by("pk") if row.pk not in seen]
        seen.update(row.pk for row in rows)
        return rows

    return new


@pytest.fixture
def time_machine(monkeypatch):
    """Return a function that lets Django's clock stand at an instant."""

    def stand_at(at):
        monkeypatch.setattr("django.utils.timezone.now", lambda: at)

    return stand_at
