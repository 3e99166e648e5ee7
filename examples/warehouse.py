"""The demo warehouse: a SQLite file of the handbook's five pipelines, day by day, with any of its failure scenarios.

    python examples/warehouse.py --path var/warehouse.sqlite --until 2026-03-31 --inject missing-cohort

The rows of a day depend only on the seed and the day: a warehouse created at once and one grown day by day are equal.
It is one file that needs only the standard library, so that it can be copied and run anywhere.
"""

import argparse
import datetime as dt
import functools
import math
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

SEED = 7
HISTORY_DAYS = 400
PLANNED_QUARTERS = 8
# Each night's runs end by this hour, in UTC.
LOAD_HOURS = 6
EPOCH = dt.date(2024, 1, 1)

UNIT_PROFIT = "Unit-level profit (experiment-focused)"
AGGREGATE_PROFIT = "Aggregate profit (investor reporting)"
AGGREGATE_GROWTH = "Aggregate growth (investor reporting)"
DAILY_GROWTH = "Daily growth (experiment-focused)"
ENGAGEMENT = "Aggregate engagement (investor reporting)"
PIPELINES = (UNIT_PROFIT, AGGREGATE_PROFIT, AGGREGATE_GROWTH, DAILY_GROWTH, ENGAGEMENT)

EXPERIMENTS = ("control", "new-checkout", "free-delivery")
UNITS = tuple(f"unit-{number:02}" for number in range(1, 11))
REGIONS = {"north": 0.4, "south": 0.25, "east": 0.2, "west": 0.15}
CATEGORIES = {"subscriptions": 0.7, "services": 0.3}
SEGMENTS = {"new": 0.3, "returning": 0.5, "enterprise": 0.2}
COHORTS = {"consumer": 0.6, "business": 0.28, "enterprise": 0.12}
DEFINITION = "signed-in"
WORKDAY_SHAPE = (1.06, 1.08, 1.07, 1.05, 1.0, 0.86, 0.88)
FLAT_SHAPE = (1.01, 1.01, 1.0, 1.0, 1.0, 0.99, 0.99)

