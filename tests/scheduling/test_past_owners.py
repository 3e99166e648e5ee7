"""An answer about the past uses the owners and the rotation of that time."""

import datetime as dt

import pgtrigger
import pytest

from pipelines.models import Pipeline
from pipelines.services import Owners, change_owners
from scheduling.models import PipelineRotation, Rotation
from tests.factories import bearer, import_example, make_pipeline

HOUR = dt.timedelta(hours=1)
# A Wednesday: the last hand-off, which would end an answer too, is long ago.
NOW = dt.datetime(2026, 11, 25, 15, tzinfo=dt.UTC)


@pytest.fixture
def now(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    return NOW


def set_history(model, *instants):
    """Date the events of a model's only tracked row, oldest first."""
    events = model.pgh_event_model.objects.order_by("pgh_id")
    with pgtrigger.ignore():
        for event, instant in zip(events, instants, strict=True):
            model.pgh_event_model.objects.filter(pk=event.pk).update(pgh_created_at=instant)


def responder(client, user, pipeline, at):
    answer = client.get(f"/api/v1/pipelines/{pipeline.slug}/responder/", {"at": at.isoformat()}, **bearer(user))
    [row] = client.get("/api/v1/responders/", {"at": at.isoformat()}, **bearer(user)).json()["results"]
    assert row == answer.json()
    return row


def test_the_owners_of_the_past_stay_after_a_change(client, a, b, c, d, now):
    pipeline = make_pipeline("Growth", primary=a, secondary=b)
    change_owners({pipeline: Owners(primary=c, secondary=a)})
    change_owners({pipeline: Owners(primary=c, secondary=d)})
    set_history(Pipeline, now - 9 * HOUR, now - 6 * HOUR, now - 3 * HOUR)
    rows = [responder(client, a, pipeline, now - hours * HOUR) for hours in (8, 5, 2)]
    assert [[link["engineer"] for link in row["chain"]] for row in rows] == [
        ["engineer-a", "engineer-b"],
        ["engineer-c", "engineer-a"],
        ["engineer-c", "engineer-d"],
    ]
    assert [row["responder"] for row in rows] == ["engineer-a", "engineer-c", "engineer-c"]
    changes = [dt.datetime.fromisoformat(row["until"]) if row["until"] else None for row in rows]
    assert changes == [now - 6 * HOUR, now - 3 * HOUR, None]


def test_before_its_creation_a_pipeline_has_its_current_owners(client, a, b, now):
    pipeline = make_pipeline("Growth", primary=a, secondary=b)
    assert responder(client, a, pipeline, now - HOUR)["responder"] == "engineer-a"


def test_the_rotation_of_the_past_stays_after_a_change(client, seed, a, b, now):
    import_example(at=now, starting=(now - dt.timedelta(days=14 + now.weekday())).date())
    Pipeline.objects.exclude(pk=Pipeline.objects.first().pk).delete()
    PipelineRotation.pgh_event_model.objects.exclude(pipeline=Pipeline.objects.get()).delete()
    Pipeline.pgh_event_model.objects.exclude(pgh_obj_id=Pipeline.objects.get().pk).delete()
    pipeline = Pipeline.objects.get()
    PipelineRotation.objects.all().delete()
    Pipeline.pgh_event_model.objects.update(pgh_created_at=now - 9 * HOUR)
    set_history(PipelineRotation, now - 9 * HOUR, now - 3 * HOUR)
    before, after = responder(client, a, pipeline, now - 5 * HOUR), responder(client, a, pipeline, now - HOUR)
    assert before["chain"][0]["role"] == "on_call"
    assert dt.datetime.fromisoformat(before["until"]) == now - 3 * HOUR
    assert [link["role"] for link in after["chain"]] == ["primary_owner", "secondary_owner"]
    assert Rotation.objects.exists()
