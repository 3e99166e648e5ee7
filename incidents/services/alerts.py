"""Alertmanager's alerts: a firing alert opens an incident and a resolved one resolves it, by fingerprint."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from django.db import transaction

from common.db import advisory_lock
from incidents.models import MAX_FINGERPRINT_LENGTH, MAX_GROUP_KEY_LENGTH, Alert, Incident, TimelineEntry
from incidents.services.transitions import lock_incident
from incidents.services.triggers import MIN_COOLDOWN, IncidentTrigger, resolve_alert, trigger_incident
from people.domain.names import match_key
from pipelines.models import Pipeline
from validation.importers import alertmanager
from validation.importers.mapping import Rule, mapped_pipeline
from validation.models import MappingRule

# The label with the slug or name of the alert's pipeline.
PIPELINE_LABEL = "pipeline"
MAX_LABEL_LENGTH = 500
OUTAGE_SEVERITIES = {"critical", "page", "disaster", "emergency"}
LOW_SEVERITIES = {"low", "info", "informational", "none"}


class Change(Enum):
    """What an alert in a webhook changes."""

    STARTED = "a new firing"
    CONTINUED = "the firing goes on"
    RESUMED = "the same firing goes on after it was resolved"
    RESOLVED = "the firing is resolved"
    STALE = "nothing: an old copy"


@dataclass(frozen=True, slots=True)
class AlertBatchResult:
    """Counts of a webhook's alerts: firing with an incident, incidents resolved, and fingerprints without a pipeline."""

    firing: int
    closed: int
    unmapped: tuple[str, ...]


def ingest_alerts(alerts: Sequence[alertmanager.AlertPayload], *, at: dt.datetime) -> AlertBatchResult:
    """Store a webhook's alerts and open or resolve their incidents; sending it twice opens nothing twice."""
    mapping = _PipelineMapping.load()
    firing = closed = 0
    unmapped = []
    for alert in alerts:
        if not (alert.firing or alert.resolved):
            continue
        with transaction.atomic():
            row, change = _store(alert, pipeline=mapping.pipeline(alert.name, labels=dict(alert.labels)), at=at)
            if row.pipeline_id is None:
                unmapped.append(row.fingerprint)
            if change is Change.RESOLVED:
                closed += resolve_alert(row, at=at) is not None
            elif change is not Change.STALE:
                firing += _trigger(row, change=change, at=at) is not None
    return AlertBatchResult(firing=firing, closed=closed, unmapped=tuple(unmapped))


def sync_with_alerts(*, at: dt.datetime) -> int:
    """Open incidents for unmapped firing alerts that now map to a pipeline; return how many."""
    mapping = _PipelineMapping.load()
    count = 0
    for row in Alert.objects.unmapped().filter(is_firing=True).order_by("pk"):
        row.pipeline = mapping.pipeline(row.name, labels=row.labels)
        if row.pipeline is not None:
            row.save(update_fields=["pipeline"])
            _trigger(row, change=Change.STARTED, at=at)
            count += 1
    return count


def _trigger(row: Alert, *, change: Change, at: dt.datetime) -> Incident | None:
    if row.pipeline is None:
        return None
    kind = row.labels.get("kind", "").casefold()
    if kind not in Incident.Kind.values:
        kind = Incident.Kind.OUTAGE if row.severity.casefold() in OUTAGE_SEVERITIES else Incident.Kind.ISSUE
    trigger = IncidentTrigger(
        kind=kind,
        title=row.title,
        severity=_severity(row),
        group_key=row.group_key,
        text="\n".join([row.summary, *(f"{name}: {value}" for name, value in sorted(row.labels.items()))]).strip(),
        seen_at=at,
        # The same firing, resumed, is the same incident however long it was resolved.
        cooldown=None if change is Change.RESUMED else MIN_COOLDOWN,
        continues=change is Change.CONTINUED,
        fingerprint=row.fingerprint,
        source=Incident.Source.ALERT,
    )
    incident = trigger_incident(row.pipeline, trigger=trigger, at=at)
    if incident is not None and row.incident_id != incident.pk:
        row.incident = incident
        row.save(update_fields=["incident"])
        if incident.fingerprint != row.fingerprint:
            lock_incident(incident).add_counted_entry(TimelineEntry.Kind.ALERT_ADDED, at=at, text=row.title)
    return incident


