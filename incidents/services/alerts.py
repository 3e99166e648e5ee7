"""Alertmanager's alerts: a firing alert opens an incident and a resolved one resolves it, by fingerprint."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from django.conf import settings
from django.db import transaction

from common.db import advisory_locks
from common.exceptions import InvalidInputError
from incidents.models import MAX_FINGERPRINT_LENGTH, MAX_GROUP_KEY_LENGTH, Alert, Incident, TimelineEntry
from incidents.services.transitions import lock_incident
from incidents.services.triggers import MIN_COOLDOWN, IncidentTrigger, resolve_alerts, trigger_incident
from people.domain.names import match_key
from pipelines.models import Pipeline
from validation.importers import alertmanager
from validation.importers.mapping import Rule, mapped_pipeline
from validation.models import MappingRule

# The label with the slug or name of the alert's pipeline.
PIPELINE_LABEL = "pipeline"
MAX_LABEL_LENGTH = 500
OUTAGE_SEVERITIES = {"critical", "page", "disaster", "emergency"}
# More alerts in one webhook are more than a person reads, and would keep others waiting.
MAX_ALERTS = 5_000
# Alerts of one transaction: each takes an advisory lock, of which the database has a few thousand.
ALERTS_PER_BATCH = 100
PURGED_PER_BATCH = 1_000
STORED_FIELDS = (
    "name", "summary", "severity", "labels", "pipeline", "group_key", "is_firing", "starts_at", "ends_at", "last_ends_at",
    "received_at",
)  # fmt: skip
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
    """Counts of a webhook's alerts: firing with an incident, and incidents resolved; fingerprints of the others.

    `unmapped` are those without a pipeline, and `ignored` those with a status that is neither firing nor resolved.
    """

    firing: int
    closed: int
    unmapped: tuple[str, ...]
    ignored: tuple[str, ...]


def ingest_alerts(alerts: Sequence[alertmanager.AlertPayload], *, at: dt.datetime) -> AlertBatchResult:
    """Store a webhook's alerts and open or resolve their incidents; sending it twice opens nothing twice.

    Raises InvalidInputError for more than MAX_ALERTS.
    """
    if len(alerts) > MAX_ALERTS:
        problem = f"A webhook may have up to {MAX_ALERTS:,} alerts; this one has {len(alerts):,}. Set max_alerts in Alertmanager."
        raise InvalidInputError({"alerts": [problem]})
    mapping = _PipelineMapping.load()
    firing = closed = 0
    unmapped: list[str] = []
    ignored = tuple(_fingerprint(alert) for alert in alerts if alert.ignored)
    for batch in _batches(alert for alert in alerts if not alert.ignored):
        with transaction.atomic():
            stored = _store(batch, mapping=mapping, at=at)
            unmapped += [row.fingerprint for row, _ in stored if row.pipeline_id is None]
            changed = [(row, change) for row, change in stored if change is not Change.STALE]
            firing += _trigger_all([item for item in changed if item[1] is not Change.RESOLVED], at=at)
            closed += _resolve_all([row for row, change in changed if change is Change.RESOLVED], at=at)
    return AlertBatchResult(firing=firing, closed=closed, unmapped=tuple(unmapped), ignored=ignored)


def _batches(alerts: Iterable[alertmanager.AlertPayload]) -> Iterator[list[alertmanager.AlertPayload]]:
    """Split alerts, in order, so that no batch is long or has a fingerprint twice."""
    batch: dict[str, alertmanager.AlertPayload] = {}
    for alert in alerts:
        fingerprint = _fingerprint(alert)
        if fingerprint in batch or len(batch) >= ALERTS_PER_BATCH:
            yield list(batch.values())
            batch = {}
        batch[fingerprint] = alert
    if batch:
        yield list(batch.values())


def _trigger_all(rows: Sequence[tuple[Alert, Change]], *, at: dt.datetime) -> int:
    """Open or find the incidents of firing alerts; return how many have one.

    The first alert of a group opens its incident, which then is locked; the others join it at once.
    """
    own = Incident.objects.filter(fingerprint__in=[row.fingerprint for row, _ in rows])
    with_own_incident = set(own.values_list("fingerprint", flat=True))
    joining: dict[int, list[Alert]] = {}
    open_incidents: dict[tuple[int | None, str], Incident] = {}
    count = 0
    # In one order, so that two webhooks never wait for each other.
    for row, change in sorted(rows, key=lambda item: (item[0].pipeline_id or 0, item[0].group_key)):
        group = (row.pipeline_id, row.group_key)
        incident = open_incidents.get(group)
        if incident is None or row.incident_id not in (None, incident.pk) or row.fingerprint in with_own_incident:
            incident = _trigger(row, change=change, at=at)
            if incident is not None and row.group_key and not incident.is_resolved:
                open_incidents.setdefault(group, incident)
        elif row.incident_id is None:
            row.incident = incident
            joining.setdefault(incident.pk, []).append(row)
        count += incident is not None
    for incident in open_incidents.values():
        if members := joining.pop(incident.pk, []):
            Alert.objects.filter(pk__in=[row.pk for row in members]).update(incident=incident)
            added = TimelineEntry.Kind.ALERT_ADDED
            lock_incident(incident).add_counted_entry(added, at=at, text=members[-1].title, times=len(members))
    return count


def _resolve_all(rows: Sequence[Alert], *, at: dt.datetime) -> int:
    """Resolve the incidents of resolved alerts, unless others still fire; return how many were resolved."""
    by_incident: dict[int, list[Alert]] = {}
    for row in rows:
        if row.incident_id is not None:
            by_incident.setdefault(row.incident_id, []).append(row)
    return sum(resolve_alerts(by_incident[key], at=at) is not None for key in sorted(by_incident))


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


def _store(
    alerts: Sequence[alertmanager.AlertPayload], *, mapping: "_PipelineMapping", at: dt.datetime
) -> list[tuple[Alert, Change]]:
    """Store what alerts change; return their rows, which stay locked, and the changes. A stale copy changes nothing."""
    fingerprints = [_fingerprint(alert) for alert in alerts]
    advisory_locks(f"alert {fingerprint}" for fingerprint in fingerprints)
    rows = Alert.objects.filter(fingerprint__in=fingerprints).select_related("pipeline", "incident")
    known = {row.fingerprint: row for row in rows}
    changes = [_change(alert, known=known.get(name)) for alert, name in zip(alerts, fingerprints, strict=True)]
    stored = [
        known[name] if change is Change.STALE else _row(alert, known=known.get(name), mapping=mapping, at=at)
        for alert, name, change in zip(alerts, fingerprints, changes, strict=True)
    ]
    changed = [row for row, change in zip(stored, changes, strict=True) if change is not Change.STALE]
    Alert.objects.bulk_create([row for row in changed if row.fingerprint not in known])
    Alert.objects.bulk_update([row for row in changed if row.fingerprint in known], STORED_FIELDS)
    return list(zip(stored, changes, strict=True))


def _row(
    alert: alertmanager.AlertPayload, *, known: Alert | None, mapping: "_PipelineMapping", at: dt.datetime
) -> Alert:
    """Return the alert's row as it is to be stored."""
    row = known or Alert(fingerprint=_fingerprint(alert))
    row.name = alert.name[:MAX_LABEL_LENGTH]
    row.summary = alert.summary
    row.severity = alert.severity[:MAX_LABEL_LENGTH]
    row.labels = dict(alert.labels)
    row.pipeline = mapping.pipeline(alert.name, labels=dict(alert.labels))
    row.group_key = _group_key(alert.group_key)
    row.is_firing = alert.firing
    row.starts_at = alert.starts_at or (known.starts_at if known else at)
    row.ends_at = alert.ends_at
    row.last_ends_at = alert.ends_at or (known.last_ends_at if known else None)
    row.received_at = at
    return row


def _fingerprint(alert: alertmanager.AlertPayload) -> str:
    return alert.fingerprint[:MAX_FINGERPRINT_LENGTH]


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


@transaction.atomic
def purge_alerts(*, at: dt.datetime) -> int:
    """Delete a batch of alerts that Alertmanager has not sent for REPORT_RETENTION_DAYS; return their number.

    Alerts with a pipeline or an incident stay.
    """
    old = Alert.objects.unmapped().filter(
        incident=None, received_at__lt=at - dt.timedelta(days=settings.REPORT_RETENTION_DAYS)
    )
    rows = list(old.order_by("pk").select_for_update().values_list("pk", flat=True)[:PURGED_PER_BATCH])
    Alert.objects.filter(pk__in=rows).delete()
    return len(rows)
