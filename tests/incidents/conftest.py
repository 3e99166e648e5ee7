"""Fixtures of incidents: the handbook's pipelines, runbooks and rotation, and the escalation chain."""

import datetime as dt

import pytest

from people.models import User
from pipelines.models import Pipeline
from scheduling.queries.on_call import responder_chains
from tests.factories import import_example


@pytest.fixture
def now():
    """A Wednesday at noon, far from a hand-off."""
    return dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


@pytest.fixture
def pipeline(db, now):
    import_example(at=now, starting=(now - dt.timedelta(days=7 + now.weekday())).date())
    return Pipeline.objects.get(slug="daily-growth-experiment-focused")


@pytest.fixture
def chain(pipeline):
    """Return a function that returns the engineers of the pipeline's chain at an instant, in order."""

    def people_at(at):
        return [
            User.objects.get(pk=link.engineer.id) for link in responder_chains([pipeline], at=at)[pipeline.pk].links
        ]

    return people_at