def _severity(row: Alert) -> str:
    """Return the incident's severity from the alert's `severity` label; `high` for one that is not known."""
    label = row.severity.casefold()
    if label in OUTAGE_SEVERITIES:
        return Incident.Severity.CRITICAL
    return Incident.Severity.LOW if label in LOW_SEVERITIES else Incident.Severity.HIGH


def _store(alert: alertmanager.AlertPayload, *, pipeline: Pipeline | None, at: dt.datetime) -> tuple[Alert, Change]:
    """Store what an alert changes; return its row, which stays locked, and the change. A stale copy changes nothing."""
    fingerprint = alert.fingerprint[:MAX_FINGERPRINT_LENGTH]
    advisory_lock(f"alert {fingerprint}")
    known = Alert.objects.filter(fingerprint=fingerprint).select_related("pipeline", "incident").first()
    change = _change(alert, known=known)
    if known is not None and change is Change.STALE:
        return known, change
    fields = {
        "name": alert.name[:MAX_LABEL_LENGTH],
        "summary": alert.summary,
        "severity": alert.severity[:MAX_LABEL_LENGTH],
        "labels": dict(alert.labels),
        "pipeline": pipeline,
        "group_key": _group_key(alert.group_key),
        "is_firing": alert.firing,
        "starts_at": alert.starts_at or (known.starts_at if known else at),
        "ends_at": alert.ends_at,
        "last_ends_at": alert.ends_at or (known.last_ends_at if known else None),
        "received_at": at,
    }
    row, _ = Alert.objects.update_or_create(fingerprint=fingerprint, defaults=fields)
    return row, change


def _group_key(key: str) -> str:
    """Return an alert's group key, hashed if it is too long to store."""
    return key if len(key) <= MAX_GROUP_KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def _change(alert: alertmanager.AlertPayload, *, known: Alert | None) -> Change:
    """Return what an alert changes. Alertmanager keeps `startsAt` while an alert pauses, and may deliver old copies late."""
    if known is None:
        return Change.STARTED if alert.firing else Change.RESOLVED
    if alert.starts_at is not None and alert.starts_at < known.starts_at:
        return Change.STALE
    is_new = alert.starts_at is not None and alert.starts_at > known.starts_at
    if alert.resolved:
        is_copy = alert.ends_at is not None and known.last_ends_at is not None and alert.ends_at <= known.last_ends_at
        return Change.STALE if is_copy and not is_new else Change.RESOLVED
    if is_new:
        return Change.STARTED
    return Change.CONTINUED if known.is_firing else Change.RESUMED


@dataclass(frozen=True, slots=True)
class _PipelineMapping:
    """The pipelines by slug and name, and the mapping rules."""

    by_name: dict[str, Pipeline]
    by_pk: dict[int, Pipeline]
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls) -> "_PipelineMapping":
        pipelines = list(Pipeline.objects.all())
        return cls(
            by_name={row.match_key: row for row in pipelines} | {row.slug: row for row in pipelines},
            by_pk={row.pk: row for row in pipelines},
            rules=tuple(Rule(row.tool, row.pattern, row.pipeline_id) for row in MappingRule.objects.all()),
        )

    def pipeline(self, alert_name: str, *, labels: dict[str, str]) -> Pipeline | None:
        """Return the pipeline in an alert's label, or else the one that a rule maps `alertmanager.<alert name>` to, or None."""
        label = labels.get(PIPELINE_LABEL, "")
        if labelled := self.by_name.get(label) or self.by_name.get(match_key(label)):
            return labelled
        key = f"{alertmanager.TOOL}.{alert_name}"
        return self.by_pk.get(mapped_pipeline(tool=alertmanager.TOOL, key=key, rules=self.rules) or 0)
