"""A companion metric explains part of a series: fewer false alarms, and smaller incidents are caught."""

import datetime as dt

import numpy as np
import pytest

from tests.thorough import THOROUGH
from tests.validation.anomaly_harness import Score, scored, with_incidents
from validation.anomaly.detector import AnomalyDetector
from validation.anomaly.scoring import score_series

START = dt.date(2022, 1, 3)


def rides_and_rain(seed, days=730):
    """Bike rides, which a wet day cuts by up to half, and the rain."""
    rng = np.random.default_rng([11, seed])
    rain = rng.gamma(2.0, 1.0, days) * (rng.random(days) < 0.4)
    week = np.array([0.05, 0.08, 0.06, 0.04, 0.0, -0.25, -0.2])[np.arange(days) % 7]
    log = np.log(4000) + week - 0.1 * np.minimum(rain, 7) + 0.04 * rng.standard_normal(days)
    return [START + dt.timedelta(days=n) for n in range(days)], np.round(np.exp(log)), rain


def score(*, with_rain, missing=0.0):
    total = Score()
    for seed in range(3 if THOROUGH else 2):
        days, rides, rain = rides_and_rain(seed)
        rng = np.random.default_rng([7, seed])
        changed, incidents = with_incidents(rides, rng, whole=True)
        known = {day: value for day, value in zip(days, rain.tolist(), strict=True) if rng.random() >= missing}
        results = score_series(list(zip(days, changed.tolist(), strict=True)), companion=known if with_rain else {})
        total.add(scored(np.array([one.is_flagged and one.maturity == "alerting" for one in results]), incidents))
    return total


def test_a_companion_finds_more_with_fewer_false_alarms():
    without, with_it = score(with_rain=False), score(with_rain=True)
    assert with_it.recall >= without.recall + 0.08
    assert with_it.false_a_year <= without.false_a_year
    some = score(with_rain=True, missing=0.1)
    assert some.recall >= without.recall


def test_an_unrelated_companion_changes_little():
    days, rides, _ = rides_and_rain(0)
    noise = np.random.default_rng(5).standard_normal(len(days)).tolist()
    points = list(zip(days, rides.tolist(), strict=True))
    plain, noisy = score_series(points), score_series(points, companion=dict(zip(days, noise, strict=True)))
    assert noisy[-1].expected == pytest.approx(plain[-1].expected, rel=0.05)


def test_the_companion_changes_the_forecast_of_its_day():
    days, rides, rain = rides_and_rain(1)
    points, known = list(zip(days, rides.tolist(), strict=True)), dict(zip(days, rain.tolist(), strict=True))
    wet, dry = (score_series(points, companion={**known, days[-1]: mm})[-1] for mm in (6.0, 0.0))
    assert wet.expected < 0.75 * dry.expected
    assert wet.with_companion < -0.2
    assert score_series(points)[-1].with_companion == 0


@pytest.mark.parametrize("seed", range(3))
def test_state_and_replay_give_the_same_results(seed):
    """Resumed before every day, with gaps in both series."""
    days, rides, rain = rides_and_rain(seed, days=160)
    rng = np.random.default_rng(seed)

    def new():
        return AnomalyDetector(
            kind="count", holidays={}, known_events={days[80]}, alert_budget=4.0, least_deviation=0.1
        )

    whole, data = new(), new().dump()
    for day, value, mm in zip(days, rides.tolist(), rain.tolist(), strict=True):
        if rng.random() < 0.1:
            continue
        companion = mm if rng.random() < 0.8 else None
        changed = value * float(rng.choice([1.0, 0.5, 0.0], p=[0.9, 0.05, 0.05]))
        one = new().resume(data)
        assert one.step(day, changed, companion) == whole.step(day, changed, companion)
        data = one.dump()
    assert whole.dump() == data
