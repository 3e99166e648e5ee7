"""Alerts from the Prometheus Alertmanager webhook, version 4: firing or resolved, identified by fingerprint."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from validation.importers.parsing import (
    MAX_MESSAGE_LENGTH,
    Json,
    Record,
    instant,
    items,
    join_sentences,
    optional_record,
    parse_status,
    record,
    result_key,
    text,
    with_unique_keys,
)
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

TOOL = "alertmanager"
# Limit of an alert's labels, and of its annotations.
MAX_LABELS = 100
# Long enough never to be cut: a cut key would join two groups.
MAX_GROUP_KEY_LENGTH = 1_000_000
STATUSES = {"firing": ResultStatus.FAIL, "resolved": ResultStatus.PASS}
MILD_SEVERITIES = {"warning", "warn", "info", "informational", "none"}


@dataclass(frozen=True, slots=True)
class AlertPayload:
    """One alert of a webhook's group.

    `status` is FAIL or WARN (by its `severity` label) while the alert fires, PASS when it is resolved, and UNKNOWN
    for any other status. `ends_at` is None while it fires; `starts_at` is None if the webhook has no readable instant.
    """

    fingerprint: str
    status: ResultStatus
    name: str
    summary: str
    description: str
    severity: str
    labels: Mapping[str, str]
    runbook_url: str
    url: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    group_key: str = ""

    @property
    def firing(self) -> bool:
        """Return True if the alert is firing."""
        return self.status in (ResultStatus.FAIL, ResultStatus.WARN)

    @property
    def resolved(self) -> bool:
        return self.status is ResultStatus.PASS

    @property
    def ignored(self) -> bool:
        """Return True if the alert has a status that is neither firing nor resolved."""
        return not (self.firing or self.resolved)


def read_alerts(document: Json) -> list[AlertPayload]:
    """Return the alerts of one webhook in order. If a fingerprint occurs twice, its latest alert comes last.

    Raises UnreadableFileError for another version or a malformed group.
    """
    group = record(document, location="alertmanager: the webhook")
    version = text(group.get("version"))
    if version != "4":
        raise UnreadableFileError(f"alertmanager: webhook version {version or '(none)'} is not 4")
    group_key = text(group.get("groupKey"), limit=MAX_GROUP_KEY_LENGTH)
    return [
        _alert(entry, group_key=group_key, location=f"alertmanager: alerts[{index}]")
        for index, entry in enumerate(items(group.get("alerts"), location="alertmanager: alerts"))
    ]


def read(document: Json) -> list[ExternalResult]:
    """Return one result per alert, like the other parsers; raise UnreadableFileError as `read_alerts` does."""
    return with_unique_keys(
        ExternalResult(
            tool=TOOL,
            key=alert.fingerprint,
            name=alert.name,
            status=alert.status,
            value=None,
            message=join_sentences(alert.summary, alert.description),
            at=alert.ends_at if alert.resolved else alert.starts_at,
            subject=alert.labels.get("job", ""),
            measure=alert.name,
        )
        for alert in read_alerts(document)
    )


def _alert(entry: Record, *, group_key: str, location: str) -> AlertPayload:
    labels = _words(entry.get("labels"), location=f"{location}.labels")
    notes = _words(entry.get("annotations"), location=f"{location}.annotations")
    severity = labels.get("severity", "")
    status, unknown = parse_status(entry.get("status"), statuses=STATUSES)
    if status is ResultStatus.FAIL and severity.casefold() in MILD_SEVERITIES:
        status = ResultStatus.WARN
    return AlertPayload(
        # Alertmanager before 0.19 sends no fingerprint, so use the labels that it is computed from.
        fingerprint=result_key(text(entry.get("fingerprint"))) or _digest(labels),
        status=status,
        name=labels.get("alertname", "") or "Alert without a name",
        summary=text(notes.get("summary") or notes.get("message"), limit=MAX_MESSAGE_LENGTH),
        description=join_sentences(notes.get("description", ""), unknown),
        severity=severity,
        labels=labels,
        runbook_url=notes.get("runbook_url", ""),
        url=text(entry.get("generatorURL"), limit=MAX_MESSAGE_LENGTH),
        # Go's zero time (year 1) means no instant.
        starts_at=instant(entry.get("startsAt")),
        ends_at=instant(entry.get("endsAt")) if status is ResultStatus.PASS else None,
        group_key=group_key,
    )


def _words(value: Json, *, location: str) -> dict[str, str]:
    if len(optional_record(value)) > MAX_LABELS:
        raise UnreadableFileError(f"{location} has more than {MAX_LABELS} entries")
    return {text(name): text(word, limit=MAX_MESSAGE_LENGTH) for name, word in optional_record(value).items()}


def _digest(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:16]
