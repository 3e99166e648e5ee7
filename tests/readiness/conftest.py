"""Fixtures of readiness: a pipeline with a daily metric that settles two hours after midnight, and a check."""

import pytest

from tests.factories import make_pipeline
from tests.validation.fixtures import make_check, make_metric


@pytest.fixture
def pipeline(a, b):
    return make_pipeline("Orders", primary=a, secondary=b)


@pytest.fixture
def metric(pipeline):
    return make_metric(pipeline, slug="orders", settle_minutes=120)


@pytest.fixture
def check(pipeline, metric, a):
    return make_check(pipeline, a, metric=metric, name="Orders are plausible", parameters={"fail_below": 10.0})
