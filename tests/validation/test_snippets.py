"""The snippets of docs/data.md and docs/validation.md, run as printed, against the site and stubs of the tools."""

import datetime as dt
import re
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.error import HTTPError

import pytest

from people.services.accounts import create_token
from readiness.api import readiness as readiness_api
from readiness.domain.verdict import Readiness, Reason, ReasonKind, Verdict
from tests.factories import make_pipeline
from validation.models import ExternalCheck

DOCS = Path(__file__).parents[2] / "docs"
AT = dt.datetime(2026, 11, 28, 6, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 28)
PIPELINE = "daily-growth-experiment-focused"


class BaseSensorOperator:
    """Airflow's, as far as a sensor needs it."""

    def __init__(self, **options):
        self.options = options
        self.log = SimpleNamespace(info=lambda text, *values: self.lines.append(text % values))
        self.lines = []


RunRequest = namedtuple("RunRequest", "run_key")
SkipReason = namedtuple("SkipReason", "skip_message")


def sensor(**options):
    return lambda function: function


@pytest.fixture(autouse=True)
def site(live_server, a, monkeypatch):
    """Set the variables that the snippets read, and replace the tools with stubs."""
    api, token = f"{live_server.url}/api/v1", create_token(a, name="tools", scope="write").secret
    monkeypatch.setenv("API", api)
    monkeypatch.setenv("TOKEN", token)
    variables = SimpleNamespace(get={"oncall_api": api, "oncall_token": token}.__getitem__)
    stubs = {
        "airflow": {},
        "airflow.models": {"Variable": variables},
        "airflow.sensors": {},
        "airflow.sensors.base": {"BaseSensorOperator": BaseSensorOperator},
        "dagster": {
            "HookContext": object, "RunRequest": RunRequest, "SkipReason": SkipReason, "sensor": sensor,
            "failure_hook": lambda hook: hook, "success_hook": lambda hook: hook,
        },
    }  # fmt: skip
    for name, members in stubs.items():
        monkeypatch.setitem(sys.modules, name, stub(name, **members))


def stub(name, **members):
    module = ModuleType(name)
    vars(module).update(members)
    return module


def snippet(document, needle):
    """Run the block of a document that contains a text; return its names."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / document).read_text(), re.MULTILINE | re.DOTALL)
    [source] = [block for block in blocks if needle in block]
    names = {}
    exec(compile(source, document, "exec"), names)  # noqa: S102  # our own documents
    return SimpleNamespace(**names)


def results():
    return list(ExternalCheck.objects.order_by("key").values_list("tool", "key", "status"))


@pytest.fixture
def verdict(a, b, monkeypatch):
    """Return the verdict on the pipeline's day, to be changed by the test."""
    make_pipeline("Daily growth (experiment-focused)", primary=a, secondary=b)
    state = {"now": Verdict.DOUBTFUL}
    reasons = (Reason(ReasonKind.WARNED, "Check “Growth” has a warning."),)

    def readiness(pipelines, *, at, day=None):
        return {row.pk: Readiness(day or DAY, state["now"], reasons, 1, None) for row in pipelines}

    monkeypatch.setattr(readiness_api, "readiness_by_pipeline", readiness)
    return state


def test_the_airflow_sensor_waits_until_the_day_is_safe(verdict):
    make = snippet("data.md", "class ReadinessSensor").ReadinessSensor
    one = make(pipeline=PIPELINE, day="2026-11-28", task_id="numbers")
    assert (one.poke({}), one.lines) == (False, ["Not safe: Check “Growth” has a warning."])
    verdict["now"] = Verdict.SAFE
    assert (one.poke({}), one.options, one.template_fields) == (True, {"task_id": "numbers"}, ("pipeline", "day"))
    with pytest.raises(HTTPError, match="404"):
        make(pipeline="unknown", day="2026-11-28").poke({})


def test_the_dagster_sensor_runs_once_for_each_safe_day(verdict):
    evaluate = snippet("data.md", "@sensor").daily_growth_is_safe
    assert evaluate(None) == SkipReason("Check “Growth” has a warning.")
    verdict["now"] = Verdict.SAFE
    assert evaluate(None) == RunRequest("2026-11-28")


