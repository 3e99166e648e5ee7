"""Validation results of Great Expectations 1.x: of one suite, or of a checkpoint with several suites."""

import datetime as dt
import re
from collections.abc import Iterator

from validation.importers.parsing import (
    Json,
    Record,
    canonical,
    instant,
    items,
    join_sentences,
    number,
    optional_record,
    record,
    result_key,
    text,
    with_unique_keys,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "great_expectations"
SEVERITIES = {"warning": ResultStatus.WARN, "info": ResultStatus.WARN}
# Arguments that do not change what an expectation means.
SETTINGS = {
    "batch_id",
    "result_format",
    "catch_exceptions",
    "include_config",
    "meta",
    "notes",
    "severity",
    "description",
}
PERIOD_IDENTIFIERS = {"year", "month", "day", "hour", "date", "path", "dataframe"}
# The end of a batch ID that names a period or a file, not a table.
PERIOD_OF_BATCH = re.compile(rf"-(?:{'|'.join(sorted(PERIOD_IDENTIFIERS))})_.*", re.DOTALL)
BOUNDS = ("min_value", "max_value", "value", "value_set", "regex", "mostly", "column_list", "type_")


def read(document: Json) -> list[ExternalResult]:
    """Return one result per expectation, in file order.

    Reads a validation result, a checkpoint result as JSON, and a checkpoint's `describe()`. Raises UnreadableFileError
    for any other file or another major version.
    """
    document_record = record(document, location="great_expectations: the file")
    expectations = list(_expectations(document_record, "great_expectations"))
    results = [_result(entry, suite=suite, location=location) for suite, entry, location in expectations]
    return with_unique_keys(results, details=[_batch_id(entry, suite=suite) for suite, entry, _ in expectations])


def _expectations(document_record: Record, location: str) -> Iterator[tuple[Record, Record, str]]:
    """Yield the suite, entry and location of every expectation."""
    suite: Record
    if "run_results" in document_record:
        runs = record(document_record["run_results"], location=f"{location}: run_results")
        at = optional_record(document_record.get("run_id")).get("run_time")
        for name, run in runs.items():
            suite = {"run_time": at, **record(run, location=f"{location}: run_results[{text(name)}]")}
            yield from _suite_expectations(suite, f"{location}: run_results[{text(name)}]")
    elif "validation_results" in document_record:
        for index, suite in enumerate(
            items(document_record["validation_results"], location=f"{location}: validation_results")
        ):
            yield from _suite_expectations(suite, f"{location}: validation_results[{index}]")
    else:
        yield from _suite_expectations(document_record, location)


def _suite_expectations(suite: Record, location: str) -> Iterator[tuple[Record, Record, str]]:
    _check_version(suite)
    field = "expectations" if "expectations" in suite and "results" not in suite else "results"
    for index, entry in enumerate(items(suite.get(field), location=f"{location}: {field}")):
        yield suite, entry, f"{location}: {field}[{index}]"


def _check_version(suite: Record) -> None:
    version = text(optional_record(suite.get("meta")).get("great_expectations_version"))
    if version and not version.startswith("1."):
        raise UnreadableFileError(f"great_expectations: version {version} is not 1.x")


def _result(entry: Record, *, suite: Record, location: str) -> ExternalResult:
    config = optional_record(entry.get("expectation_config"))
    kind = text(config.get("type")) or text(entry.get("expectation_type"))
    if not kind:
        raise UnreadableFileError(f"{location} has no expectation type")
    kwargs = optional_record(config.get("kwargs")) or optional_record(entry.get("kwargs"))
    column = text(kwargs.get("column")) or text(kwargs.get("column_A"))
    asset, suite_name = _asset(suite) or _described_asset(suite, kwargs), text(suite.get("suite_name"))
    observed = optional_record(entry.get("result"))
    status, unknown = _status(entry, severity=text(config.get("severity")).casefold())
    value, measure = _value(observed)
    expected = kind.removeprefix("expect_").replace("_", " ")
    return ExternalResult(
        tool=TOOL,
        # An expectation's id changes in every run of a suite built in code, and its position with every edit of the suite.
        key=result_key(asset, suite_name, f"{kind}({_arguments(kwargs)}){_batch(suite)}"),
        name=text(f"{column or asset or suite_name}: {expected}".removeprefix(": ")),
        status=status,
        value=value,
        message=join_sentences(_observed(observed), _bounds(kwargs), _exception(entry), unknown),
        at=_evaluated_at(suite),
        subject=asset or suite_name,
        column=column,
        measure=measure,
    )


def _arguments(kwargs: Record) -> str:
    """Return the arguments that tell expectations of one kind apart, the column first, then by name."""
    arguments = {text(name): value for name, value in kwargs.items() if name not in SETTINGS and value is not None}
    columns = [text(arguments.pop(name, "")) for name in ("column", "column_A")]
    named = [f"{name}={canonical(value)}" for name, value in sorted(arguments.items())]
    return ", ".join(filter(None, (*columns, *named)))


def _batch(suite: Record) -> str:
    """Return the data source and the segment of a batch, such as `@shop[region=EU]`. Dates and files are no segments."""
    batch = optional_record(optional_record(suite.get("meta")).get("active_batch_definition"))
    segments = [
        f"{text(name)}={text(value)}"
        for name, value in sorted(optional_record(batch.get("batch_identifiers")).items())
        if text(value) and name not in PERIOD_IDENTIFIERS and instant(value) is None
    ]
    source = text(batch.get("datasource_name"))
    return (f"@{source}" if source else "") + (f"[{', '.join(segments)}]" if segments else "")


def _batch_id(entry: Record, *, suite: Record) -> str:
    kwargs = optional_record(optional_record(entry.get("expectation_config")).get("kwargs")) or optional_record(
        entry.get("kwargs")
    )
    return text(kwargs.get("batch_id")) or text(optional_record(suite.get("meta")).get("batch_id"))


def _status(entry: Record, *, severity: str) -> tuple[ResultStatus, str]:
    """Return the status: a broken expectation says nothing about the data, and a severity below critical warns."""
    success = entry.get("success")
    if _exception(entry):
        return ResultStatus.ERROR, ""
    if success is True:
        return ResultStatus.PASS, ""
    if success is False:
        return SEVERITIES.get(severity, ResultStatus.FAIL), ""
    return ResultStatus.UNKNOWN, f"“success” is “{text(success)}”." if text(
        success
    ) else "“success” is neither true nor false."


def _exception(entry: Record) -> str:
    """Return the error message: one exception, or one for each computed metric."""
    exceptions = optional_record(entry.get("exception_info"))
    for info in (exceptions, *(optional_record(value) for value in exceptions.values())):
        if info.get("raised_exception") is True:
            return text(info.get("exception_message"), limit=2000) or "The expectation could not be evaluated."
    return ""


def _value(observed: Record) -> tuple[float | None, str]:
    for field, measure in (("observed_value", "observed value"), ("unexpected_percent", "unexpected percent")):
        value = number(observed.get(field))
        if value is not None:
            return value, measure
    return None, ""


def _observed(observed: Record) -> str:
    unexpected_count, element_count = text(observed.get("unexpected_count")), text(observed.get("element_count"))
    if unexpected_count and element_count:
        return f"{unexpected_count} of {element_count} rows are unexpected."
    value = text(observed.get("observed_value"))
    return f"Observed {value}." if value else ""


def _bounds(kwargs: Record) -> str:
    bounds = [f"{name} {text(kwargs[name])}" for name in BOUNDS if name in kwargs and text(kwargs[name])]
    return f"Expected: {', '.join(bounds)}." if bounds else ""


def _asset(suite: Record) -> str:
    meta = optional_record(suite.get("meta"))
    return text(optional_record(meta.get("active_batch_definition")).get("data_asset_name")) or text(
        optional_record(meta.get("batch_spec")).get("data_asset_name")
    )


def _described_asset(suite: Record, kwargs: Record) -> str:
    """Return the data source and asset in a `describe()`, such as `shop-orders`. Only the batch ID names them there."""
    return "" if "meta" in suite else PERIOD_OF_BATCH.sub("", text(kwargs.get("batch_id")))


def _evaluated_at(suite: Record) -> dt.datetime | None:
    meta = optional_record(suite.get("meta"))
    return (
        instant(meta.get("validation_time"))
        or instant(optional_record(meta.get("run_id")).get("run_time"))
        or instant(suite.get("run_time"))
    )
