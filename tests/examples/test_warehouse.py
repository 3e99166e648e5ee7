"""The demo warehouse: the same for the same seed, grown day by day, and broken in each way that a runbook names."""

import datetime as dt
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from examples.warehouse import SCENARIOS, TABLES, grow, inject, last_whole_day
from handbook.format.reader import read_handbook
from people.domain.names import match_key
from tests.conftest import SEED

DAY = dt.date(2026, 3, 31)
PROGRAM = Path(__file__).parents[2] / "examples" / "warehouse.py"


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)  # noqa: S608
            for table in TABLES
        }


def built(path, *, until=DAY, days=60, **fields):
    grow(path, until=until, days=days, **fields)
    return dump(path)


def test_the_same_seed_makes_the_same_warehouse_and_another_seed_another(tmp_path):
    one = built(tmp_path / "one.sqlite")
    assert built(tmp_path / "two.sqlite") == one
    assert built(tmp_path / "three.sqlite", seed=8) != one


def test_a_warehouse_grown_day_by_day_is_the_one_made_at_once(tmp_path):
    path = tmp_path / "grown.sqlite"
    grow(path, until=DAY - dt.timedelta(days=10), days=50)
    for ago in range(9, -1, -1):
        assert grow(path, until=DAY - dt.timedelta(days=ago)) == 1
    assert grow(path, until=DAY) == 0
    assert dump(path) == built(tmp_path / "once.sqlite")


def test_it_holds_about_400_whole_days_of_every_pipeline(tmp_path):
    path = tmp_path / "whole.sqlite"
    assert grow(path, until=DAY) == 400
    days = {row[0] for row in dump(path)["company_profit"]}
    assert (len(days), max(days), min(days)) == (400, "2026-03-31", "2025-02-25")
    assert max(row[1] for row in dump(path)["pipeline_runs"]) == "2026-04-01"


def test_a_scenario_changes_the_warehouse_and_the_next_day_still_comes(tmp_path):
    path = tmp_path / "broken.sqlite"
    clean, data = built(path), path.read_bytes()
    for name, scenario in SCENARIOS.items():
        path.write_bytes(data)
        inject(path, scenario, day=DAY)
        assert dump(path) != clean, name
        assert grow(path, until=DAY + dt.timedelta(days=1)) == 1, name


def test_the_scenarios_are_those_of_the_handbook_s_runbooks_word_for_word():
    named = []
    for runbook in read_handbook(SEED.read_bytes()).runbooks:
        section = next(section for section in runbook.sections if section.title == "Failure Scenarios")
        lines = [line.split(". ", 1)[1].strip() for line in section.markdown.strip().splitlines()]
        named += [(match_key(runbook.full_name), line) for line in lines]
    assert [(match_key(scenario.pipeline), scenario.words) for scenario in SCENARIOS.values()] == named
    assert len(named) == 15


def test_a_day_is_whole_when_its_night_s_runs_are_done():
    assert last_whole_day(dt.datetime(2026, 4, 1, 5, 59, tzinfo=dt.UTC)) == dt.date(2026, 3, 30)
    assert last_whole_day(dt.datetime(2026, 4, 1, 6, 0, tzinfo=dt.UTC)) == DAY


def test_it_runs_as_a_program(tmp_path):
    path = tmp_path / "program.sqlite"
    command = [
        sys.executable,
        str(PROGRAM),
        "--path",
        str(path),
        "--until",
        "2026-03-31",
        "--days",
        "30",
        "--inject",
        "late-crm",
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output == f"{path}: 30 days added, the last is 2026-03-31, delays in crm system data updates\n"
    assert max(row[0] for row in dump(path)["crm_updates"]) == "2026-03-28"
