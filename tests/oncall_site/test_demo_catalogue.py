"""The catalog of the demo: queries run, and every failure mode and validation line of the handbook has a check."""

import datetime as dt
import sqlite3
from contextlib import closing

import pytest

from examples.warehouse import SCENARIOS, grow
from handbook.format.reader import read_handbook
from oncall_site.demo_catalog import CHECKS, METRICS, RUNBOOK_CHECKS
from tests.conftest import SEED
from validation.check_types import CHECK_TYPES
from validation.domain.suggestions import suggest_checks

# On one worker of xdist, so that the warehouse is built once.
pytestmark = pytest.mark.xdist_group("demo catalogue")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "warehouse.sqlite"
    grow(path, until=dt.date(2026, 3, 31), days=20)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: f"{metric.pipeline} {metric.slug}")
def test_every_metric_has_a_value_for_every_day(warehouse, metric):
    rows = warehouse.execute(metric.query).fetchall()
    assert {row[0] for row in rows if len(row) < 3 or row[2] == ""} == {
        str(dt.date(2026, 3, 12) + dt.timedelta(days=ahead)) for ahead in range(20)
    }
    assert all(isinstance(row[1], int | float) for row in rows)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_has_valid_parameters(warehouse, check):
    slugs = {metric.slug for metric in METRICS if metric.pipeline == check.pipeline}
    assert {check.metric, check.other} - {""} <= slugs
    if check.targets:
        assert warehouse.execute(f"SELECT count(*) FROM {check.targets}").fetchone()[0] >= 8  # noqa: S608
    else:
        CHECK_TYPES[check.check_type].read(check.parameters)
    if check.query:
        assert warehouse.execute(check.query).fetchall()


def test_every_failure_of_the_runbooks_has_a_check():
    there = {(check.pipeline, check.name) for check in CHECKS}
    assert {(scenario.pipeline, scenario.caught_by) for scenario in SCENARIOS.values()} <= there
    assert len(there) == len(CHECKS)


def test_every_validation_line_of_the_handbook_has_its_suggested_check():
    proposed = []
    for runbook in read_handbook(SEED.read_bytes()).runbooks:
        section = next(section for section in runbook.sections if section.title == "Metrics Validation")
        proposed += [(row.name, row.check_type) for row in suggest_checks(section.markdown, pipeline=runbook.name)]
    assert [(check.name, check.check_type) for check in RUNBOOK_CHECKS] == proposed
