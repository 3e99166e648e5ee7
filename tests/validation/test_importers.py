"""Parsers for the files of dbt, Great Expectations, Soda and Airflow."""

import datetime as dt
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.each import each
from tests.validation.samples import path_of, sample
from validation.importers import airflow, alertmanager, dbt, files, great_expectations, soda
from validation.importers.files import KINDS, parsed
from validation.importers.parsing import MAX_KEY_LENGTH, MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH
from validation.importers.results import ResultStatus, UnreadableFileError

FILES = {
    "dbt_run_results": "dbt",
    "dbt_sources": "dbt",
    "great_expectations": "great-expectations",
    "soda": "soda",
    "soda_contract": "soda",
    "airflow": "airflow",
    "alertmanager": "alertmanager",
}


def read(kind, document):
    """Return the results of a file of any tool."""
    return alertmanager.read(document) if kind == "alertmanager" else files.read(kind, document=document)


def statuses(results):
    return [str(result.status) for result in results]


def test_a_dbt_model_that_does_not_build_fails_and_a_broken_test_is_an_error():
    results = dbt.read(sample("dbt_run_results"))
    assert statuses(results) == ["pass", "fail", "skip", "warn", "fail", "error", "unknown"]


def test_a_dbt_result_has_its_count_and_time():
    model, *_, unknown = results = dbt.read(sample("dbt_run_results"))
    assert (model.key, model.name) == ("model.shop.unit_profit", "model unit_profit")
    assert (model.value, model.measure, model.subject) == (1500.0, "rows written", "unit_profit")
    assert model.at == dt.datetime(2026, 3, 2, 6, 0, 2, 500000, tzinfo=dt.UTC)
    failing = results[3]
    assert (failing.name, failing.value, failing.measure) == ("test not_null_unit_profit_tag", 4.0, "failing rows")
    assert failing.at == dt.datetime(2026, 3, 2, 6, 10, tzinfo=dt.UTC)
    assert "postponed" in unknown.message


def test_dbt_source_statuses_ignore_case_and_error_means_too_old():
    orders, visits, refunds = dbt.read(sample("dbt_sources"))
    assert statuses([orders, visits, refunds]) == ["fail", "pass", "error"]
    assert (orders.name, orders.value) == ("freshness of raw.orders", 194340.0)
    assert orders.message == ("Newest row: 2026-02-28 00:00 UTC.\nWarns after 1 day. Fails after 36 hours.")
    assert refunds.message == "permission denied for table refunds"


def test_a_source_missing_from_the_file_is_unknown():
    expected = ["source.shop.raw.orders", "source.shop.raw.returns", "source.other.raw.x", "model.shop.m"]
    (absent,) = dbt.absent_sources(sample("dbt_sources"), expected=expected)
    assert (absent.key, absent.status) == ("source.shop.raw.returns", ResultStatus.UNKNOWN)
    assert absent.at == dt.datetime(2026, 3, 2, 6, 0, tzinfo=dt.UTC)


def test_a_file_without_sources_covers_the_only_project():
    document = sample("dbt_sources") | {"results": []}
    assert [row.key for row in dbt.absent_sources(document, expected=["source.a.s.t"])] == ["source.a.s.t"]
    assert dbt.absent_sources(document, expected=["source.a.s.t", "source.b.s.t"]) == []


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("run-results/v9", "^dbt run_results: schema v9 is not one of v4 to v6$"),
        ("run-results/v3", "^dbt run_results: schema v3 is not one of v4 to v6$"),
        ("sources/v2", "^dbt sources: schema v2 is not v3$"),
        ("manifest/v12", "is not the schema of a run_results.json or a sources.json"),
    ],
)
def test_another_dbt_schema_is_rejected(schema, why):
    document = sample("dbt_run_results")
    document["metadata"]["dbt_schema_version"] = f"https://schemas.getdbt.com/dbt/{schema}.json"
    with pytest.raises(UnreadableFileError, match=why):
        dbt.read(document)


@pytest.mark.parametrize("version", ["v4", "v5", "v6"])
def test_every_supported_run_results_schema_is_read(version):
    document = sample("dbt_run_results")
    document["metadata"]["dbt_schema_version"] = f"https://schemas.getdbt.com/dbt/run-results/{version}.json"
    assert len(dbt.read(document)) == 7


def test_expectation_statuses():
    results = great_expectations.read(sample("great_expectations"))
    assert statuses(results) == ["pass", "fail", "warn", "error", "unknown"]
    mean = results[1]
    assert (
        mean.key
        == "unit_profit/unit profit daily/expect_column_mean_to_be_between(profit, max_value=9, min_value=1)@shop"
    )
    assert (mean.subject, mean.column, mean.value) == ("unit_profit", "profit", 12.25)
    assert mean.message == "Observed 12.25.\nExpected: min_value 1, max_value 9."
    assert results[2].message.startswith("8 of 800 rows are unexpected.")
    assert results[3].message == 'The column "gone" does not exist.'
    assert mean.at == dt.datetime(2026, 3, 2, 6, 20, tzinfo=dt.UTC)


