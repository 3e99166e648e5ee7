"""A later result of a sibling (another scan, filter, instance, argument or date) never hides a failure."""

import datetime as dt

import pytest

from tests.each import each
from tests.validation.samples import sample
from validation.models import ExternalCheck
from validation.services.external_results import record_file

AT = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


def statuses():
    return list(ExternalCheck.objects.order_by("pk").values_list("status", flat=True))


def failing():
    return ExternalCheck.objects.filter(status="fail").count()


# Soda


def scan(outcome="pass", *, minute=0, **change):
    check = {
        "name": "row_count > 0", "dataSource": "pg", "table": "orders", "column": None, "filter": None,
        "definition": "row_count > 0", "outcome": outcome, "diagnostics": {"value": 0},
    }  # fmt: skip
    head = {key: change.pop(key) for key in ("definitionName", "dataTimestamp", "checks") if key in change}
    return {
        "definitionName": "eu",
        "defaultDataSource": "pg",
        "scanEndTimestamp": f"2026-11-29T00:{minute:02}:00+00:00",
        "hasErrors": False,
        "checks": [check | change],
        "logs": [],
        **head,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"definitionName": "us"},
        {"dataSource": "other"},
        {"table": "visits"},
        {"column": "profit"},
        {"filter": "daily"},
        {"name": "row_count > 1"},
        {"definition": "checks for orders:\n  row_count > 0:\n    filter: country = 'US'\n"},
    ],
)
def test_a_passing_sibling_of_a_soda_check_does_not_hide_its_failure(db, change):
    record_file("soda", document=scan("fail"), at=AT)
    record_file("soda", document=scan("pass", minute=1, **change), at=AT)
    assert failing() == 1
    record_file("soda", document=scan("pass", minute=2), at=AT)
    assert failing() == 0


def test_soda_checks_with_the_same_name_are_identified_by_their_text_not_their_place(db):
    first, second = (scan(identity=identity)["checks"][0] for identity in ("a", "b"))
    record_file("soda", document=scan(checks=[first | {"outcome": "fail"}, second]), at=AT)
    record_file("soda", document=scan(checks=[second, first | {"outcome": "fail"}], minute=1), at=AT)
    assert sorted(statuses()) == ["fail", "pass", "pass"]


@pytest.mark.parametrize("checks", [[], [{"name": "x", "table": "orders", "outcome": None}]])
def test_a_soda_scan_that_evaluated_no_checks_is_unknown(db, checks):
    record_file("soda", document=scan(checks=checks), at=AT)
    assert ExternalCheck.objects.get(name="scan eu").status == "unknown"


def test_a_soda_scan_of_older_data_does_not_pass_a_newer_failure(db):
    record_file("soda", document=scan("fail", dataTimestamp="2026-11-28T00:00:00Z"), at=AT)
    record_file("soda", document=scan("pass", minute=5, dataTimestamp="2026-11-20T00:00:00Z"), at=AT)
    assert failing() == 1


# Airflow


def task(state="success", *, day=28, hour=6, **change):
    entry = {
        "version": 1, "dag_id": "growth", "task_id": "load", "state": state, "run_id": f"r{day}",
        "logical_date": f"2026-11-{day}T00:00:00Z", "end_date": f"2026-11-29T{hour:02}:00:00Z",
    }  # fmt: skip
    return entry | change


def test_a_mapped_instance_does_not_hide_the_failure_of_another(db):
    record_file("airflow", document=task("failed", map_index=3), at=AT)
    record_file("airflow", document=task(map_index=4, hour=7), at=AT)
    record_file("airflow", document=task(map_index="5", hour=8), at=AT)
    record_file("airflow", document=task(map_index=-1, hour=9), at=AT)
    assert dict(ExternalCheck.objects.values_list("key", "status")) == {
        "growth/load[3]": "fail",
        "growth/load[4]": "pass",
        "growth/load[5]": "pass",
        "growth/load": "pass",
    }


def test_a_backfill_of_an_older_date_does_not_pass_a_newer_failure(db):
    record_file("airflow", document=task("failed"), at=AT)
    record_file("airflow", document=task(day=20, hour=8), at=AT)
    assert statuses() == ["fail"]
    record_file("airflow", document=task(hour=9), at=AT)
    assert statuses() == ["pass"]


def test_the_date_of_a_backfill_may_be_in_its_run_id_only(db):
    def run(kind, day):
        return {"logical_date": None, "run_id": f"{kind}__2026-11-{day}T00:00:00+00:00"}

    record_file("airflow", document=task("failed", **run("scheduled", 28)), at=AT)
    record_file("airflow", document=task(hour=8, **run("backfill", 20)), at=AT)
    assert statuses() == ["fail"]


def test_a_failed_backfill_shows_until_it_or_a_newer_date_passes(db):
    record_file("airflow", document=task(), at=AT)
    record_file("airflow", document=task("failed", day=20, hour=8), at=AT)
    assert statuses() == ["fail"]
    record_file("airflow", document=task(day=20, hour=9), at=AT)
    assert statuses() == ["pass"]
    record_file("airflow", document=task("failed", day=21, hour=10), at=AT)
    record_file("airflow", document=task(day=29, hour=11), at=AT)
    assert statuses() == ["pass"]


