"""Evidence of the demo: the queries and checks that its runbooks run under each step when an incident opens.

A query returns a row in words for each cause that it finds, and no rows on healthy data. The last day is that of the
newest run.
"""

import datetime as dt
from dataclasses import dataclass

from examples.warehouse import (
    AGGREGATE_GROWTH,
    AGGREGATE_PROFIT,
    COHORTS,
    DAILY_GROWTH,
    DEFINITION,
    ENGAGEMENT,
    UNIT_PROFIT,
)
from incidents.services.evidence import approve_query
from people.domain.names import match_key
from people.models import User
from runbooks.domain.evidence import SQL, evidence_blocks
from runbooks.models import Runbook
from runbooks.services import save_revision
from validation.models import DataSource

SUMMARY = "Evidence for each step"
STEPS_TITLE = "### Troubleshooting Steps"


@dataclass(frozen=True, slots=True)
class DemoBlock:
    """An evidence block under a step of a pipeline's runbook: a query, or the slug of a check."""

    pipeline: str
    step: int
    query: str = ""
    check: str = ""


def _stale(table: str, noun: str) -> str:
    """Return a query that finds the days missing from a table since its newest row."""
    return f"""
WITH newest AS (SELECT max(day) AS day FROM {table}), last AS (SELECT date(max(day), '-1 day') AS day FROM pipeline_runs)
SELECT '{noun} missing since ' || date(newest.day, '+1 day') AS cause, newest.day AS newest_day, last.day AS expected_day
FROM newest, last WHERE newest.day < last.day
""".strip()  # noqa: S608  # nosec B608  # constants of this file


def _runs(pipeline: str) -> str:
    """Return a query that finds the newest runs of a pipeline that did not succeed or ended after 09:00."""
    return f"""
SELECT
  CASE WHEN state <> 'success' THEN 'The run of ' || day || ' ' || state ELSE 'The run of ' || day || ' ended late' END AS cause,
  state, started_at, finished_at
FROM pipeline_runs
WHERE pipeline = '{pipeline}' AND day > (SELECT date(max(day), '-3 days') FROM pipeline_runs)
  AND (state <> 'success' OR time(finished_at) > '09:00:00')
ORDER BY day DESC
""".strip()  # noqa: S608  # nosec B608  # constants of this file


TAGS = """
SELECT coalesce('Unknown experiment tag ' || experiment, 'No experiment tag') AS cause, day, count(*) AS transactions
FROM transactions
WHERE day > (SELECT date(max(day), '-8 days') FROM pipeline_runs)
  AND (experiment IS NULL OR experiment NOT IN (SELECT tag FROM experiments))
GROUP BY experiment, day
ORDER BY day DESC, transactions DESC
""".strip()

COLUMNS = """
WITH expected(name, type) AS (
  VALUES ('day', 'TEXT'), ('region', 'TEXT'), ('category', 'TEXT'), ('revenue', 'REAL'), ('cost', 'REAL'), ('currency', 'TEXT')
), found AS (SELECT name, type FROM pragma_table_info('financials'))
SELECT 'Column ' || name || ' is missing' AS cause, type FROM expected WHERE name NOT IN (SELECT name FROM found)
UNION ALL
SELECT 'Column ' || name || ' is new', type FROM found WHERE name NOT IN (SELECT name FROM expected)
UNION ALL
SELECT 'Column ' || found.name || ' changed its type', found.type FROM found JOIN expected USING (name) WHERE found.type <> expected.type
""".strip()

REGIONS = """
WITH ledger AS (SELECT day, region, sum(revenue - cost) AS profit FROM financials GROUP BY day, region)
SELECT 'Region ' || region || ' differs from its ledger by ' || printf('%.0f', 100 * (r.profit - ledger.profit) / ledger.profit) || ' %' AS cause,
  day, round(r.profit, 2) AS regional_profit, round(ledger.profit, 2) AS ledger_profit
FROM regional_profit AS r JOIN ledger USING (day, region)
WHERE day > (SELECT date(max(day), '-8 days') FROM pipeline_runs) AND abs(r.profit - ledger.profit) > 0.01 * abs(ledger.profit)
ORDER BY day DESC
""".strip()

HISTORY = """
WITH RECURSIVE days(day) AS (
  SELECT date(max(day), '-90 days') FROM pipeline_runs
  UNION ALL SELECT date(day, '+1 day') FROM days WHERE day < (SELECT date(max(day), '-1 day') FROM pipeline_runs)
), missing AS (
  SELECT day, row_number() OVER (ORDER BY day) AS place FROM days WHERE day NOT IN (SELECT day FROM growth_daily)
)
SELECT 'No growth from ' || min(day) || ' to ' || max(day) AS cause, count(*) AS days
FROM missing GROUP BY julianday(day) - place ORDER BY min(day) DESC
""".strip()

INCOMPLETE = """
SELECT 'New users of ' || day || ' are incomplete: ' || printf('%.0f', 100.0 * new_users / users) || ' % of daily growth' AS cause,
  new_users, users AS daily_growth
FROM growth_daily JOIN (SELECT day, new_users AS users FROM daily_growth) USING (day)
WHERE day > (SELECT date(max(day), '-8 days') FROM pipeline_runs) AND new_users < 0.9 * users
ORDER BY day DESC
""".strip()


