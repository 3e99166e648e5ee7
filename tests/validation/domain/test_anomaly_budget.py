"""The alert budget holds for any series, and new metrics start with wider limits."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.each import each
from tests.thorough import THOROUGH, cases
from tests.validation.anomaly_harness import MADE, made_series
from validation.anomaly.budget import GROSS_MULTIPLE, YEAR_DAYS, AlertBudget
from validation.anomaly.scoring import score_series

START = dt.date(2022, 1, 3)
CONTINUES_DAYS = 7  # days after its start in which an alert may be reported again


def hostile(name, rng, days=800):
    """A series unlike those that the check is designed for."""
    if name == "heavy tail":
        log = 0.05 * rng.standard_t(2.5, days)
    elif name == "no mean":
        log = np.clip(0.05 * rng.standard_cauchy(days), -8, 8)
    elif name == "random walk":
        log = np.cumsum(0.05 * rng.standard_normal(days))
    elif name == "jumping walk":
        log = np.cumsum(0.03 * rng.standard_t(3, days))
    elif name == "levels":
        log = np.repeat(rng.normal(0, 0.5, days // 20 + 1), 20)[:days] + 0.03 * rng.standard_normal(days)
    elif name == "volatility":
        log = np.repeat(np.exp(rng.normal(-3, 1, days // 30 + 1)), 30)[:days] * rng.standard_normal(days)
    elif name == "bursts":
        log = 0.03 * rng.standard_normal(days)
        for start in np.flatnonzero(rng.random(days) < 0.05):
            length = min(6, days - start)
            log[start : start + length] += rng.normal() * 0.6 ** np.arange(length)
    else:  # mostly zero
        return rng.poisson(0.3, days) * rng.integers(1, 500, days).astype(float)
    return 1000 * np.exp(log)


HOSTILE = ("heavy tail", "no mean", "random walk", "jumping walk", "levels", "volatility", "bursts", "mostly zero")
# Each series with one of two budgets, in `make faults` with both.
BUDGETS = [(name, budget) for name, budget in zip(HOSTILE * 2, [2.0, 4.0] * 4 + [4.0, 2.0] * 4, strict=True)]
BUDGETS = BUDGETS if THOROUGH else BUDGETS[: len(HOSTILE)]


def alerts(results):
    """The first day of each alert and whether it is gross.

    An alert is new if its side was not reported in the days before.
    """
    starts = []
    for one in results:
        if not (one.is_flagged and one.maturity == "alerting"):
            continue
        side = (
            0
            if one.is_stuck or "twice in a row" in one.reason or "unlike any" in one.reason
            else (1 if " above " in one.reason else -1)
        )
        earlier = [day for day, other, _ in starts if other == side and (one.day - day).days <= CONTINUES_DAYS]
        if side == 0 or not earlier:
            starts.append((one.day, side, side == 0 or one.score >= GROSS_MULTIPLE))
    return starts


@each("name, budget", BUDGETS)
def test_the_budget_holds_for_any_series(name, budget):
    rng = np.random.default_rng([3, len(name), int(budget)])
    values = hostile(name, rng).tolist()
    results = score_series(
        [(START + dt.timedelta(days=n), value) for n, value in enumerate(values)], alert_budget=budget
    )
    starts = alerts(results)
    limits = AlertBudget(budget)
    for day, _, _ in starts:
        year = [gross for at, _, gross in starts if 0 <= (day - at).days < YEAR_DAYS]
        assert year.count(False) <= limits.most_ordinary
        assert len(year) <= limits.most
    assert limits.most_ordinary == 1.5 * budget


@settings(max_examples=cases(200), deadline=None)
@given(
    st.floats(0.5, 365),
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=120),
)
def test_no_year_has_more_alerts_than_the_budget_allows(budget, offered):
    """For any sequence of deviations."""
    spent, day = AlertBudget(budget), START
    taken = []
    for days, is_gross in offered:
        day += dt.timedelta(days=days)
        if not spent.refusal(day, is_gross=is_gross):
            spent.spend(day, is_gross=is_gross)
            taken.append((day, is_gross))
    for last, _ in taken:
        year = [is_gross for at, is_gross in taken if 0 <= (last - at).days < YEAR_DAYS]
        assert year.count(False) <= spent.most_ordinary
        assert len(year) <= spent.most


def test_limits_rise_as_the_budget_is_used_up_and_fall_back():
    day = START + dt.timedelta(days=400)
    budget = AlertBudget(4.0)
    assert budget.limit_raise(day, days_alerting=400).factor == 1
    for weeks in range(5):
        budget.spend(day - dt.timedelta(days=300 - 7 * weeks), is_gross=False)
    used = budget.limit_raise(day, days_alerting=400)
    assert used.factor == pytest.approx(1.5)
    assert used.reason == "the alert budget of 4 a year is used up"
    assert budget.limit_raise(day + dt.timedelta(days=365), days_alerting=765).factor == 1
    recent = AlertBudget(4.0)
    recent.spend(day, is_gross=True)
    factors = [recent.limit_raise(day + dt.timedelta(days=n), days_alerting=400).factor for n in (2, 10, 30)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] > 1.4
    assert factors[-1] < 1.03


def test_a_used_up_budget_is_explained_and_warns():
    rng = np.random.default_rng(8)
    values = (1000 * np.exp(0.02 * rng.standard_normal(700))).round()
    values[200::12] *= 0.88
    results = score_series(
        [(START + dt.timedelta(days=n), float(value)) for n, value in enumerate(values)], alert_budget=1.0
    )
    withheld = [one for one in results if one.is_withheld]
    assert withheld
    assert not any(one.is_flagged for one in withheld)
    assert "no alert: the alert budget of 1 a year is used up" in withheld[0].reason


def test_new_metrics_stay_within_their_budget():
    """Days 57 to 90, on series without incidents."""
    days = count = 0
    for name in MADE:
        for seed in range(300, 312 if THOROUGH else 306):
            dates, values, kind, calendar = made_series(name, days=91, seed=seed)
            results = score_series(list(zip(dates, values.tolist(), strict=True)), kind=kind, holidays=calendar)
            count += sum(one.is_flagged for one in results[56:])
            days += len(results) - 56
    assert count * 365.25 / days <= 4.0
