"""The JSON that a callback of Airflow, Dagster or Prefect posts (docs/data.md): the outcome of a task or of a whole run."""

import datetime as dt
import re

from validation.importers.parsing import (
    Json,
    Record,
    instant,
    items,
    join_sentences,
    number,
    parse_status,
    record,
    required_text,
    result_key,
    text,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "airflow"
STATUSES = {
    "success": ResultStatus.PASS,
    "failed": ResultStatus.FAIL,
    "upstream_failed": ResultStatus.FAIL,
    "up_for_retry": ResultStatus.WARN,
    "sla_missed": ResultStatus.WARN,
    "skipped": ResultStatus.SKIP,
    "removed": ResultStatus.SKIP,
    # Dagster
    "failure": ResultStatus.FAIL,
    "canceled": ResultStatus.FAIL,
    # Prefect
    "completed": ResultStatus.PASS,
    "crashed": ResultStatus.FAIL,
    "cancelled": ResultStatus.FAIL,
    "timedout": ResultStatus.FAIL,
    "retrying": ResultStatus.WARN,
    "awaitingretry": ResultStatus.WARN,
    "cached": ResultStatus.SKIP,
}
WHOLE_RUN = {"airflow": "DAG", "dagster": "job", "prefect": "flow"}
# An exception in one of these states does not fail the task: it is retried or skipped.
EXCUSED_STATES = {"up_for_retry", "skipped", "retrying", "awaitingretry"}
# A DAG's failure callback gives a reason instead of an exception.
FAILURE_REASONS = {"task_failure", "timed_out", "all_tasks_deadlocked", "timeout"}
# Airflow names runs "scheduled__<logical date>", "backfill__<logical date>" and so on.
RUN_ID = re.compile(r"\A[a-z_]+__(\d{4}-\d\d-\d\dT[0-9:.]+(?:[+-]\d\d:?\d\d|Z)?)")


def read(document: Json, *, tool: str = TOOL) -> list[ExternalResult]:
    """Return one result per task or DAG run, from one object or from a list of them in `runs`.

    Results of several runs of a task have the same key. Raises UnreadableFileError if `version` is not 1, or if an entry
    lacks `dag_id` or, without an exception, `state`.
    """
    file = record(document, location=f"{tool}: the file")
    version = text(file.get("version"))
    if version != "1":
        raise UnreadableFileError(f"{tool}: version {version or '(none)'} is not 1")
    if "runs" not in file:
        return [_result(file, tool=tool, location=tool)]
    runs = items(file["runs"], location=f"{tool}: runs")
    return [_result(entry, tool=tool, location=f"{tool}: runs[{index}]") for index, entry in enumerate(runs)]


def _result(entry: Record, *, tool: str, location: str) -> ExternalResult:
    dag, task = required_text(entry.get("dag_id"), location=f"{location}: dag_id"), text(entry.get("task_id"))
    status, unknown = _status(entry, location=location)
    run, log = text(entry.get("run_id")), text(entry.get("log_url"), limit=1000)
    # Mapped instances of a task are numbered from 0; -1 means that the task is not mapped.
    index = number(entry.get("map_index")) if task else None
    if index is None and task and text(entry.get("map_index")).isascii() and text(entry.get("map_index")).isdigit():
        index = number(int(text(entry.get("map_index"), limit=9)[:9]))
    instance = f"{task}[{int(index)}]" if index is not None and index >= 0 else task
    return ExternalResult(
        tool=tool,
        key=result_key(dag, instance),
        name=text(f"{dag}.{instance}" if instance else f"{WHOLE_RUN[tool]} {dag}"),
        status=status,
        value=number(entry.get("duration")),
        message=join_sentences(
            text(entry.get("exception"), limit=1500),
            f"Run {run}." if run else "",
            f"Log: {log}" if log else "",
            unknown,
        ),
        at=instant(entry.get("end_date")) or instant(entry.get("start_date")) or instant(entry.get("logical_date")),
        subject=text(dag),
        measure="seconds",
        run="" if task else run,
        period=_period(entry),
    )


def _status(entry: Record, *, location: str) -> tuple[ResultStatus, str]:
    """Return the status. A failure callback may still report the state `running`, so an exception means failed."""
    state = text(entry.get("state")).casefold()
    failed = bool(entry.get("exception")) or text(entry.get("reason")).casefold() in FAILURE_REASONS
    if failed and state not in EXCUSED_STATES:
        return ResultStatus.FAIL, ""
    required_text(entry.get("state"), location=f"{location}: state")
    return parse_status(entry.get("state"), statuses=STATUSES)


def _period(entry: Record) -> dt.datetime | None:
    """Return the logical date of the run, which older versions call the execution date, or the one in its name."""
    named = RUN_ID.match(text(entry.get("run_id")))
    return (
        instant(entry.get("logical_date"))
        or instant(entry.get("execution_date"))
        or (instant(named[1]) if named else None)
    )