def test_a_newer_date_counts_even_if_it_arrives_late(db):
    record_file("airflow", document=task(day=20, hour=8), at=AT)
    record_file("airflow", document=task("failed", hour=6), at=AT)
    assert statuses() == ["fail"]


@pytest.mark.parametrize("newest_first", [True, False])
def test_several_dates_in_one_file_are_results_of_one_check(db, newest_first):
    runs = [task("failed"), task(day=20, hour=8)]
    document = {"version": 1, "runs": runs if newest_first else runs[::-1]}
    assert record_file("airflow", document=document, at=AT).new == 2
    assert record_file("airflow", document=document, at=AT).new == 0
    assert statuses() == ["fail"]


@pytest.mark.parametrize("change", [{"exception": "Timeout"}, {"reason": "timed_out", "task_id": None}])
@pytest.mark.parametrize("state", ["running", "success", "queued", ""])
def test_a_failure_callback_is_a_failure_whatever_its_state(db, state, change):
    record_file("airflow", document=task(state, **change), at=AT)
    assert statuses() == ["fail"]


def test_a_run_in_progress_does_not_hide_a_failure(db):
    record_file("airflow", document=task("failed"), at=AT)
    record_file("airflow", document=task("running", day=29, hour=7), at=AT)
    assert statuses() == ["fail"]


# Great Expectations


def suite(success, *, minute=0, batch=None, **kwargs):
    document = sample("great_expectations")
    entry = document["results"][1]
    entry["success"] = success
    entry["expectation_config"]["kwargs"] |= kwargs
    document["results"] = [entry]
    document["meta"]["validation_time"] = f"2026-11-29T00:{minute:02}:00+00:00"
    document["meta"]["active_batch_definition"] |= batch or {}
    return document


@pytest.mark.parametrize(
    "change",
    [
        {"max_value": 10},
        {"row_condition": "region = 'EU'"},
        {"column": "cost"},
        {"strict_max": True},
        {"batch": {"datasource_name": "other"}},
        {"batch": {"batch_identifiers": {"region": "EU"}}},
    ],
)
def test_an_expectation_with_other_arguments_does_not_hide_a_failure(db, change):
    record_file("great-expectations", document=suite(False), at=AT)
    record_file("great-expectations", document=suite(True, minute=1, **change), at=AT)
    assert failing() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"batch_id": "another"},
        {"result_format": "SUMMARY"},
        {"parse_strings_as_datetimes": None},
        {"batch": {"batch_identifiers": {"year": "2026", "month": "11", "loaded": "2026-11-29"}}},
    ],
)
def test_an_expectation_with_other_settings_or_of_another_day_is_the_same(db, change):
    record_file("great-expectations", document=suite(False), at=AT)
    record_file("great-expectations", document=suite(True, minute=1, **change), at=AT)
    assert statuses() == ["pass"]


def test_the_place_of_an_expectation_does_not_matter(db):
    failed = suite(False)
    first = suite(True, column="cost")["results"][0]
    record_file("great-expectations", document=failed, at=AT)
    later = suite(True, minute=1)
    later["results"] = [first]
    record_file("great-expectations", document=later, at=AT)
    assert failing() == 1


# dbt


def run_results(status, *, command="build", node="test.shop.unique_orders.k1", minute=0, **args):
    at = f"2026-11-29T00:{minute:02}:00Z"
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
            "generated_at": at,
        },
        "results": [
            {"status": status, "unique_id": node, "timing": [{"name": "execute", "completed_at": at}], "failures": None}
        ],
        "args": {"which": command, **args},
    }


@each("command", ["generate", "compile", "list", "ls", "parse", "show", "clone", "run-operation", "docs"])
def test_a_dbt_command_that_neither_builds_nor_tests_has_no_results(db, command):
    record_file("dbt", document=run_results("fail"), at=AT)
    assert record_file("dbt", document=run_results("success", command=command, minute=1), at=AT).new == 0
    assert statuses() == ["fail"]


def test_an_empty_dbt_build_has_no_results(db):
    assert record_file("dbt", document=run_results("pass", empty=True), at=AT).new == 0


@each("command", ["run", "build", "test", "seed", "snapshot", "source", "retry"])
def test_a_dbt_command_that_builds_or_tests_has_results(db, command):
    assert record_file("dbt", document=run_results("pass", command=command), at=AT).new == 1


def test_a_partially_successful_microbatch_model_fails(db):
    record_file("dbt", document=run_results("partial success", node="model.shop.orders"), at=AT)
    assert statuses() == ["fail"]


@pytest.mark.parametrize("status", ["success", "skipped", "no-op"])
def test_a_dbt_test_that_was_not_run_again_still_fails(db, status):
    record_file("dbt", document=run_results("fail"), at=AT)
    record_file("dbt", document=run_results(status, minute=1), at=AT)
    assert statuses() == ["fail"]
