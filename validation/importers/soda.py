"""Scan results of Soda 3 and contract results of Soda 4: the checks, automated monitoring, and the outcome of the scan itself.

Soda 4 sends its results in the shape of a scan, with the check's path in the contract, the schema of its table, and new outcomes.
"""

import datetime as dt
import re

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
    result_key,
    text,
    with_unique_keys,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "soda"
STATUSES = {
    "pass": ResultStatus.PASS,
    "warn": ResultStatus.WARN,
    "fail": ResultStatus.FAIL,
    "error": ResultStatus.ERROR,
    # Soda 4: left out of this run; not evaluated because something else failed.
    "excluded": ResultStatus.SKIP,
    "unevaluated": ResultStatus.UNKNOWN,
}
LISTS = ("checks", "automatedMonitoringChecks")
CORE_VERSION = re.compile(r"Soda Core ([0-9]+)\.")
# In a check's definition, which is SodaCL in YAML.
OWN_FILTER = re.compile(r"^[ \t]*filter:[ \t]*(?:[|>][+-]?\s*)?([^\n]+)", re.MULTILINE)
MAX_DEFINITION_LENGTH = 10_000


def read(document: Json) -> list[ExternalResult]:
    """Return one result per check and one for the scan. A check that Soda cannot parse appears only in the scan's log.

    Raises UnreadableFileError for a file that is not a scan result, or that is not from Soda Core 3 or 4.
    """
    scan = record(document, location="soda: the file")
    # Soda 4 leaves an empty list out.
    if "checks" not in scan and not _is_contract(scan):
        raise UnreadableFileError("soda: the file has no checks: it is not a scan result of Soda 3 or 4")
    logs = items(scan.get("logs") or [], location="soda: logs")
    for log in logs:
        core = CORE_VERSION.match(text(log.get("message")))
        if core and core[1] not in ("3", "4"):
            raise UnreadableFileError(f"soda: Soda Core {core[1]} is not 3 or 4")
    at = instant(scan.get("scanEndTimestamp")) or instant(scan.get("dataTimestamp"))
    entries = [entry for field in LISTS for entry in items(scan.get(field) or [], location=f"soda: {field}")]
    results = [_check(entry, scan=scan, at=at) for entry in entries]
    details = [
        text(entry.get("identity")) + text(entry.get("definition"), limit=MAX_DEFINITION_LENGTH) for entry in entries
    ]
    return with_unique_keys([*results, _scan(scan, results, logs=logs, at=at)], details=[*details, ""])


def _check(entry: Record, *, scan: Record, at: dt.datetime | None) -> ExternalResult:
    table, column, filter_ = text(entry.get("table")), text(entry.get("column")), _filter(entry)
    source, definition = text(entry.get("dataSource")) or _source(scan), text(scan.get("definitionName"))
    name = text(entry.get("name")) or text(entry.get("definition")) or text(entry.get("identity")) or "check"
    status, unknown = parse_status(entry.get("outcome"), statuses=STATUSES)
    if status is ResultStatus.UNKNOWN and text(entry.get("outcome")).casefold() in ("", "unevaluated"):
        unknown = "Soda did not evaluate this check."
    prefix = entry.get("datasetPrefix")
    schema = "/".join(text(part) for part in prefix) if isinstance(prefix, list) else ""
    # The path of a check in its contract stays the same when its name or threshold changes.
    identity = text(entry.get("checkPath")) or name
    diagnostics = optional_record(entry.get("diagnostics"))
    metrics = entry.get("metrics")
    return ExternalResult(
        tool=TOOL,
        # Soda's own identity is a digest of the check's text, which changes with every threshold change.
        key=result_key(source, schema, table, column, _suffixed(identity, filter_=filter_, definition=definition)),
        name=text(_suffixed(f"{table}: {name}" if table else name, filter_=filter_)),
        status=status,
        value=number(diagnostics.get("value")),
        message=join_sentences(_bounds(diagnostics), _reasons(entry.get("outcomeReasons")), unknown),
        at=at,
        subject=table,
        column=column,
        measure=_measure(metrics) or text(entry.get("checkType")),
        period=instant(scan.get("dataTimestamp")),
    )


def _is_contract(scan: Record) -> bool:
    return isinstance(scan.get("contract"), dict) or text(scan.get("sourceOwner")) == "soda-core"


def _suffixed(name: str, *, filter_: str, definition: str = "") -> str:
    """Return a check's name with its filter and the definition of its scan: the same check may run in several scans."""
    return f"{name}{f' [{filter_}]' if filter_ else ''}{f' @{definition}' if definition else ''}"


def _filter(entry: Record) -> str:
    """Return the filter of a check: that of its table, and its own, which Soda reports only in the check's text."""
    own = OWN_FILTER.search(text(entry.get("definition"), limit=MAX_DEFINITION_LENGTH))
    return ", ".join(filter(None, (text(entry.get("filter")), " ".join(own[1].split()) if own else "")))


def _source(scan: Record) -> str:
    return text(scan.get("defaultDataSource"))


def _scan(scan: Record, results: list[ExternalResult], *, logs: list[Record], at: dt.datetime | None) -> ExternalResult:
    """Return the outcome of the scan: `error` if parts of it failed, `unknown` if it evaluated no check."""
    errors = [text(log.get("message"), limit=500) for log in logs if text(log.get("level")).casefold() == "error"]
    if errors or scan.get("hasErrors") is True:
        status, message = ResultStatus.ERROR, "Soda reports errors."
    elif all(result.status is ResultStatus.UNKNOWN for result in results):
        status, message = ResultStatus.UNKNOWN, "The scan evaluated no checks."
    else:
        status, message = ResultStatus.PASS, "The scan ran without errors."
    definition = text(scan.get("definitionName"))
    return ExternalResult(
        tool=TOOL,
        key=result_key(_source(scan), "scan", definition),
        name=text(f"scan {definition}".strip()),
        status=status,
        value=float(len(errors)),
        message=join_sentences(*errors) or message,
        at=at,
        measure="errors of the scan",
        period=instant(scan.get("dataTimestamp")),
    )


def _bounds(diagnostics: Record) -> str:
    """Return a check's thresholds in words, such as “Fails at less than -1000.0.”"""
    sentences = []
    for field, verb in (("fail", "Fails"), ("warn", "Warns")):
        limits = [
            f"{re.sub('([A-Z])', lambda match: ' ' + match[1].lower(), text(name))} {text(limit)}"
            for name, limit in optional_record(diagnostics.get(field)).items()
            if text(limit)
        ]
        if limits:
            sentences.append(f"{verb} at {' or '.join(limits)}.")
    return " ".join(sentences)


def _reasons(value: Json) -> str:
    entries = value if isinstance(value, list) else []
    return " ".join(filter(None, (text(optional_record(entry).get("message")) or text(entry) for entry in entries)))


def _measure(value: Json) -> str:
    """Return the kind of number, which is the last part of a metric's identity."""
    return text(value[0]).rsplit("-", 1)[-1] if isinstance(value, list) and value else ""