def _unusual(table: str, column: str, noun: str) -> str:
    """Return a query that finds days whose total is far from the mean of the same weekday in the eight weeks before."""
    return f"""
WITH totals AS (SELECT day, sum({column}) AS total FROM {table} GROUP BY day),
usual AS (
  SELECT day, total, avg(total) OVER (
    PARTITION BY strftime('%w', day) ORDER BY day ROWS BETWEEN 8 PRECEDING AND 1 PRECEDING
  ) AS mean FROM totals
)
SELECT '{noun} of ' || day || ' are ' || printf('%.0f', 100 * total / mean) || ' % of the usual' AS cause, total, round(mean) AS usual
FROM usual
WHERE day > (SELECT date(max(day), '-8 days') FROM pipeline_runs) AND abs(total - mean) > 0.2 * mean
ORDER BY day DESC
""".strip()  # noqa: S608  # nosec B608  # constants of this file


COHORT_VALUES = ", ".join(f"('{name}')" for name in COHORTS)
MISSING_COHORTS = f"""
WITH expected(cohort) AS (VALUES {COHORT_VALUES}),
days AS (SELECT DISTINCT day FROM activity_by_cohort WHERE day > (SELECT date(max(day), '-8 days') FROM pipeline_runs))
SELECT 'Cohort ' || cohort || ' has no logs' AS cause, day
FROM expected CROSS JOIN days
WHERE NOT EXISTS (SELECT 1 FROM activity_by_cohort AS a WHERE a.day = days.day AND a.cohort = expected.cohort)
ORDER BY day DESC
""".strip()  # noqa: S608  # nosec B608  # constants of this file

DEFINITIONS = f"""
SELECT 'Cohort ' || cohort || ' counts users by ' || definition || ' instead of {DEFINITION}' AS cause, day, users
FROM activity_by_cohort
WHERE day > (SELECT date(max(day), '-8 days') FROM pipeline_runs) AND definition <> '{DEFINITION}'
ORDER BY day DESC
""".strip()  # noqa: S608  # nosec B608  # constants of this file

BLOCKS = (
    DemoBlock(UNIT_PROFIT, 1, _stale("transactions", "Transactions")),
    DemoBlock(UNIT_PROFIT, 2, TAGS),
    DemoBlock(UNIT_PROFIT, 3, _runs(UNIT_PROFIT)),
    DemoBlock(AGGREGATE_PROFIT, 1, COLUMNS),
    DemoBlock(AGGREGATE_PROFIT, 2, _runs(AGGREGATE_PROFIT)),
    DemoBlock(AGGREGATE_PROFIT, 3, REGIONS),
    DemoBlock(AGGREGATE_PROFIT, 3, check="profit-agrees-with-the-backup"),
    DemoBlock(AGGREGATE_GROWTH, 1, HISTORY),
    DemoBlock(AGGREGATE_GROWTH, 2, _runs(AGGREGATE_GROWTH)),
    DemoBlock(AGGREGATE_GROWTH, 3, INCOMPLETE),
    DemoBlock(DAILY_GROWTH, 1, _stale("activity_logs", "Activity logs")),
    DemoBlock(DAILY_GROWTH, 2, _unusual("daily_growth", "new_users", "New users")),
    DemoBlock(DAILY_GROWTH, 2, _unusual("activity_logs", "events", "Events")),
    DemoBlock(DAILY_GROWTH, 3, _runs(DAILY_GROWTH)),
    DemoBlock(ENGAGEMENT, 1, _stale("crm_updates", "CRM updates")),
    DemoBlock(ENGAGEMENT, 1, MISSING_COHORTS),
    DemoBlock(ENGAGEMENT, 2, _runs(ENGAGEMENT)),
    DemoBlock(ENGAGEMENT, 3, DEFINITIONS),
    DemoBlock(ENGAGEMENT, 3, check="check-dau-mau-ratios-for-expected-patterns"),
)


def add_evidence(source: DataSource, *, by: User, at: dt.datetime) -> None:
    """Add the blocks to the demo's runbooks as a revision by an admin, and approve their queries with visible rows."""
    for runbook in Runbook.objects.select_related("pipeline"):
        blocks = [one for one in BLOCKS if match_key(one.pipeline) == runbook.pipeline.match_key]
        text = runbook.revisions.get(number=runbook.revision).markdown
        revision = save_revision(
            runbook,
            markdown=with_blocks(text, blocks, source=source.name),
            based_on=runbook.revision,
            author=by,
            summary=SUMMARY,
        )
        for block in evidence_blocks(revision.html):
            if block.kind == SQL:
                approve_query(source, query=block.query, by=by, at=at, rows_for_engineers=True)


def with_blocks(markdown: str, blocks: list[DemoBlock], *, source: str) -> str:
    """Return a runbook with blocks under the numbered lines of its troubleshooting steps."""
    lines: list[str] = []
    in_steps = False
    for line in markdown.splitlines():
        if line.startswith("### "):
            in_steps = line == STEPS_TITLE
        lines.append(line)
        number = line.partition(". ")[0]
        if not in_steps or not number.isdigit():
            continue
        for block in (one for one in blocks if one.step == int(number)):
            text = (
                [f'```sql source="{source}"', *block.query.splitlines(), "```"]
                if block.query
                else [f"check: {block.check}"]
            )
            lines += ["", *(f"   {part}" for part in text)]
        lines.append("")
    return "\n".join(lines)