def test_the_airflow_callback_reports_failure_and_success():
    notify = snippet("validation.md", "def notify_oncall(context)").notify_oncall
    ti = SimpleNamespace(
        dag_id="orders", task_id="load", map_index=-1, state="failed", start_date=AT, end_date=AT, duration=1.5,
        log_url="https://airflow.example/log",
    )  # fmt: skip
    notify({"task_instance": ti, "run_id": "r1", "logical_date": AT, "exception": ValueError("No rows")})
    assert (results(), ExternalCheck.objects.get().message.splitlines()[0]) == (
        [("airflow", "orders/load", "fail")],
        "No rows",
    )
    ti.state, ti.end_date = "success", AT + dt.timedelta(minutes=5)
    notify({"task_instance": ti, "run_id": "r2", "logical_date": None})
    assert results() == [("airflow", "orders/load", "pass")]


def test_the_dagster_hooks_report_failure_and_success():
    hooks = snippet("data.md", "def oncall_failure")
    context = SimpleNamespace(job_name="orders", op=SimpleNamespace(name="load"), run_id="r1", op_exception=ValueError("No rows"))  # fmt: skip
    hooks.oncall_failure(context)
    assert results() == [("dagster", "orders/load", "fail")]
    hooks.oncall_success(SimpleNamespace(**vars(context) | {"op_exception": None, "run_id": "r2"}))
    assert results() == [("dagster", "orders/load", "pass")]


@pytest.mark.parametrize(("name", "status"), [("Completed", "pass"), ("Failed", "fail"), ("Crashed", "fail")])
def test_the_prefect_hook_reports_how_a_flow_ended(name, status):
    state = SimpleNamespace(
        name=name, message="No rows", is_failed=lambda: name == "Failed", is_crashed=lambda: name == "Crashed"
    )
    run = SimpleNamespace(id="0b1c", expected_start_time=AT)
    snippet("data.md", "def notify_oncall(flow").notify_oncall(SimpleNamespace(name="orders"), run, state)
    assert results() == [("prefect", "orders", status)]


def test_the_soda_4_snippet_sends_each_check_of_a_contract(monkeypatch):
    def check(path, outcome, column=None):
        about = SimpleNamespace(check_path=path, type=path.split(".")[-1], name=path, column_name=column)
        return SimpleNamespace(check=about, outcome=SimpleNamespace(name=outcome), threshold_value=1)

    contract = SimpleNamespace(
        soda_qualified_dataset_name="warehouse/shop/main/orders", data_source_name="warehouse",
        dataset_prefix=["shop", "main"], dataset_name="orders",
    )  # fmt: skip
    checks = [check("checks.row_count", "PASSED"), check("columns.id.checks.missing", "FAILED", "id"), check("checks.late", "ODD")]  # fmt: skip
    result = SimpleNamespace(
        contract=contract, data_timestamp=AT, ended_timestamp=AT, has_errors=False, check_results=checks
    )
    session = SimpleNamespace(contract_verification_results=[result])
    monkeypatch.setitem(sys.modules, "soda_core", stub("soda_core"))
    contracts = stub("soda_core.contracts", verify_contract_locally=lambda **files: session)
    monkeypatch.setitem(sys.modules, "soda_core.contracts", contracts)
    snippet("data.md", "verify_contract_locally")
    table, scan = "warehouse/shop/main/orders", "@warehouse/shop/main/orders"
    assert results() == [
        ("soda", f"warehouse/scan/{table}", "pass"),
        ("soda", f"{table}/checks.late {scan}", "unknown"),
        ("soda", f"{table}/checks.row_count {scan}", "pass"),
        ("soda", f"{table}/id/columns.id.checks.missing {scan}", "fail"),
    ]


def test_the_great_expectations_snippet_sends_each_validation(monkeypatch):
    document = {
        "suite_name": "daily",
        "meta": {"active_batch_definition": {"datasource_name": "shop", "data_asset_name": "orders"}},
        "results": [
            {
                "success": False,
                "expectation_config": {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
            }
        ],
    }
    run = SimpleNamespace(run_results={"a": SimpleNamespace(to_json_dict=lambda: document)})
    checkpoints = {"orders": SimpleNamespace(run=lambda: run)}
    context = SimpleNamespace(checkpoints=SimpleNamespace(get=checkpoints.__getitem__))
    monkeypatch.setitem(sys.modules, "great_expectations", stub("great_expectations", get_context=lambda mode: context))
    snippet("data.md", "import great_expectations")
    assert results() == [
        ("great_expectations", "orders/daily/expect_column_values_to_be_unique(id)@shop", "fail"),
    ]
