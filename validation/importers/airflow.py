"""The JSON that an Airflow callback posts (docs/validation.md): the outcome of a task or of a whole DAG run."""

from validation.importers.parsing import (
    Json,
    Record,
    instant,
    items,
    key_of,
    needed,
    number,
    record,
    said,
    status_of,
    text,
    told_apart,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "airflow"
WORDS = {
    "success": ResultStatus.PASS,
    "failed": ResultStatus.FAIL,
    "upstream_failed": ResultStatus.FAIL,
    "up_for_retry": ResultStatus.WARN,
    "sla_missed": ResultStatus.WARN,
    "skipped": ResultStatus.SKIP,
    "removed": ResultStatus.SKIP,
}


def read(document: Json) -> list[ExternalResult]:
    """Return one result per task or DAG run, from one object or from a list of them in `runs`.

    Raises UnreadableFileError if `version` is not 1, or if an entry lacks `dag_id` or `state`.
    """
    told = record(document, where="airflow: the file")
    version = text(told.get("version"))
    if version != "1":
        raise UnreadableFileError(f"airflow: version {version or '(none)'} is not 1")
    if "runs" not in told:
        return [_result(told, where="airflow")]
    runs = items(told["runs"], where="airflow: runs")
    return told_apart(_result(entry, where=f"airflow: runs[{place}]") for place, entry in enumerate(runs))


def _result(entry: Record, *, where: str) -> ExternalResult:
    dag, task = needed(entry.get("dag_id"), where=f"{where}: dag_id"), text(entry.get("task_id"))
    needed(entry.get("state"), where=f"{where}: state")
    status, unknown = status_of(entry.get("state"), words=WORDS)
    run, log = text(entry.get("run_id")), text(entry.get("log_url"), limit=1000)
    return ExternalResult(
        tool=TOOL,
        key=key_of(dag, task),
        name=text(f"{dag}.{task}" if task else f"DAG {dag}"),
        status=status,
        value=number(entry.get("duration")),
        message=said(
            text(entry.get("exception"), limit=1500),
            f"Run {run}." if run else "",
            f"Log: {log}" if log else "",
            unknown,
        ),
        at=instant(entry.get("end_date")) or instant(entry.get("start_date")) or instant(entry.get("logical_date")),
        subject=text(dag),
        measure="seconds",
        run="" if task else run,
    )
