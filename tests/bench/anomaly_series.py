"""Two families of synthetic daily series with a public-holiday calendar: one for development, one held out.

They share no code for level, season, noise or news, so that success on one is evidence for the other.
"""

import datetime as dt

import holidays
import numpy as np

DAYS = 1460


def development_series(number, *, days=DAYS):
    """Return days, values, kind and calendar: sine seasons, a random walk, t noise, bursts and yearly events."""
    rng = np.random.default_rng([77, number])
    start = dt.date(2014 + int(rng.integers(0, 8)), int(rng.integers(1, 13)), 1)
    dates = [start + dt.timedelta(days=n) for n in range(days)]
    calendar = _calendar("US", dates)
    index = np.arange(days)
    week = rng.normal(0, 1, 7)
    week[5:] += rng.choice([-2.5, 2.0, 0])
    week -= week.mean()
    week *= rng.choice([0.03, 0.08, 0.15])
    spread = float(np.exp(rng.uniform(np.log(0.012), np.log(0.08))))
    follow = rng.uniform(0.1, 0.7)
    freedom = rng.choice([3.5, 5, 12])
    shocks = rng.standard_t(freedom, days) * spread * np.sqrt((freedom - 2) / freedom)
    noise = np.zeros(days)
    for n in range(1, days):
        noise[n] = follow * noise[n - 1] + np.sqrt(1 - follow * follow) * shocks[n]
    of_year = np.array([day.timetuple().tm_yday for day in dates])
    season = rng.choice([0.0, 0.15, 0.35])
    phase = rng.uniform(0, 366)
    log = np.log(rng.choice([300, 2000, 50000])) + week[[day.weekday() for day in dates]]
    log = log + season * np.sin((of_year - phase) * 2 * np.pi / 365.25) + rng.normal(0, 0.0003) * index + noise
    log += np.cumsum(rng.normal(0, rng.choice([0, 0.004, 0.012]), days))
    effect = rng.choice([-0.5, -0.25, 0.2, 0.0])
    effects = {}
    for n, day in enumerate(dates):
        if name := calendar.get(day):
            log[n] += effects.setdefault(name, effect * rng.uniform(0.4, 1.3))
        for away in (1, -1):
            if calendar.get(day + dt.timedelta(days=away)):
                log[n] += 0.3 * effect * rng.uniform(0.5, 1.2)
        if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2):
            log[n] += 0.5 * effect
    for _ in range(int(rng.integers(0, 4))):
        at, length = int(rng.integers(1, 360)), int(rng.integers(1, 10))
        size = rng.uniform(0.2, 0.7) * rng.choice([-0.6, 1])
        for n in range(days):
            if 0 <= of_year[n] - at < length:
                log[n] += size * rng.uniform(0.8, 1.2)
    for at in np.flatnonzero(rng.random(days) < rng.choice([0, 2, 5]) / 365):
        length = min(8, days - at)
        log[at : at + length] += rng.uniform(0.15, 0.8) * rng.choice([0.4, 0.6, 0.8]) ** np.arange(length)
    for at in np.flatnonzero(rng.random(days) < rng.choice([0, 3, 8]) / 365):
        log[at] -= rng.uniform(0.1, 0.5)
    if number % 4 == 3:
        return dates, _share(log - log.mean() + rng.choice([-2.0, -1.0, 0.5])), "ratio", calendar
    return dates, np.round(np.exp(log)), "count", calendar


def held_out_series(number, *, days=DAYS):
    """Return days, values, kind and calendar: trends with corners, pay days, harmonics, volatile or gamma noise, campaigns."""
    rng = np.random.default_rng([20261129, number])
    start = dt.date(2012, 1, 1) + dt.timedelta(days=int(rng.integers(0, 3600)))
    dates = [start + dt.timedelta(days=n) for n in range(days)]
    calendar = _calendar(str(rng.choice(["DE", "GB", "FR", "AU", "US"])), dates)
    corners = np.sort(rng.integers(0, days, int(rng.integers(1, 5))))
    slopes = rng.normal(0, 0.0006, len(corners) + 1)
    log = np.cumsum(slopes[np.searchsorted(corners, np.arange(days))])
    profile = np.log(rng.dirichlet(np.full(7, rng.choice([8.0, 30.0, 120.0]))) * 7)
    profile[5:] += rng.choice([-0.4, -0.1, 0.0, 0.25])
    log += (profile - profile.mean())[[day.weekday() for day in dates]]
    turn = np.array([day.timetuple().tm_yday for day in dates]) * 2 * np.pi / 365.25
    for order in (1, 2):
        log += rng.normal(0, rng.choice([0.0, 0.06, 0.14])) * np.sin(order * turn + rng.uniform(0, 2 * np.pi))
    month = np.array([day.day for day in dates])
    log += rng.choice([0.0, 0.0, 0.05, 0.1]) * np.exp(-((month - 1) % 30) / 2.0)
    log += _held_out_noise(rng, days)
    names = {}
    for n, day in enumerate(dates):
        if name := calendar.get(day):
            log[n] += names.setdefault(name, rng.normal(-0.15, 0.25) if rng.random() < 0.7 else 0.0)
    for at in np.flatnonzero(rng.random(days) < rng.choice([0.0, 1.0, 3.0]) / 365):
        length = int(rng.integers(2, 12))
        log[at : at + length] += rng.gamma(2.0, 0.09)
    kind = ("users", "revenue", "few", "share")[number % 4]
    if kind == "share":
        chance = _share(log - log.mean() + rng.normal(-1.2, 0.8))
        tried = int(rng.choice([2000, 20_000, 300_000]))
        return dates, rng.binomial(tried, chance) / tried, "ratio", calendar
    if kind == "few":
        mean = np.exp(log - log.mean()) * rng.uniform(20, 300)
        return dates, rng.poisson(mean).astype(float), "count", calendar
    if kind == "revenue":
        return dates, np.round(np.exp(log - log.mean()) * 10 ** rng.uniform(3, 6), 2), "count", calendar
    return dates, np.round(np.exp(log - log.mean()) * 10 ** rng.uniform(3.5, 6)), "count", calendar


def _held_out_noise(rng, days):
    spread = float(10 ** rng.uniform(-1.9, -1.15))
    shape = rng.choice(["volatile", "gamma", "laplace", "two sizes"])
    if shape == "volatile":
        shocks, variance = np.zeros(days), 1.0
        for n in range(days):
            shocks[n] = np.sqrt(variance) * rng.standard_normal()
            variance = 0.05 + 0.1 * shocks[n] ** 2 + 0.85 * variance
    elif shape == "gamma":
        shocks = (rng.gamma(6.0, 1.0, days) - 6.0) / np.sqrt(6.0) * rng.choice([-1, 1])
    elif shape == "laplace":
        shocks = rng.laplace(0, 1 / np.sqrt(2), days)
    else:
        shocks = rng.standard_normal(days) * np.where(rng.random(days) < 0.04, 3.0, 0.85)
    slow, total = np.zeros(days), 0.0
    back = rng.choice([0.02, 0.05, 0.2])
    for n in range(days):
        total += -back * total + rng.standard_normal() * np.sqrt(2 * back)
        slow[n] = total
    return spread * (shocks + rng.choice([0.3, 0.7, 1.2]) * slow)


def _share(log_odds):
    return 1 / (1 + np.exp(-log_odds))


def _calendar(country, dates):
    return dict(holidays.country_holidays(country, years=range(dates[0].year - 1, dates[-1].year + 2)))
