"""dbt artifacts: `run_results.json` (schemas v4 to v6) and `sources.json` (v3)."""

import datetime as dt
import re
from collections.abc import Callable, Collection
from typing import TypeAlias

from validation.importers.parsing import (
    Json,
    Record,
    instant,
    items,
    join_sentences,
    number,
    optional_record,
    parse_status,
    record,
    required_text,
    result_key,
    text,
    with_unique_keys,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "dbt"
SCHEMA = re.compile(r"/dbt/(run-results|sources)/v([0-9]{1,6})\.json\Z")
RUN_RESULTS = {"4", "5", "6"}
SOURCES = {"3"}

# Other commands, such as docs generate, compile, list and parse, report "success" for nodes they neither built nor tested.
COMMANDS = {"build", "run", "test", "seed", "snapshot", "source", "freshness", "snapshot-freshness", "retry"}

TEST_STATUSES = {
    "pass": ResultStatus.PASS,
    "warn": ResultStatus.WARN,
    "fail": ResultStatus.FAIL,
    "error": ResultStatus.ERROR,
    "runtime error": ResultStatus.ERROR,
    "skipped": ResultStatus.SKIP,
    "no-op": ResultStatus.SKIP,
}
# A test with an error has no result; a model with an error was not built, so its pipeline's data is missing.
# A microbatch model is a partial success if some of its batches failed.
BUILD_STATUSES = TEST_STATUSES | {
    "success": ResultStatus.PASS,
    "partial success": ResultStatus.FAIL,
    "error": ResultStatus.FAIL,
    "runtime error": ResultStatus.FAIL,
}
# `error` means that the source is older than `error_after`; `runtime error` that its freshness was not checked.
SOURCE_STATUSES = TEST_STATUSES | {"error": ResultStatus.FAIL}
TESTS = {"test", "unit_test"}

Reader: TypeAlias = Callable[[Record, str, dt.datetime | None], ExternalResult]


def read(document: Json) -> list[ExternalResult]:
    """Return the results of either artifact, identified by its schema; raise UnreadableFileError for any other file.

    A command that neither builds nor tests has no results, and neither has one with `--empty`, which reads no rows.
    """
    artifact = record(document, location="dbt: the file")
    kind, version = _schema(artifact)
    if kind == "sources":
        if version not in SOURCES:
            raise UnreadableFileError(f"dbt sources: schema v{version} is not v3")
        return _read_entries(artifact, reader=_source, location="dbt sources: results")
    if version not in RUN_RESULTS:
        raise UnreadableFileError(f"dbt run_results: schema v{version} is not one of v4 to v6")
    results = _read_entries(artifact, reader=_run_result, location="dbt run_results: results")
    args = optional_record(artifact.get("args"))
    command = text(args.get("which")).casefold()
    return results if command in (COMMANDS | {""}) and args.get("empty") is not True else []


def is_sources(document: Json) -> bool:
    """Return True if a file is a `sources.json`. dbt leaves out of it every source that it could not check."""
    return isinstance(document, dict) and "/dbt/sources/" in text(
        optional_record(document.get("metadata")).get("dbt_schema_version")
    )


def absent_sources(document: Json, *, expected: Collection[str]) -> list[ExternalResult]:
    """Return an `unknown` result for every expected source of the file's project that is missing from `sources.json`.

    A file without sources covers the expected project if there is only one, and none if there are several.
    """
    artifact = record(document, location="dbt: the file")
    present = {result.key for result in read(document)}
    projects = {_project(key) for key in present} or {_project(key) for key in expected}
    if not present and len(projects) > 1:
        return []
    return [
        ExternalResult(
            tool=TOOL,
            key=key,
            name=_source_name(key),
            status=ResultStatus.UNKNOWN,
            value=None,
            message="dbt’s sources.json leaves this source out: its freshness could not be read.",
            at=_generated(artifact),
            subject=_source_subject(key),
            measure="age in seconds",
        )
        for key in sorted(set(expected) - present)
        if key.startswith("source.") and _project(key) in projects
    ]


def _schema(artifact: Record) -> tuple[str, str]:
    schema = text(optional_record(artifact.get("metadata")).get("dbt_schema_version"))
    match = SCHEMA.search(schema)
    if match is None:
        raise UnreadableFileError(f"dbt: “{schema}” is not the schema of a run_results.json or a sources.json")
    return match[1], match[2]


def _read_entries(artifact: Record, *, reader: Reader, location: str) -> list[ExternalResult]:
    generated = _generated(artifact)
    return with_unique_keys(
        reader(entry, required_text(entry.get("unique_id"), location=f"{location}[{index}].unique_id"), generated)
        for index, entry in enumerate(items(artifact.get("results"), location=location))
    )


def _run_result(entry: Record, unique_id: str, generated: dt.datetime | None) -> ExternalResult:
    """Return the result of one node. The value is the failing rows of a test, or the rows written by a model."""
    kind, name = unique_id.split(".", maxsplit=1)[0], _node_name(unique_id)
    is_test = kind in TESTS
    status, unknown = parse_status(entry.get("status"), statuses=TEST_STATUSES if is_test else BUILD_STATUSES)
    failures = number(entry.get("failures"))
    rows = number(optional_record(entry.get("adapter_response")).get("rows_affected"))
    return ExternalResult(
        tool=TOOL,
        key=result_key(unique_id),
        name=text(f"{kind} {name}"),
        status=status,
        value=failures if is_test else rows,
        message=join_sentences(text(entry.get("message"), limit=2000), unknown),
        at=_completed(entry) or generated,
        is_stale=text(entry.get("status")).casefold() == "skipped",
        subject=_relation(entry.get("relation_name")) or ("" if is_test else name),
        measure="failing rows" if is_test else "rows written",
    )


def _source(entry: Record, unique_id: str, generated: dt.datetime | None) -> ExternalResult:
    status, unknown = parse_status(entry.get("status"), statuses=SOURCE_STATUSES)
    newest, age = instant(entry.get("max_loaded_at")), number(entry.get("max_loaded_at_time_ago_in_s"))
    return ExternalResult(
        tool=TOOL,
        key=result_key(unique_id),
        name=text(_source_name(unique_id)),
        status=status,
        value=age,
        message=join_sentences(
            f"Newest row: {newest:%Y-%m-%d %H:%M} UTC." if newest else "",
            _limits(optional_record(entry.get("criteria"))),
            text(entry.get("error"), limit=2000),
            unknown,
        ),
        at=instant(entry.get("snapshotted_at")) or generated,
        subject=text(_source_subject(unique_id)),
        measure="age in seconds",
    )


def _limits(criteria: Record) -> str:
    sentences = []
    for field, verb in (("warn_after", "Warns"), ("error_after", "Fails")):
        limit = optional_record(criteria.get(field))
        count, period = text(limit.get("count")), text(limit.get("period"))
        if count and period:
            sentences.append(f"{verb} after {count} {period}{'' if count == '1' else 's'}.")
    return " ".join(sentences)


def _completed(entry: Record) -> dt.datetime | None:
    """Return when a node completed: the end of its last step."""
    timing = entry.get("timing")
    ends = [instant(optional_record(step).get("completed_at")) for step in timing] if isinstance(timing, list) else []
    return max((end for end in ends if end), default=None)


def _generated(artifact: Record) -> dt.datetime | None:
    return instant(optional_record(artifact.get("metadata")).get("generated_at"))


def _node_name(unique_id: str) -> str:
    """Return the name in `model.<project>.<name>`, without the digest at the end of a test's name."""
    kind, *rest = unique_id.split(".")
    if kind == "test" and len(rest) > 2:
        rest = rest[:-1]
    return ".".join(rest[1:]) or unique_id


def _project(unique_id: str) -> str:
    return [*unique_id.split("."), ""][1]


def _source_subject(unique_id: str) -> str:
    return ".".join(unique_id.split(".")[2:])


def _source_name(unique_id: str) -> str:
    return f"freshness of {_source_subject(unique_id) or unique_id}"


def _relation(value: Json) -> str:
    """Return the table in a relation's quoted name, such as `"warehouse"."main"."orders"`."""
    return text(value).split(".")[-1].strip('"`[]')