TABLES = {
    "transactions": "id INTEGER PRIMARY KEY, day TEXT, loaded_at TEXT, unit TEXT, experiment TEXT, profit REAL",
    "experiments": "tag TEXT PRIMARY KEY",
    "pipeline_runs": "pipeline TEXT, day TEXT, started_at TEXT, finished_at TEXT, state TEXT, PRIMARY KEY (pipeline, day)",
    "financials": "day TEXT, region TEXT, category TEXT, revenue REAL, cost REAL, currency TEXT",
    "regional_profit": "day TEXT, region TEXT, profit REAL, PRIMARY KEY (day, region)",
    "company_profit": "day TEXT PRIMARY KEY, profit REAL",
    "backup_profit": "day TEXT PRIMARY KEY, profit REAL",
    "projections": "quarter TEXT PRIMARY KEY, profit REAL",
    "growth_daily": "day TEXT PRIMARY KEY, new_users INTEGER",
    "revenue_daily": "day TEXT PRIMARY KEY, revenue REAL",
    "benchmarks": "quarter TEXT PRIMARY KEY, new_users REAL",
    "activity_logs": "day TEXT, segment TEXT, events INTEGER, PRIMARY KEY (day, segment)",
    "segment_growth": "day TEXT, segment TEXT, new_users INTEGER, PRIMARY KEY (day, segment)",
    "daily_growth": "day TEXT PRIMARY KEY, new_users INTEGER",
    "activity_by_cohort": "day TEXT, cohort TEXT, definition TEXT, users INTEGER, PRIMARY KEY (day, cohort)",
    "crm_updates": "day TEXT PRIMARY KEY, updated_at TEXT, accounts INTEGER",
    "engagement": "day TEXT PRIMARY KEY, dau INTEGER, mau INTEGER",
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A failure that a runbook names: the statements that cause it on the last day, `:day`, and the demo check that finds it."""

    name: str
    words: str
    pipeline: str
    caught_by: str
    statements: tuple[str, ...]


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "missing-transactions",
            "Missing or delayed transactional data.",
            UNIT_PROFIT,
            "Transactions are fresh",
            ("DELETE FROM transactions WHERE day > date(:day, '-3 days')",),
        ),
        Scenario(
            "wrong-tags",
            "Incorrect experiment tagging or data mismatch.",
            UNIT_PROFIT,
            "Experiment tags are known",
            (
                "UPDATE transactions SET experiment = 'exp?' WHERE day = :day AND id % 4 = 0",
                "UPDATE transactions SET experiment = NULL WHERE day = :day AND id % 4 = 1",
            ),
        ),
        Scenario(
            "run-timeout",
            "Pipeline timeout or compute resource limitations.",
            UNIT_PROFIT,
            "Unit-level profit has run",
            (
                "UPDATE pipeline_runs SET state = 'timed out', finished_at = NULL WHERE day = date(:day, '+1 day') AND pipeline = :pipeline",
            ),
        ),
        Scenario(
            "schema-change",
            "Schema changes in financial data sources.",
            AGGREGATE_PROFIT,
            "Columns of the financial source",
            (
                "ALTER TABLE financials DROP COLUMN currency",
                "ALTER TABLE financials ADD COLUMN currency_id INTEGER",
            ),
        ),
        Scenario(
            "late-aggregation",
            "Delays in data aggregation or pipeline execution.",
            AGGREGATE_PROFIT,
            "Aggregate profit has run",
            (
                "UPDATE pipeline_runs SET finished_at = day || ' 15:40:00' WHERE day = date(:day, '+1 day') AND pipeline = :pipeline",
            ),
        ),
        Scenario(
            "regional-discrepancy",
            "Discrepancies in regional data aggregation.",
            AGGREGATE_PROFIT,
            "Regions add up to the company",
            ("UPDATE regional_profit SET profit = 0.8 * profit WHERE day = :day AND region = 'south'",),
        ),
        Scenario(
            "incomplete-growth",
            "Inconsistent growth metrics due to incomplete data.",
            AGGREGATE_GROWTH,
            "Check consistency with other business metrics",
            ("UPDATE growth_daily SET new_users = CAST(0.55 * new_users AS INTEGER) WHERE day = :day",),
        ),
        Scenario(
            "missing-history",
            "Missing historical data for trend analysis.",
            AGGREGATE_GROWTH,
            "History of growth is complete",
            ("DELETE FROM growth_daily WHERE day BETWEEN date(:day, '-40 days') AND date(:day, '-36 days')",),
        ),
        Scenario(
            "failed-updates",
            "Failures in periodic updates to the data warehouse.",
            AGGREGATE_GROWTH,
            "Growth is updated",
            (
                "UPDATE pipeline_runs SET state = 'failed' WHERE day > date(:day, '-2 days') AND pipeline = :pipeline",
                "DELETE FROM growth_daily WHERE day > date(:day, '-3 days')",
                "DELETE FROM revenue_daily WHERE day > date(:day, '-3 days')",
            ),
        ),
        Scenario(
            "missing-logs",
            "Delayed or missing activity logs.",
            DAILY_GROWTH,
            "Activity logs are fresh",
            ("DELETE FROM activity_logs WHERE day > date(:day, '-3 days')",),
        ),
        Scenario(
            "outlier",
            "Outliers or anomalies in daily metrics.",
            DAILY_GROWTH,
            "Cross-check daily growth against historical patterns",
            (
                "UPDATE daily_growth SET new_users = 2 * new_users WHERE day = :day",
                "UPDATE segment_growth SET new_users = 2 * new_users WHERE day = :day",
            ),
        ),
        Scenario(
            "spike-or-dip",
            "Unexpected spikes or dips causing false alarms.",
            DAILY_GROWTH,
            "Spikes and dips of activity",
            ("UPDATE activity_logs SET events = CAST(0.6 * events AS INTEGER) WHERE day = :day",),
        ),
        Scenario(
            "missing-cohort",
            "Missing activity logs for key user cohorts.",
            ENGAGEMENT,
            "Every cohort has its logs",
            ("DELETE FROM activity_by_cohort WHERE day > date(:day, '-2 days') AND cohort = 'enterprise'",),
        ),
        Scenario(
            "late-crm",
            "Delays in CRM system data updates.",
            ENGAGEMENT,
            "CRM updates are fresh",
            ("DELETE FROM crm_updates WHERE day > date(:day, '-3 days')",),
        ),
        Scenario(
            "user-definitions",
            "Inconsistencies in active user definitions.",
            ENGAGEMENT,
            "Active users are defined alike",
            ("UPDATE activity_by_cohort SET definition = 'opened-app' WHERE day = :day AND cohort = 'business'",),
        ),
    )
}


def grow(path: Path, *, until: dt.date, days: int = HISTORY_DAYS, seed: int = SEED) -> int:
    """Create a warehouse or add missing days, so that `until` is its last whole day; return the number of days added."""
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        for name, columns in TABLES.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        connection.executemany("INSERT OR IGNORE INTO experiments VALUES (?)", [(tag,) for tag in EXPERIMENTS])
        (newest,) = connection.execute("SELECT max(day) FROM pipeline_runs").fetchone()
        # A run loads the day before it, so that the newest run is of the day after the newest whole day.
        first = dt.date.fromisoformat(newest) if newest else until - dt.timedelta(days=days - 1)
        missing = [first + dt.timedelta(days=ahead) for ahead in range((until - first).days + 1)]
        for day in missing:
            for table, rows in day_rows(day, seed=seed).items():
                _insert(connection, table, rows)
    return len(missing)


def inject(path: Path, scenario: Scenario, *, day: dt.date) -> None:
    """Cause a failure on a day of the warehouse."""
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        for statement in scenario.statements:
            connection.execute(statement, {"day": day.isoformat(), "pipeline": scenario.pipeline})


def last_whole_day(at: dt.datetime) -> dt.date:
    """Return the last day that is loaded at an instant: each night's runs end by 06:00 UTC."""
    return (at.astimezone(dt.UTC) - dt.timedelta(hours=LOAD_HOURS)).date() - dt.timedelta(days=1)


def day_rows(day: dt.date, *, seed: int = SEED) -> dict[str, list[dict[str, object]]]:
    """Return the rows of a day by table, with the plans of its quarter and of later ones."""
    noise = random.Random(f"{seed} {day}")  # noqa: S311  # demo data
    return {
        **_unit_profit(day, noise),
        **_company_profit(day, noise),
        **_growth(day, noise),
        **_engagement(day, noise),
        "pipeline_runs": list(_runs(day, noise)),
    }


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, object]]) -> None:
    """Insert the values for which the table has columns; after a schema change it lacks one."""
    known = {column[1] for column in connection.execute(f"PRAGMA table_info({table})")}
    for row in rows:
        names = [name for name in row if name in known]
        places = ", ".join(f":{name}" for name in names)
        statement = f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608  # names from this file
        connection.execute(statement, row)