def test_a_checkpoint_has_the_results_of_its_suites():
    suite = sample("great_expectations")
    other = suite | {"suite_name": "second"}
    checkpoint = {
        "run_id": {"run_name": None, "run_time": "2026-03-02T06:19:00+00:00"},
        "run_results": {"ValidationResultIdentifier::a": suite, "ValidationResultIdentifier::b": other},
        "checkpoint_config": {"name": "daily"},
        "success": False,
    }
    results = great_expectations.read(checkpoint)
    assert statuses(results) == ["pass", "fail", "warn", "error", "unknown"] * 2
    assert len({result.key for result in results}) == 10


def test_a_described_checkpoint_is_read():
    entry = {
        "expectation_type": "expect_column_max_to_be_between",
        "success": False,
        "kwargs": {"column": "x"},
        "result": {"observed_value": 7},
    }
    described = {
        "success": False,
        "statistics": {},
        "validation_results": [{"success": False, "expectations": [entry]}],
    }
    (result,) = great_expectations.read(described)
    assert (result.status, result.value, result.column, result.at) == (ResultStatus.FAIL, 7.0, "x", None)


def test_identical_expectations_are_numbered_in_file_order():
    document = sample("great_expectations")
    document["results"] = [document["results"][0]] * 3
    keys = [result.key for result in great_expectations.read(document)]
    assert keys[1:] == [f"{keys[0]}#2", f"{keys[0]}#3"]


def test_a_new_id_does_not_change_an_expectation_s_key():
    document = sample("great_expectations")
    before = [result.key for result in great_expectations.read(document)]
    for entry in document["results"]:
        entry["expectation_config"]["id"] = "another"
        entry["expectation_config"]["kwargs"]["batch_id"] = "another"
    assert [result.key for result in great_expectations.read(document)] == before


@pytest.mark.parametrize(
    ("batch", "asset"), [("shop-orders", "shop-orders"), ("shop-orders-year_2026-month_03", "shop-orders"), (None, "")]
)
def test_a_described_expectation_is_identified_by_its_batch(batch, asset):
    """`describe()` has no meta, so that only the batch's id says which table was validated."""
    kwargs = {"column": "id"} | ({"batch_id": batch} if batch else {})
    entry = {"expectation_type": "expect_column_values_to_be_unique", "success": True, "kwargs": kwargs}
    (result,) = great_expectations.read({"validation_results": [{"success": True, "expectations": [entry]}]})
    assert result.key == f"{asset}/expect_column_values_to_be_unique(id)".removeprefix("/")
    assert result.subject == asset


def test_another_major_version_of_great_expectations_is_rejected():
    document = sample("great_expectations")
    document["meta"]["great_expectations_version"] = "0.18.22"
    with pytest.raises(UnreadableFileError, match=r"^great_expectations: version 0\.18\.22 is not 1\.x$"):
        great_expectations.read(document)


def test_soda_outcomes_are_statuses_and_no_outcome_is_unknown():
    *checks, scan = soda.read(sample("soda"))
    assert statuses(checks) == ["pass", "warn", "fail", "unknown"]
    assert (scan.key, scan.status) == ("shop/scan/daily", ResultStatus.PASS)
    low = checks[1]
    assert (low.key, low.value, low.measure) == ("shop/orders/profit/profit in range @daily", -55.5, "min")
    assert low.message == "Fails at less than -500.0. Warns at less than -50.0."
    assert checks[2].message == "Column tax is missing"


def test_a_contract_result_of_soda_4_has_the_schema_and_the_path_in_its_keys():
    *checks, scan = soda.read(sample("soda_contract"))
    assert [(check.key.partition(" @")[0], check.status.value) for check in checks] == [
        ("warehouse/shop/public/orders/customer_id/columns.customer_id.checks.missing", "fail"),
        ("warehouse/shop/public/orders/checks.row_count", "pass"),
        ("warehouse/shop/public/orders/checks.freshness", "unknown"),
        ("warehouse/shop/public/orders/email/columns.email.checks.invalid", "skip"),
    ]
    assert (checks[0].value, checks[0].measure, checks[2].message) == (
        7,
        "missing",
        "Soda did not evaluate this check.",
    )
    assert (scan.key, scan.status.value) == ("warehouse/scan/warehouse/shop/public/orders", "pass")
    empty = {key: value for key, value in sample("soda_contract").items() if key != "checks"}
    [scan] = soda.read(empty)
    assert (scan.status.value, scan.message) == ("unknown", "The scan evaluated no checks.")


@each(
    ("tool", "state", "status"),
    [
        ("dagster", "SUCCESS", "pass"), ("dagster", "FAILURE", "fail"), ("dagster", "CANCELED", "fail"),
        ("prefect", "Completed", "pass"), ("prefect", "Failed", "fail"), ("prefect", "Crashed", "fail"),
        ("prefect", "TimedOut", "fail"), ("prefect", "AwaitingRetry", "warn"), ("prefect", "Cached", "skip"),
    ],
)  # fmt: skip
def test_dagster_and_prefect_post_the_same_json_as_airflow(tool, state, status):
    [result] = files.read(tool, document={"version": 1, "dag_id": "orders", "run_id": "r1", "state": state})
    assert (result.tool, result.key, result.status.value, result.run) == (tool, "orders", status, "r1")
    assert result.name == {"dagster": "job orders", "prefect": "flow orders"}[tool]


