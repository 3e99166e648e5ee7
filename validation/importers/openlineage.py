"""OpenLineage events (spec 2-0-2): runs of jobs, the datasets they read and write, and assertions about the datasets."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from validation.importers.parsing import (
    Json,
    Record,
    instant,
    items,
    join_sentences,
    optional_record,
    record,
    required_text,
    result_key,
    text,
    with_unique_keys,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "openlineage"
START_EVENTS = {"START", "RUNNING"}
END_EVENTS = {"COMPLETE": ResultStatus.PASS, "FAIL": ResultStatus.FAIL, "ABORT": ResultStatus.FAIL}
# Per call. Recording this many takes a second or two.
MAX_EVENTS = 1_000
MAX_DATASETS = 20_000
EVENT_TYPES = {*START_EVENTS, *END_EVENTS, "OTHER"}


@dataclass(frozen=True, slots=True)
class LineageEvent:
    """An event about a job.

    `state` is empty for one that describes the job without a run, or only says more about a run.

    `parent` is the job that this run is a step of. `period` is the nominal time of the run.
    """

    job: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    at: dt.datetime | None
    state: str = ""
    run: str = ""
    parent: str = ""
    period: dt.datetime | None = None
    message: str = ""
    assertions: tuple[ExternalResult, ...] = ()


def read_events(document: Json) -> list[LineageEvent]:
    """Return the events of one event or a list of them.

    Events about a dataset alone are left out.

    Raises UnreadableFileError for an event without a job, a run event without a run id or with an unknown type, more
    than `MAX_EVENTS`, and more than `MAX_DATASETS` inputs and outputs.
    """
    entries = items(document, location="openlineage: the file") if isinstance(document, list) else None
    events = entries if entries is not None else [record(document, location="openlineage: the event")]
    if len(events) > MAX_EVENTS:
        raise UnreadableFileError(f"openlineage: more than {MAX_EVENTS:,} events; send them in several calls")
    read = [
        _event(event, location=f"openlineage[{index}]" if entries is not None else "openlineage")
        for index, event in enumerate(events)
        if "dataset" not in event or "job" in event
    ]
    if sum(len(event.inputs) + len(event.outputs) for event in read) > MAX_DATASETS:
        raise UnreadableFileError(
            f"openlineage: more than {MAX_DATASETS:,} inputs and outputs; send them in several calls"
        )
    return read


def read(document: Json) -> list[ExternalResult]:
    """Return the outcome of each run that ended, and each assertion about a dataset."""
    return results(read_events(document))


def results(events: Iterable[LineageEvent]) -> list[ExternalResult]:
    """Return the outcome of each run that ended, and each assertion about a dataset.

    An assertion of one job never counts for that of another job about the same dataset.
    """
    collected: list[ExternalResult] = []
    for event in events:
        status = END_EVENTS.get(event.state)
        if status is not None:
            collected.append(
                ExternalResult(
                    tool=TOOL,
                    key=event.job,
                    name=text(f"job {event.job.split('/', maxsplit=1)[1]}"),
                    status=status,
                    value=None,
                    message=join_sentences("The run was aborted." if event.state == "ABORT" else "", event.message),
                    at=event.at,
                    subject=text(event.job.rsplit("/", maxsplit=1)[-1]),
                    measure="run",
                    period=event.period,
                )
            )
        collected.extend(event.assertions)
    return collected


def _event(event: Record, *, location: str) -> LineageEvent:
    job = record(event.get("job"), location=f"{location}: job")
    run = optional_record(event.get("run"))
    facets = optional_record(run.get("facets"))
    state, run_id = text(event.get("eventType")).upper(), text(run.get("runId"))
    if "run" in event:
        required_text(run.get("runId"), location=f"{location}: run.runId")
        required_text(event.get("eventType"), location=f"{location}: eventType")
        if state not in EVENT_TYPES:
            raise UnreadableFileError(f"{location}: eventType “{state}” is not one of {', '.join(sorted(EVENT_TYPES))}")
    at = instant(event.get("eventTime"))
    if at is None:
        raise UnreadableFileError(f"{location}: eventTime is missing or not an instant")
    job_key = _key("job", job, location=f"{location}: job")
    inputs = items(event.get("inputs") or [], location=f"{location}: inputs")
    outputs = items(event.get("outputs") or [], location=f"{location}: outputs")
    parent = optional_record(optional_record(facets.get("parent")).get("job"))
    nominal = optional_record(facets.get("nominalTime"))
    period = instant(nominal.get("nominalStartTime"))
    return LineageEvent(
        job=job_key,
        inputs=tuple(_key("dataset", dataset, location=f"{location}: inputs[{i}]") for i, dataset in enumerate(inputs)),
        outputs=tuple(
            _key("dataset", dataset, location=f"{location}: outputs[{i}]") for i, dataset in enumerate(outputs)
        ),
        at=at,
        state=state,
        run=run_id,
        parent=_key("job", parent, location=f"{location}: parent") if parent else "",
        period=period,
        message=text(optional_record(facets.get("errorMessage")).get("message"), limit=1500),
        assertions=tuple(_assertions([*inputs, *outputs], job=job_key, at=at, period=period, location=location)),
    )


def _key(kind: str, thing: Record, *, location: str) -> str:
    """Return the key of a job or dataset: `job/<namespace>/<name>` or `dataset/<namespace>/<name>`."""
    namespace = required_text(thing.get("namespace"), location=f"{location}.namespace")
    return result_key(kind, namespace, required_text(thing.get("name"), location=f"{location}.name"))


def _assertions(
    datasets: Iterable[Record], *, job: str, at: dt.datetime, period: dt.datetime | None, location: str
) -> list[ExternalResult]:
    """Return the assertions of the facet `dataQualityAssertions`, which is a facet of the dataset or of the input."""
    collected = []
    for dataset in datasets:
        facets = {
            **optional_record(dataset.get("facets")),
            **optional_record(dataset.get("outputFacets")),
            **optional_record(dataset.get("inputFacets")),
        }
        facet = optional_record(facets.get("dataQualityAssertions"))
        key = _key("dataset", dataset, location=f"{location}: dataset")
        for index, entry in enumerate(items(facet.get("assertions") or [], location=f"{location}: assertions")):
            kind = required_text(entry.get("assertion"), location=f"{location}: assertions[{index}].assertion")
            collected.append(_assertion(entry, kind=kind, dataset=key, job=job, at=at, period=period))
    return with_unique_keys(collected)


def _assertion(
    entry: Record, *, kind: str, dataset: str, job: str, at: dt.datetime, period: dt.datetime | None
) -> ExternalResult:
    column, name, success = text(entry.get("column")), text(entry.get("name")), entry.get("success")
    mild = text(entry.get("severity")).casefold() in ("warn", "warning")
    failed = ResultStatus.WARN if mild else ResultStatus.FAIL
    status = ResultStatus.PASS if success is True else failed if success is False else ResultStatus.UNKNOWN
    subject = dataset.rsplit("/", maxsplit=1)[-1]
    what = " ".join(
        filter(None, (kind, f"({name})" if name and name != kind else "", f"of {column}" if column else ""))
    )
    return ExternalResult(
        tool=TOOL,
        key=result_key(dataset, column, kind, name, f"@{job}"),
        name=text(f"{subject}: {what}"),
        status=status,
        value=None,
        message=join_sentences(
            f"Expected {text(entry.get('expected'))}." if text(entry.get("expected")) else "",
            f"Actual {text(entry.get('actual'))}." if text(entry.get("actual")) else "",
        ),
        at=at,
        subject=text(subject),
        column=column,
        measure=text(kind),
        period=period,
    )