def _level(day: dt.date, base: float, *, shape: tuple[float, ...] = WORKDAY_SHAPE) -> float:
    """Return the value of a day without noise: a base that grows about 9 % a year, by weekday."""
    return base * (1 + 0.00025 * (day - EPOCH).days) * shape[day.weekday()]


def _with_noise(noise: random.Random, value: float, *, by: float = 0.03) -> float:
    """Return a value with bounded noise, so that a demo without a failure has no outlier."""
    return value * (1 + noise.triangular(-by, by))


def _unit_profit(day: dt.date, noise: random.Random) -> dict[str, list[dict[str, object]]]:
    number = (day - EPOCH).days * 1000
    loaded_at = f"{day + dt.timedelta(days=1)} 03:{noise.randrange(60):02}:00"
    transactions: list[dict[str, object]] = [
        {
            "id": number + place,
            "day": day.isoformat(),
            "loaded_at": loaded_at,
            "unit": UNITS[place % len(UNITS)],
            "experiment": EXPERIMENTS[place % len(EXPERIMENTS)],
            "profit": round(noise.triangular(4.0, 36.0), 2),
        }
        for place in range(round(_with_noise(noise, _level(day, 36.0))))
    ]
    return {"transactions": transactions}


def _company_profit(day: dt.date, noise: random.Random) -> dict[str, list[dict[str, object]]]:
    date = day.isoformat()
    financials: list[dict[str, object]] = []
    regional: list[dict[str, object]] = []
    for region, region_share in REGIONS.items():
        profit = 0.0
        for category, category_share in CATEGORIES.items():
            revenue = round(
                _with_noise(noise, _level(day, 90_000.0 * region_share * category_share, shape=FLAT_SHAPE)), 2
            )
            cost = round(_with_noise(noise, 0.62 * revenue, by=0.01), 2)
            profit += revenue - cost
            financials.append(
                {
                    "day": date,
                    "region": region,
                    "category": category,
                    "revenue": revenue,
                    "cost": cost,
                    "currency": "EUR",
                }
            )
        regional.append({"day": date, "region": region, "profit": round(profit, 2)})
    total = round(math.fsum(_amount(row["profit"]) for row in regional), 2)
    return {
        "financials": financials,
        "regional_profit": regional,
        "company_profit": [{"day": date, "profit": total}],
        "backup_profit": [{"day": date, "profit": round(_with_noise(noise, total, by=0.001), 2)}],
        "projections": [
            {"quarter": quarter.isoformat(), "profit": _planned(quarter, 90_000.0 * 0.38, FLAT_SHAPE)}
            for quarter in _quarters_from(day)
        ],
    }


