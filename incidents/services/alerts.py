"""Alertmanager's alerts: a firing alert opens an incident and a resolved one resolves it, by fingerprint."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from incidents.models import MAX_FINGERPRINT_LENGTH, Alert, Incident
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
        row = _store(alert, pipeline=mapping.pipeline(alert.name, labels=dict(alert.labels)), at=at)
        if row.pipeline_id is None:
            unmapped.append(row.fingerprint)
        if alert.resolved:
            closed += resolve_alert(row.fingerprint, at=at) is not None
        elif _trigger(row, at=at):
            firing += 1
    return AlertBatchResult(firing=firing, closed=closed, unmapped=tuple(unmapped))


def sync_with_alerts(*, at: dt.datetime) -> int:
    """Open incidents for unmapped firing alerts that now map to a pipeline; return how many."""
    mapping = _PipelineMapping.load()
    count = 0
    for row in Alert.objects.unmapped().filter(is_firing=True).order_by("pk"):
        row.pipeline = mapping.pipeline(row.name, labels=row.labels)
        if row.pipeline is not None:
            row.save(update_fields=["pipeline"])
            _trigger(row, at=at)
            count += 1
    return count


def _trigger(row: Alert, *, at: dt.datetime) -> Incident | None:
    if row.pipeline is None:
        return None
    kind = row.labels.get("kind", "").casefold()
    if kind not in Incident.Kind.values:
        kind = Incident.Kind.OUTAGE if row.severity.casefold() in OUTAGE_SEVERITIES else Incident.Kind.ISSUE
    trigger = IncidentTrigger(
        kind=kind,
        title=f"{row.name}: {row.summary}" if row.summary else row.name,
        text="\n".join([row.summary, *(f"{name}: {value}" for name, value in sorted(row.labels.items()))]).strip(),
        since=row.starts_at,
        seen_at=at,
        cooldown=MIN_COOLDOWN,
        fingerprint=row.fingerprint,
        source=Incident.Source.ALERT,
    )
    return trigger_incident(row.pipeline, trigger=trigger, at=at)


@transaction.atomic
def _store(alert: alertmanager.AlertPayload, *, pipeline: Pipeline | None, at: dt.datetime) -> Alert:
    fields = {
        "name": alert.name[:MAX_LABEL_LENGTH],
        "summary": alert.summary,
        "severity": alert.severity[:MAX_LABEL_LENGTH],
        "labels": dict(alert.labels),
        "pipeline": pipeline,
        "is_firing": alert.firing,
        "starts_at": alert.starts_at or at,
        "ends_at": alert.ends_at,
        "received_at": at,
    }
    row, _ = Alert.objects.update_or_create(fingerprint=alert.fingerprint[:MAX_FINGERPRINT_LENGTH], defaults=fields)
    return row


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
