"""`known_at`: the values that were known at an instant, against an oracle that records every push."""

import datetime as dt
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import bearer, make_engineer, make_pipeline
from tests.thorough import cases
from tests.validation.fixtures import AT, DAY, bucket, make_metric
from validation.queries.checks import metric_points
from validation.services.points import NewPoint, push_points

MINUTE = dt.timedelta(minutes=1)
SEGMENTS = ("", "eu", "us")
numbers = count()

# A push: minutes since the last one, days ago of the bucket, segment, value; a negative number of minutes is a worker's late clock.
pushes = st.lists(
    st.tuples(st.integers(-2, 30), st.integers(1, 3), st.sampled_from(SEGMENTS), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


@pytest.fixture
def owned(db):
    return make_pipeline("Known", primary=make_engineer("Known A"), secondary=make_engineer("Known B"))


def known(metric, at):
    rows = metric_points(metric, known_at=at)
    return {(row.segment, row.bucket): (row.known_value, row.known_since) for row in rows}


def test_known_at_equals_a_recording_oracle(owned):
    @settings(max_examples=cases(30))
    @given(pushes)
    def run(steps):
        metric = make_metric(owned, slug=f"metric-{next(numbers)}")
        clock, recorded, instants = AT, {}, {AT - MINUTE}
        for minutes, days_ago, segment, value in steps:
            clock += minutes * MINUTE
            key = segment, bucket(days_ago)
            push_points(metric, points=[NewPoint(key[1], float(value), segment)], at=clock)
            history = recorded.setdefault(key, [])
            if not history or history[-1][1] != value:
                # A value is never observed before the one that it replaces.
                observed = max([clock, *(time for time, _ in history)])
                history.append((observed, float(value)))
                instants |= {observed - MINUTE, observed, observed + MINUTE}
        for at in instants:
            expected = {}
            for key, history in recorded.items():
                for observed, value in history:
                    if observed <= at:
                        expected[key] = value, observed
            assert known(metric, at) == expected

    run()


def test_the_api_answers_what_was_known(client, owned, a):
    metric = make_metric(owned, slug="orders")
    for hours, value in enumerate((10.0, 12.0, 11.0)):
        push_points(metric, points=[NewPoint(bucket(1), value)], at=AT + hours * 60 * MINUTE)
    url = "/api/v1/metrics/known/orders/points/"

    def values(query=""):
        return [(row["value"], row["observed_at"]) for row in client.get(url + query, **bearer(a)).json()["results"]]

    assert values() == [(11.0, "2026-11-25T11:00:00Z")]
    assert values("?known_at=2026-11-25T10:59:59Z") == [(12.0, "2026-11-25T10:00:00Z")]
    assert values("?known_at=2026-11-25T09:30:00Z") == [(10.0, "2026-11-25T09:00:00Z")]
    assert values("?known_at=2026-11-25T08:00:00Z") == []
    response = client.get(f"{url}?known_at=yesterday", **bearer(a))
    assert (response.status_code, list(response.json())) == (400, ["known_at"])


def test_a_push_with_a_late_clock_leaves_no_instant_without_a_value(owned):
    metric = make_metric(owned, slug="clocks")
    push_points(metric, points=[NewPoint(bucket(1), 1.0)], at=AT)
    push_points(metric, points=[NewPoint(bucket(1), 2.0)], at=AT - DAY)
    assert known(metric, AT - MINUTE) == {}
    assert known(metric, AT) == {("", bucket(1)): (2.0, AT)}
