"""Metrics and checks of the demo: a check for each validation line and each failure mode of the example handbook."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from examples.warehouse import (
    AGGREGATE_GROWTH,
    AGGREGATE_PROFIT,
    COHORTS,
    DAILY_GROWTH,
    DEFINITION,
    ENGAGEMENT,
    UNIT_PROFIT,
)

RUNS_DONE_BY = "09:00"
STALE_LIMITS = {"warn_after_minutes": 32 * 60, "fail_after_minutes": 48 * 60}


@dataclass(frozen=True, slots=True)
class DemoMetric:
    """A metric pulled from the demo warehouse."""

    pipeline: str
    slug: str
    name: str
    unit: str
    kind: str
    query: str


@dataclass(frozen=True, slots=True)
class DemoCheck:
    """A check of the demo.

    `line` is True for a check that the handbook import suggests; its name is then a line of the handbook. `targets` names
    the warehouse table whose quarterly plans become the parameters of a `target` check.
    """

    pipeline: str
    name: str
    check_type: str
    metric: str = ""
    other: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    query: str = ""
    line: bool = False
    targets: str = ""
    confirm: tuple[int, int] = (1, 1)


def _share(condition: str, *, table: str, weight: str = "1.0") -> str:
    """Return a query for the daily share of rows that meet a condition."""
    return (
        f"SELECT day, sum(CASE WHEN {condition} THEN {weight} ELSE 0.0 END) / sum({weight}) FROM {table} GROUP BY day"  # noqa: S608  # nosec B608  # constants of this file
    )


METRICS = (
    DemoMetric(
        UNIT_PROFIT,
        "transactions",
        "Transactions",
        "rows",
        "count",
        "SELECT day, count(*) FROM transactions GROUP BY day",
    ),
    DemoMetric(
        UNIT_PROFIT,
        "profit",
        "Profit per transaction",
        "EUR",
        "amount",
        "SELECT day, avg(profit) FROM transactions GROUP BY day",
    ),
    DemoMetric(
        UNIT_PROFIT,
        "unknown-tags",
        "Share of unknown experiment tags",
        "",
        "ratio",
        _share("experiment IS NULL OR experiment NOT IN (SELECT tag FROM experiments)", table="transactions"),
    ),
    DemoMetric(AGGREGATE_PROFIT, "profit", "Company profit", "EUR", "amount", "SELECT day, profit FROM company_profit"),
    DemoMetric(
        AGGREGATE_PROFIT,
        "backup-profit",
        "Profit by the backup",
        "EUR",
        "amount",
        "SELECT day, profit FROM backup_profit",
    ),
    DemoMetric(
        AGGREGATE_PROFIT,
        "regional-profit",
        "Profit by region",
        "EUR",
        "amount",
        "SELECT day, profit, region FROM regional_profit UNION ALL SELECT day, profit, '' FROM company_profit",
    ),
    DemoMetric(AGGREGATE_GROWTH, "new-users", "New users", "users", "count", "SELECT day, new_users FROM growth_daily"),
    DemoMetric(AGGREGATE_GROWTH, "revenue", "Revenue", "EUR", "amount", "SELECT day, revenue FROM revenue_daily"),
    DemoMetric(
        DAILY_GROWTH,
        "new-users",
        "New users by segment",
        "users",
        "count",
        "SELECT day, new_users, segment FROM segment_growth UNION ALL SELECT day, new_users, '' FROM daily_growth",
    ),
    DemoMetric(
        DAILY_GROWTH,
        "activity",
        "Events in the activity logs",
        "events",
        "count",
        "SELECT day, sum(events) FROM activity_logs GROUP BY day",
    ),
    DemoMetric(ENGAGEMENT, "dau", "Daily active users", "users", "count", "SELECT day, dau FROM engagement"),
    DemoMetric(ENGAGEMENT, "mau", "Monthly active users", "users", "count", "SELECT day, mau FROM engagement"),
    DemoMetric(
        ENGAGEMENT,
        "active-by-cohort",
        "Active users by cohort",
        "users",
        "count",
        "SELECT day, users, cohort FROM activity_by_cohort UNION ALL SELECT day, sum(users), '' FROM activity_by_cohort GROUP BY day",
    ),
    DemoMetric(
        ENGAGEMENT,
        "crm-accounts",
        "Accounts updated by the CRM",
        "accounts",
        "count",
        "SELECT day, accounts FROM crm_updates",
    ),
    DemoMetric(
        ENGAGEMENT,
        "other-definitions",
        "Share of users counted by another definition",
        "",
        "ratio",
        _share(f"definition <> '{DEFINITION}'", table="activity_by_cohort", weight="1.0 * users"),
    ),
)

# Largest relative deviation of an experiment's profit in the last week from its own history.
EXPERIMENTS_AGAINST_HISTORY = """
WITH newest AS (SELECT max(day) AS day FROM transactions),
recent AS (
  SELECT experiment, avg(profit) AS profit FROM transactions, newest
  WHERE transactions.day > date(newest.day, '-7 days') GROUP BY experiment
),
history AS (
  SELECT experiment, avg(profit) AS profit FROM transactions, newest
  WHERE transactions.day <= date(newest.day, '-7 days') GROUP BY experiment
)
SELECT max(abs(recent.profit - history.profit) / history.profit) FROM recent JOIN history USING (experiment)
""".strip()

RUNBOOK_CHECKS = (
    DemoCheck(
        UNIT_PROFIT,
        "Validate profit values match expected ranges",
        "range",
        "profit",
        parameters={"warn_below": 15, "warn_above": 25, "fail_below": 13, "fail_above": 27},
        line=True,
    ),
    DemoCheck(
        UNIT_PROFIT,
        "Cross-check experiment results with historical data",
        "custom_sql",
        parameters={"expect": "number", "warn_above": 0.25, "fail_above": 0.4},
        query=EXPERIMENTS_AGAINST_HISTORY,
        line=True,
    ),
    DemoCheck(
        AGGREGATE_PROFIT,
        "Ensure consistency with quarterly projections",
        "target",
        "profit",
        parameters={"warn_percent": 5, "fail_percent": 10},
        targets="projections",
        line=True,
    ),
    DemoCheck(
        AGGREGATE_PROFIT,
        "Compare output with historical data trends",
        "change_over_time",
        "profit",
        parameters={"against": "weekday", "warn_percent": 15, "fail_percent": 25},
        line=True,
    ),
    DemoCheck(
        AGGREGATE_GROWTH,
        "Verify aggregate growth aligns with benchmarks",
        "target",
        "new-users",
        parameters={"warn_percent": 5, "fail_percent": 10},
        targets="benchmarks",
        line=True,
    ),
    DemoCheck(
        AGGREGATE_GROWTH,
        "Check consistency with other business metrics",
        "ratio",
        "new-users",
        other="revenue",
        parameters={"fail_below": 0.0115, "fail_above": 0.0155},
        line=True,
    ),
    DemoCheck(DAILY_GROWTH, "Cross-check daily growth against historical patterns", "anomaly", "new-users", line=True),
    DemoCheck(
        DAILY_GROWTH,
        "Validate segment-level growth calculations",
        "reconciliation",
        "new-users",
        parameters={"mode": "parts", "warn_percent": 0.5, "fail_percent": 1},
        line=True,
    ),
    DemoCheck(
        ENGAGEMENT,
        "Check DAU/MAU ratios for expected patterns",
        "ratio",
        "dau",
        other="mau",
        parameters={"warn_below": 0.32, "warn_above": 0.5, "fail_below": 0.25, "fail_above": 0.6},
        line=True,
    ),
    DemoCheck(
        ENGAGEMENT,
        "Compare engagement trends with previous reporting periods",
        "change_over_time",
        "dau",
        parameters={"against": "weekday", "warn_percent": 15, "fail_percent": 25},
        line=True,
    ),
)

FAILING_CHECKS = (
    DemoCheck(UNIT_PROFIT, "Transactions are fresh", "freshness", "transactions", parameters=STALE_LIMITS),
    DemoCheck(UNIT_PROFIT, "Experiment tags are known", "validity", "unknown-tags", parameters={"fail_above": 0.02}),
    DemoCheck(UNIT_PROFIT, "Unit-level profit has run", "run_deadline", parameters={"by": RUNS_DONE_BY}),
    DemoCheck(
        AGGREGATE_PROFIT,
        "Columns of the financial source",
        "schema",
        parameters={
            "columns": ["day text", "region text", "category text", "revenue real", "cost real", "currency text"],
        },
        query="SELECT name, type FROM pragma_table_info('financials')",
    ),
    DemoCheck(AGGREGATE_PROFIT, "Aggregate profit has run", "run_deadline", parameters={"by": RUNS_DONE_BY}),
    DemoCheck(
        AGGREGATE_PROFIT,
        "Regions add up to the company",
        "reconciliation",
        "regional-profit",
        parameters={"mode": "parts", "warn_percent": 0.5, "fail_percent": 1},
    ),
    DemoCheck(
        AGGREGATE_PROFIT,
        "Profit agrees with the backup",
        "reconciliation",
        "profit",
        other="backup-profit",
        parameters={"mode": "two", "warn_percent": 0.5, "fail_percent": 1},
    ),
    DemoCheck(
        AGGREGATE_GROWTH, "History of growth is complete", "completeness", "new-users", parameters={"look_back": 90}
    ),
    DemoCheck(AGGREGATE_GROWTH, "Growth is updated", "run_deadline", parameters={"by": RUNS_DONE_BY}),
    DemoCheck(DAILY_GROWTH, "Activity logs are fresh", "freshness", "activity", parameters=STALE_LIMITS),
    DemoCheck(DAILY_GROWTH, "Spikes and dips of activity", "anomaly", "activity", confirm=(2, 3)),
    DemoCheck(
        ENGAGEMENT,
        "Every cohort has its logs",
        "completeness",
        "active-by-cohort",
        parameters={"look_back": 14, "segments": list(COHORTS)},
    ),
    DemoCheck(ENGAGEMENT, "CRM updates are fresh", "freshness", "crm-accounts", parameters=STALE_LIMITS),
    DemoCheck(
        ENGAGEMENT, "Active users are defined alike", "validity", "other-definitions", parameters={"fail_above": 0.01}
    ),
)

CHECKS = (*RUNBOOK_CHECKS, *FAILING_CHECKS)
