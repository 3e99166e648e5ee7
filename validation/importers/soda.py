"""Scan results of Soda 3: its checks, its automated monitoring, and the outcome of the scan itself."""

import datetime as dt
import re
from collections.abc import Iterator

from validation.importers.parsing import (
    Json,
    Record,
    instant,
    items,
    key_of,
    number,
    part,
    record,
    said,
    status_of,
    text,
    told_apart,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "soda"
WORDS = {"pass": ResultStatus.PASS, "warn": ResultStatus.WARN, "fail": ResultStatus.FAIL, "error": ResultStatus.ERROR}
LISTS = ("checks", "automatedMonitoringChecks")
CORE = re.compile(r"Soda Core ([0-9]+)\.")


def read(document: Json) -> list[ExternalResult]:
    """Return one result per check and one for the scan. A check that Soda cannot parse appears only in the scan's log.

    Raises UnreadableFileError for a file that is not a scan result, or that is not from Soda Core 3.
    """
    scan = record(document, where="soda: the file")
    if "checks" not in scan:
        raise UnreadableFileError("soda: the file has no checks: it is not a scan result of Soda 3")
    logs = items(scan.get("logs") or [], where="soda: logs")
    for log in logs:
        core = CORE.match(text(log.get("message")))
        if core and core[1] != "3":
            raise UnreadableFileError(f"soda: Soda Core {core[1]} is not 3")
    at = instant(scan.get("scanEndTimestamp")) or instant(scan.get("dataTimestamp"))
    return told_apart([*_checks(scan, at=at), _scan(scan, logs=logs, at=at)])


def _checks(scan: Record, *, at: dt.datetime | None) -> Iterator[ExternalResult]:
    for field in LISTS:
        for entry in items(scan.get(field) or [], where=f"soda: {field}"):
            yield _check(entry, at=at, definition=text(scan.get("definitionName")))


def _check(entry: Record, *, at: dt.datetime | None, definition: str) -> ExternalResult:
    table, column = text(entry.get("table")), text(entry.get("column"))
    name = text(entry.get("name")) or text(entry.get("definition")) or text(entry.get("identity")) or "check"
    status, unknown = status_of(entry.get("outcome"), words=WORDS)
    if entry.get("outcome") is None:
        unknown = "Soda did not evaluate this check."
    diagnostics = part(entry.get("diagnostics"))
    metrics = entry.get("metrics")
    return ExternalResult(
        tool=TOOL,
        # Soda's own identity is a digest of the check's text, which changes with every threshold change.
        key=key_of(text(entry.get("dataSource")) or definition, table, column, name),
        name=text(f"{table}: {name}" if table else name),
        status=status,
        value=number(diagnostics.get("value")),
        message=said(_bounds(diagnostics), _reasons(entry.get("outcomeReasons")), unknown),
        at=at,
        subject=table,
        column=column,
        measure=_measure(metrics),
    )


def _scan(scan: Record, *, logs: list[Record], at: dt.datetime | None) -> ExternalResult:
    """Return the outcome of the scan: `error` with the messages in its log if parts of it failed."""
    errors = [text(log.get("message"), limit=500) for log in logs if text(log.get("level")).casefold() == "error"]
    broke = bool(errors) or scan.get("hasErrors") is True
    definition = text(scan.get("definitionName"))
    return ExternalResult(
        tool=TOOL,
        key=key_of(text(scan.get("defaultDataSource")), "scan", definition),
        name=text(f"scan {definition}".strip()),
        status=ResultStatus.ERROR if broke else ResultStatus.PASS,
        value=float(len(errors)),
        message=said(*errors) or ("Soda says that the scan had errors." if broke else "The scan ran without errors."),
        at=at,
        measure="errors of the scan",
    )


def _bounds(diagnostics: Record) -> str:
    """Return a check's thresholds in words, such as “Fails at less than -1000.0.”"""
    told = []
    for field, verb in (("fail", "Fails"), ("warn", "Warns")):
        limits = [
            f"{re.sub('([A-Z])', lambda found: ' ' + found[1].lower(), text(name))} {text(limit)}"
            for name, limit in part(diagnostics.get(field)).items()
            if text(limit)
        ]
        if limits:
            told.append(f"{verb} at {' or '.join(limits)}.")
    return " ".join(told)


def _reasons(value: Json) -> str:
    entries = value if isinstance(value, list) else []
    return " ".join(filter(None, (text(part(entry).get("message")) or text(entry) for entry in entries)))


def _measure(value: Json) -> str:
    """Return the kind of number, which is the last part of a metric's identity."""
    return text(value[0]).rsplit("-", 1)[-1] if isinstance(value, list) and value else ""