def test_an_error_in_soda_s_log_is_an_error_of_the_scan():
    document = sample("soda") | {"hasErrors": True}
    document["logs"].append({"level": "ERROR", "message": "Invalid check “x”"})
    scan = soda.read(document)[-1]
    assert (scan.status, scan.message, scan.value) == (ResultStatus.ERROR, "Invalid check “x”", 1.0)


def test_another_major_version_of_soda_is_rejected():
    document = sample("soda")
    document["logs"][0]["message"] = "Soda Core 5.0.1"
    with pytest.raises(UnreadableFileError, match=r"^soda: Soda Core 5 is not 3 or 4$"):
        soda.read(document)
    with pytest.raises(UnreadableFileError, match="not a scan result"):
        soda.read({})


def test_a_failed_airflow_task_has_its_exception_and_log():
    (result,) = airflow.read(sample("airflow"))
    assert (result.key, result.name, result.status) == (
        "unit_profit/aggregate",
        "unit_profit.aggregate",
        ResultStatus.FAIL,
    )
    assert result.at == dt.datetime(2026, 3, 2, 4, 0, 5, tzinfo=dt.UTC)
    assert (result.value, result.measure) == (3600.0, "seconds")
    assert result.message.startswith("AirflowTaskTimeout")
    assert "https://airflow.example/log" in result.message


@each(
    ("state", "status"),
    [
        ("success", "pass"),
        ("FAILED", "fail"),
        ("running", "unknown"),
        ("upstream_failed", "fail"),
        ("up_for_retry", "warn"),
        ("skipped", "skip"),
        ("queued", "unknown"),
    ],
)
def test_airflow_states_have_a_status(state, status):
    assert statuses(airflow.read(sample("airflow") | {"state": state, "exception": ""})) == [status]


def test_several_airflow_runs_in_one_file():
    one = sample("airflow")
    document = {"version": 1, "runs": [one, one | {"task_id": None, "state": "success", "exception": None}]}
    assert [result.key for result in airflow.read(document)] == ["unit_profit/aggregate", "unit_profit"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 2}, "version 2 is not 1"),
        ({"dag_id": None}, "dag_id is missing"),
        ({"state": "", "exception": ""}, "state is missing"),
        ({"runs": 3}, "runs is not a list"),
    ],
)
def test_missing_airflow_fields_are_named(change, why):
    with pytest.raises(UnreadableFileError, match=why):
        airflow.read(sample("airflow") | change)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe{", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 5000, "not JSON"),
    ],
)
def test_a_file_that_is_not_json_is_rejected(data, why):
    with pytest.raises(UnreadableFileError, match=why):
        parsed(data)


def test_a_byte_order_mark_is_skipped():
    assert parsed(b"\xef\xbb\xbf{}") == {}


def is_storable(word, limit):
    """Return True if the database can store this text."""
    word.encode()
    return "\x00" not in word and len(word) <= limit


def check_results(results):
    # Airflow reports several runs of a task under one key.
    assert len({result.key for result in results}) == len(results) or results[0].tool == "airflow"
    for result in results:
        assert result.key
        assert is_storable(result.key, MAX_KEY_LENGTH)
        assert is_storable(result.message, MAX_MESSAGE_LENGTH)
        for word in (result.name, result.subject, result.column, result.measure):
            assert is_storable(word, 300 + MAX_NAME_LENGTH)
        assert result.value is None or math.isfinite(result.value)
        assert result.at is None or result.at.utcoffset() == dt.timedelta(0)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(),
    st.sampled_from(["\ud800", "\x00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00", "x" * 3000, "4", "1"]),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(kind=st.sampled_from([*KINDS, "alertmanager"]), document=anything)
def test_any_json_is_read_or_rejected(kind, document):
    try:
        check_results(read(kind, document))
    except UnreadableFileError as rejection:
        str(rejection).encode()


def places(document, path=()):
    """Yield the path of every value in a document."""
    yield path
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield from places(value, (*path, key))


def replaced(document, path, value):
    if not path:
        return value
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


@given(data=st.data(), name=st.sampled_from(sorted(FILES)), value=anything)
def test_a_sample_with_any_value_replaced_is_read_or_rejected(data, name, value):
    document = sample(name)
    path = data.draw(st.sampled_from(list(places(document))))
    try:
        results = read(FILES[name], replaced(document, path, value))
    except UnreadableFileError as rejection:
        assert str(rejection)
    else:
        check_results(results)


@each("name", sorted(FILES))
def test_every_entry_of_a_file_is_read_and_reading_is_repeatable(name):
    document = json.loads(path_of(name).read_bytes())
    entries = {"soda": 5, "soda_contract": 5, "airflow": 1, "alertmanager": 2}.get(name) or len(document["results"])
    results = read(FILES[name], document)
    assert len(results) == entries
    assert read(FILES[name], sample(name)) == results