def _growth(day: dt.date, noise: random.Random) -> dict[str, list[dict[str, object]]]:
    date = day.isoformat()
    new_users = round(_with_noise(noise, _level(day, 1200.0)))
    segments = {segment: round(new_users * share) for segment, share in SEGMENTS.items()}
    return {
        "growth_daily": [{"day": date, "new_users": new_users}],
        "revenue_daily": [{"day": date, "revenue": round(_with_noise(noise, _level(day, 90_000.0)), 2)}],
        "benchmarks": [
            {"quarter": quarter.isoformat(), "new_users": _planned(quarter, 1200.0, WORKDAY_SHAPE)}
            for quarter in _quarters_from(day)
        ],
        "segment_growth": [{"day": date, "segment": name, "new_users": users} for name, users in segments.items()],
        "daily_growth": [{"day": date, "new_users": sum(segments.values())}],
        "activity_logs": [
            {"day": date, "segment": name, "events": round(_with_noise(noise, _level(day, 40_000.0 * share)))}
            for name, share in SEGMENTS.items()
        ],
    }


def _engagement(day: dt.date, noise: random.Random) -> dict[str, list[dict[str, object]]]:
    date = day.isoformat()
    cohorts = {name: round(_with_noise(noise, _level(day, 20_000.0 * share))) for name, share in COHORTS.items()}
    mau = round(_with_noise(noise, _level(day, 48_000.0, shape=(1.0,) * 7), by=0.005))
    updated_at = f"{day + dt.timedelta(days=1)} 02:{noise.randrange(60):02}:00"
    accounts = round(_with_noise(noise, _level(day, 700.0)))
    return {
        "activity_by_cohort": [
            {"day": date, "cohort": name, "definition": DEFINITION, "users": users} for name, users in cohorts.items()
        ],
        "engagement": [{"day": date, "dau": sum(cohorts.values()), "mau": mau}],
        "crm_updates": [{"day": date, "updated_at": updated_at, "accounts": accounts}],
    }


def _runs(day: dt.date, noise: random.Random) -> Iterator[dict[str, object]]:
    """Yield the runs of the night after a day, which load its data."""
    night = day + dt.timedelta(days=1)
    for pipeline in PIPELINES:
        yield {
            "pipeline": pipeline,
            "day": night.isoformat(),
            "started_at": f"{night} 04:00:00",
            "finished_at": f"{night} 05:{noise.randrange(50):02}:00",
            "state": "success",
        }


def _quarters_from(day: dt.date) -> list[dt.date]:
    """Return the first dates of a day's quarter and of the later ones that have plans."""
    quarters = [day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)]
    while len(quarters) < PLANNED_QUARTERS:
        quarters.append(_quarter_after(quarters[-1]))
    return quarters


def _quarter_after(quarter: dt.date) -> dt.date:
    return (quarter + dt.timedelta(days=100)).replace(day=1)


@functools.cache
def _planned(quarter: dt.date, base: float, shape: tuple[float, ...]) -> int:
    """Return the plan of a quarter: the sum of every day's value without noise."""
    days = (_quarter_after(quarter) - quarter).days
    return round(math.fsum(_level(quarter + dt.timedelta(days=ahead), base, shape=shape) for ahead in range(days)))


def _amount(value: object) -> float:
    return value if isinstance(value, float) else 0.0


def _parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Create the demo warehouse, or add the days that it lacks.")
    parser.add_argument("--path", type=Path, required=True, help="the SQLite file")
    parser.add_argument(
        "--until", type=dt.date.fromisoformat, help="the last whole day (default: the last one that is loaded)"
    )
    parser.add_argument(
        "--days", type=int, default=HISTORY_DAYS, help=f"days of a new warehouse (default: {HISTORY_DAYS})"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the random numbers")
    parser.add_argument("--inject", choices=sorted(SCENARIOS), action="append", default=[], help="cause a failure")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Write the file and print a summary."""
    options = _parse_arguments(arguments)
    until = options.until or last_whole_day(dt.datetime.now(dt.UTC))
    added = grow(options.path, until=until, days=options.days, seed=options.seed)
    for name in options.inject:
        inject(options.path, SCENARIOS[name], day=until)
    injected = "".join(f", {SCENARIOS[name].words.removesuffix('.').lower()}" for name in options.inject)
    sys.stdout.write(f"{options.path}: {added} days added, the last is {until}{injected}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
