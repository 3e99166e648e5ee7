"""Alertmanager's alerts: firing opens an incident, resolved closes it, by fingerprint; what belongs to no pipeline is kept."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from incidents.models import LONGEST_FINGERPRINT, Alert, Incident
from incidents.services.sync_checks import FLAPPING
from incidents.services.triggers import IncidentTrigger, resolve_alert, trigger_incident
from people.domain.names import match_key
from pipelines.models import Pipeline
from validation.importers import alertmanager
from validation.importers.mapping import Rule, mapped_pipeline
from validation.models import MappingRule

# The label that names a pipeline, by slug or by name.
LABEL = "pipeline"
SEVEREST = {"critical", "page", "disaster", "emergency"}


@dataclass(frozen=True, slots=True)
class AlertBatchResult:
    """What a webhook brought: how many alerts fire with an incident, how many incidents it closed, and the alerts that are nobody's."""

    firing: int
    closed: int
    unmapped: tuple[str, ...]


def ingest_alerts(alerts: Sequence[alertmanager.AlertPayload], *, at: dt.datetime) -> AlertBatchResult:
    """Keep the alerts of a webhook and open or close their incidents; sent twice it opens nothing twice."""
    places = _places()
    firing = closed = 0
    unmapped = []
    for alert in alerts:
        if not (alert.firing or alert.resolved):
            continue
        row = _keep(alert, pipeline=places.of(alert.name, labels=dict(alert.labels)), at=at)
        if row.pipeline_id is None:
            unmapped.append(row.fingerprint)
        if alert.resolved:
            closed += resolve_alert(row.fingerprint, at=at, text="Alertmanager says it is over.") is not None
        elif _fires(row, at=at):
            firing += 1
    return AlertBatchResult(firing=firing, closed=closed, unmapped=tuple(unmapped))


def sync_with_alerts(*, at: dt.datetime) -> int:
    """Open incidents for firing alerts that were nobody's and now belong to a pipeline; return how many."""
    places = _places()
    found = 0
    for row in Alert.objects.unmapped().filter(is_firing=True).order_by("pk"):
        row.pipeline = places.of(row.name, labels=row.labels)
        if row.pipeline is not None:
            row.save(update_fields=["pipeline"])
            _fires(row, at=at)
            found += 1
    return found


def _fires(row: Alert, *, at: dt.datetime) -> Incident | None:
    if row.pipeline is None:
        return None
    named = row.labels.get("kind", "").casefold()
    kind = Incident.Kind.OUTAGE if row.severity.casefold() in SEVEREST else Incident.Kind.ISSUE
    cause = IncidentTrigger(
        kind=named if named in Incident.Kind.values else kind,
        title=f"{row.name}: {row.summary}" if row.summary else row.name,
        text="\n".join([row.summary, *(f"{name}: {value}" for name, value in sorted(row.labels.items()))]).strip(),
        since=row.starts_at,
        seen_at=at,
        cooldown=FLAPPING,
        fingerprint=row.fingerprint,
        source=Incident.Source.ALERT,
    )
    return trigger_incident(row.pipeline, cause=cause, at=at)


@transaction.atomic
def _keep(alert: alertmanager.AlertPayload, *, pipeline: Pipeline | None, at: dt.datetime) -> Alert:
    fields = {
        "name": alert.name[:500],
        "summary": alert.summary,
        "severity": alert.severity[:500],
        "labels": dict(alert.labels),
        "pipeline": pipeline,
        "is_firing": alert.firing,
        "starts_at": alert.starts_at or at,
        "ends_at": alert.ends_at,
        "received_at": at,
    }
    row, _ = Alert.objects.update_or_create(fingerprint=alert.fingerprint[:LONGEST_FINGERPRINT], defaults=fields)
    return row


@dataclass(frozen=True, slots=True)
class _Places:
    """The pipelines by slug and by name, and the rules of an admin."""

    named: dict[str, Pipeline]
    keyed: dict[int, Pipeline]
    rules: tuple[Rule, ...]

    def of(self, name: str, *, labels: dict[str, str]) -> Pipeline | None:
        """Return the pipeline that an alert's label names, or else that a rule gives `alertmanager.<alert's name>`; or None."""
        label = labels.get(LABEL, "")
        found = self.named.get(label) or self.named.get(match_key(label))
        if found is None:
            key = f"{alertmanager.TOOL}.{name}"
            found = self.keyed.get(mapped_pipeline(tool=alertmanager.TOOL, key=key, rules=self.rules) or 0)
        return found


def _places() -> _Places:
    rows = list(Pipeline.objects.all())
    return _Places(
        named={row.match_key: row for row in rows} | {row.slug: row for row in rows},
        keyed={row.pk: row for row in rows},
        rules=tuple(Rule(row.tool, row.pattern, row.pipeline_id) for row in MappingRule.objects.all()),
    )
