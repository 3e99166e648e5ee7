"""Checks and alerts that open, repeat, reopen and resolve incidents: one open incident each, flapping included.

Checks of one pipeline that fail within five minutes share one incident, which recovers when all of them have.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from django.db import IntegrityError, transaction
from django.db.models import Q

from common.db import advisory_lock
from common.exceptions import DomainError
from common.loops import IsolatedSteps
from common.text import one_line, printable
from incidents.models import (
    MAX_FINGERPRINT_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    Alert,
    Failure,
    Incident,
    TimelineEntry,
)
from incidents.queries.blame import upstream_incident
from incidents.services.escalation import escalation_wait
from incidents.services.transitions import (
    NewIncident,
    add_failure,
    lock_incident,
    open_incident,
    raise_severity,
    reopen,
    resolve,
)
from lineage.queries import current_graph
from pipelines.models import Pipeline
from validation.domain.buckets import DAY, format_bucket
from validation.domain.results import RECOVERED_STATUSES, ResultStatus
from validation.models import Check, ExternalCheck, Severity
from validation.queries.external import failing_external_checks

# A check that flaps within this time is one incident, even if its own cooldown is shorter.
MIN_COOLDOWN = dt.timedelta(minutes=30)
# Failures of one pipeline so soon after an incident opened have the same cause more often than not.
STORM_WINDOW = dt.timedelta(minutes=5)
SEVERITIES = list(Incident.Severity)  # most severe first
CHECK_SEVERITIES: dict[str, Incident.Severity] = {
    Severity.CRITICAL: Incident.Severity.CRITICAL,
    Severity.LOW: Incident.Severity.LOW,
}


@dataclass(frozen=True, slots=True)
class IncidentTrigger:
    """A failing check or firing alert, seen at `seen_at`.

    It reopens an incident that was resolved less than `cooldown` ago, None for however long ago. A failure that was already
    there at the resolution, by `since` or because it `continues` one that was seen before, reopens nothing.
    """

    kind: str
    title: str
    text: str
    seen_at: dt.datetime
    cooldown: dt.timedelta | None
    since: dt.datetime | None = None
    continues: bool = False
    check_id: int | None = None
    fingerprint: str = ""
    group_key: str = ""
    severity: str = Incident.Severity.HIGH
    source: str = Incident.Source.CHECK

    @property
    def new_incident(self) -> NewIncident:
        """The incident that it opens, with texts that the database can store."""
        return NewIncident(
            kind=self.kind,
            title=one_line(self.title)[:MAX_TITLE_LENGTH],
            text=printable(self.text)[:MAX_TEXT_LENGTH],
            source=self.source,
            check_id=self.check_id,
            fingerprint=self.fingerprint,
            group_key=self.group_key,
            severity=self.severity,
        )


def latest_incident(
    *, check_id: int | None = None, fingerprint: str = "", pipeline: Pipeline | None = None, group_key: str = ""
) -> Incident | None:
    """Return the unresolved incident of a check, an alert or an alert group, or else the newest one, or None."""
    for_check = Q(failures__check_id=check_id) if check_id is not None else Q(failures__fingerprint=fingerprint)
    of_trigger = for_check & (Q(state=Incident.State.RESOLVED) | Q(failures__is_open=True))
    if check_id is None:
        of_trigger |= Q(source=Incident.Source.ALERT, fingerprint=fingerprint)
    if group_key:
        of_trigger |= Q(pipeline=pipeline, group_key=group_key)
    return Incident.objects.filter(of_trigger).select_related("pipeline").open_first().first()


def trigger_incident(pipeline: Pipeline, *, trigger: IncidentTrigger, at: dt.datetime) -> Incident | None:
    """Open an incident for a failure, or add to the open one; return it, or None if a person resolved it.

    A new failure within the cooldown after it was resolved reopens it. A failure that was already there when it was resolved
    does not: the person who resolved it knew. Of two workers at the same time one opens it and the other adds to it.
    """
    latest = _latest(pipeline, trigger=trigger)
    if latest is not None and latest.resolved_at is None:
        # Most failures were seen before. To lock the incident for them would write to its row each time.
        return latest if _was_seen(latest, trigger=trigger) else _add_repeat(latest, trigger=trigger, at=at)
    try:
        if latest is None or latest.resolved_at is None:
            return _open(pipeline, trigger=trigger, at=at)
        if trigger.continues:
            return None
        if trigger.cooldown is not None and at >= latest.resolved_at + trigger.cooldown:
            return _open(pipeline, trigger=trigger, at=at)
        if trigger.since is not None and trigger.since <= latest.resolved_at:
            return None
        return _reopen(latest, trigger=trigger, at=at)
    except (IntegrityError, DomainError):
        # Another worker has already opened or reopened it.
        return _latest(pipeline, trigger=trigger)


def _latest(pipeline: Pipeline, *, trigger: IncidentTrigger) -> Incident | None:
    return latest_incident(
        check_id=trigger.check_id, fingerprint=trigger.fingerprint, pipeline=pipeline, group_key=trigger.group_key
    )


@transaction.atomic
def _open(pipeline: Pipeline, *, trigger: IncidentTrigger, at: dt.datetime) -> Incident:
    """Open an incident, or add a failing check to one that another check of the pipeline opened just before."""
    if trigger.source == Incident.Source.CHECK:
        # Of two workers with two failing checks, the second sees what the first opened.
        advisory_lock(f"failures of pipeline {pipeline.pk}")
        latest = _latest(pipeline, trigger=trigger)
        if latest is not None and not latest.is_resolved:
            return _add_repeat(latest, trigger=trigger, at=at)
        recent = Incident.objects.unresolved().filter(pipeline=pipeline, source=Incident.Source.CHECK)
        storm = recent.filter(opened_at__gt=at - STORM_WINDOW).order_by("opened_at", "pk").first()
        if storm is not None:
            row = lock_incident(storm)
            if not row.is_resolved:
                return _join(row, trigger=trigger, at=at)
    what = replace(trigger.new_incident, parent=_parent(pipeline, trigger=trigger, at=at))
    return open_incident(pipeline, what=what, by=None, at=at)


def _parent(pipeline: Pipeline, *, trigger: IncidentTrigger, at: dt.datetime) -> Incident | None:
    """Return the open incident upstream that explains a failing check, locked, or None.

    Incidents upstream are always locked first, so that two workers never wait for each other. Of one that is resolved at the same
    moment the lock decides; one that is resolved afterwards is seen by the next sweep.
    """
    if trigger.source != Incident.Source.CHECK:
        return None
    upstream = upstream_incident(pipeline, at=at)
    if upstream is None:
        return None
    row = lock_incident(Incident(pk=upstream.key))
    return None if row.is_resolved or row.recovered_at is not None else row


@transaction.atomic
def _reopen(incident: Incident, *, trigger: IncidentTrigger, at: dt.datetime) -> Incident:
    what = trigger.new_incident
    text = f"Failed again: {what.text}"[:MAX_TEXT_LENGTH]
    parent = _parent(incident.pipeline, trigger=trigger, at=at)
    row = reopen(incident, by=None, at=at, text=text, flap_window=MIN_COOLDOWN, parent=parent)
    failures = row.failures.for_check(check_id=trigger.check_id, fingerprint=trigger.fingerprint)
    failures.update(recovered_at=None, last_seen_at=at, title=what.title, text=what.text)
    return row


def _join(row: Incident, *, trigger: IncidentTrigger, at: dt.datetime) -> Incident:
    """Add a failing check to an open incident; nobody gets another message. The caller holds the incident's lock."""
    what = trigger.new_incident
    add_failure(row, what=what, at=at)
    count, first = row.failures.count(), row.failures.order_by("pk")[0].title
    if row.title == _storm_title(first, count=count - 1):  # nobody has edited it
        row.title = _storm_title(first, count=count)
    if SEVERITIES.index(Incident.Severity(trigger.severity)) < SEVERITIES.index(Incident.Severity(row.severity)):
        raise_severity(row, severity=trigger.severity, at=at)
    row.last_seen_at = max(row.last_seen_at, trigger.seen_at)
    _fail_again(row, at=at)
    row.save()
    row.add_counted_entry(TimelineEntry.Kind.FAILURE_ADDED, at=at, text=what.title)
    return row


def _storm_title(first: str, *, count: int) -> str:
    """Return the title of an incident with several failures: that of the first "and 2 more"."""
    more = f" and {count - 1} more" if count > 1 else ""
    return f"{first[: MAX_TITLE_LENGTH - len(more)].rstrip()}{more}"


def _fail_again(row: Incident, *, at: dt.datetime) -> None:
    """Start the escalation of a recovered incident again, without saving."""
    if row.recovered_at is not None:
        row.recovered_at = None
        if row.state == Incident.State.OPEN and row.snoozed_until is None:
            row.next_escalation_at = at + escalation_wait(row)


def _was_seen(incident: Incident, *, trigger: IncidentTrigger) -> bool:
    """Return True if an incident already has this result of a check, or this alert."""
    failure = incident.failures.for_check(check_id=trigger.check_id, fingerprint=trigger.fingerprint).first()
    return failure is not None and trigger.seen_at <= failure.last_seen_at


@transaction.atomic
def _add_repeat(incident: Incident, *, trigger: IncidentTrigger, at: dt.datetime) -> Incident:
    """Add a repeat to an open incident; a result that was seen before, or another alert of its group, adds nothing."""
    row = lock_incident(incident)
    failure = row.failures.for_check(check_id=trigger.check_id, fingerprint=trigger.fingerprint).first()
    last_seen_at = row.last_seen_at if failure is None else failure.last_seen_at
    is_other_alert = failure is None and trigger.fingerprint != row.fingerprint
    if row.is_resolved or trigger.seen_at <= last_seen_at or is_other_alert:
        return row
    what = trigger.new_incident
    if failure is not None:
        failure.title, failure.text = what.title, what.text
        failure.repeats, failure.last_seen_at = failure.repeats + 1, trigger.seen_at
        failure.recovered_at, failure.is_open = None, True
        failure.save()
    row.repeats, row.last_seen_at = row.repeats + 1, max(row.last_seen_at, trigger.seen_at)
    _fail_again(row, at=at)
    row.save(update_fields=["repeats", "last_seen_at", "recovered_at", "next_escalation_at"])
    row.add_counted_entry(TimelineEntry.Kind.REPEATED, at=at, text=what.text)
    return row


@transaction.atomic
def mark_recovered(
    incident: Incident, *, cooldown: dt.timedelta, at: dt.datetime, failures: Iterable[int] | None = None
) -> Incident:
    """Record that an incident's checks pass again, by default all of them; return the incident.

    If none of them fails any more, escalation stops. After the cooldown the incident is then resolved, unless somebody
    acknowledged it: then they decide.
    """
    row = lock_incident(incident)
    if row.is_resolved:
        return row
    failing = row.failures.filter(is_open=True, recovered_at=None)
    recovered = list(failing.all() if failures is None else failing.filter(pk__in=failures))
    row.failures.filter(pk__in=[failure.pk for failure in recovered]).update(recovered_at=at)
    if failing.exists():
        for failure in recovered:
            row.add_counted_entry(TimelineEntry.Kind.FAILURE_RECOVERED, at=at, text=failure.title)
        return row
    if row.recovered_at is None:
        row.recovered_at, row.next_escalation_at = at, None
        row.save(update_fields=["recovered_at", "next_escalation_at"])
        row.add_entry(TimelineEntry.Kind.RECOVERED, at=at)
    if row.state == Incident.State.OPEN and at >= row.recovered_at + cooldown:
        return resolve(row, by=None, at=at, text="Auto-resolved: check recovered.")
    return row


@transaction.atomic
def resolve_alerts(alerts: Sequence[Alert], *, at: dt.datetime) -> Incident | None:
    """Resolve the incident of resolved alerts, acknowledged or not; return it, or None if others of it still fire.

    All alerts have the same incident.
    """
    if alerts[0].incident is None:
        return None
    row = lock_incident(alerts[0].incident)
    if row.is_resolved:
        return None
    is_last = not row.alerts.filter(is_firing=True).exists()
    counted = len(alerts) - is_last
    if counted:
        row.add_counted_entry(TimelineEntry.Kind.ALERT_RESOLVED, at=at, text=alerts[counted - 1].title, times=counted)
    return resolve(row, by=None, at=at, text="Auto-resolved: alert resolved.") if is_last else None


def sync_with_all_checks(*, at: dt.datetime) -> None:
    """Trigger and recover the incidents of the site's own checks and of those of external tools, upstream pipelines first."""
    own, external = _check_triggers(at=at), _external_triggers()
    with IsolatedSteps() as attempt:
        attempt(_trigger_upstream_first, [*own, *external], at=at)
        attempt(_recover_checks, own, at=at)
        attempt(_recover_external_checks, at=at)


def sync_with_checks(*, at: dt.datetime) -> int:
    """Trigger the incidents of alerting checks and mark those of passing checks as recovered; return how many checks alert.

    A check with severity `warn` opens no incident. Each check is one transaction, so that after a killed worker the next sweep
    does the rest.
    """
    triggers = _check_triggers(at=at)
    _trigger_upstream_first(triggers, at=at)
    _recover_checks(triggers, at=at)
    return len(triggers)


def sync_with_external_checks(*, at: dt.datetime) -> int:
    """Do the same for the checks of external tools; return how many of those with a pipeline fail."""
    triggers = _external_triggers()
    _trigger_upstream_first(triggers, at=at)
    _recover_external_checks(at=at)
    return len(triggers)


PipelineTrigger: TypeAlias = tuple[Pipeline, IncidentTrigger]


def _trigger_upstream_first(triggers: Sequence[PipelineTrigger], *, at: dt.datetime) -> None:
    """Trigger incidents, those of upstream pipelines first: what is upstream has fewer pipelines upstream of itself."""
    graph = current_graph(at=at)
    upstream = {pipeline: len(graph.ancestors(pipeline)) for pipeline in {pipeline.pk for pipeline, _ in triggers}}
    with IsolatedSteps() as attempt:
        for pipeline, trigger in sorted(triggers, key=lambda row: upstream[row[0].pk]):
            attempt(trigger_incident, pipeline, trigger=trigger, at=at)


def _check_triggers(*, at: dt.datetime) -> list[PipelineTrigger]:
    rows = Check.objects.alerting().exclude(severity=Severity.WARN).select_related("pipeline", "metric")
    return [(check.pipeline, _check_trigger(check, at=at)) for check in rows.order_by("alerting_since", "pk")]


def _recover_checks(alerting: Sequence[PipelineTrigger], *, at: dt.datetime) -> None:
    """Mark the failures of checks that do not alert as recovered."""
    failures = Failure.objects.filter(is_open=True, check_id__isnull=False).select_related("incident")
    ids = [trigger.check_id for _, trigger in alerting if trigger.check_id is not None]
    passing = failures.exclude(check_id__in=ids).order_by("incident_id", "pk")
    cooldowns = dict(Check.objects.filter(pk__in=passing.values("check_id")).values_list("pk", "cooldown_minutes"))
    by_incident: dict[Incident, list[Failure]] = {}
    for failure in passing:
        by_incident.setdefault(failure.incident, []).append(failure)
    for incident, recovered in by_incident.items():
        cooldown = max(_cooldown(cooldowns.get(failure.check_id or 0, 0)) for failure in recovered)
        mark_recovered(incident, failures=[failure.pk for failure in recovered], cooldown=cooldown, at=at)


def _check_trigger(check: Check, *, at: dt.datetime) -> IncidentTrigger:
    since = check.alerting_since or at
    failed_again = check.last_status == ResultStatus.FAIL and check.last_run_at is not None
    return IncidentTrigger(
        kind=Incident.Kind.DELAY if check.type.is_about_absence else Incident.Kind.ISSUE,
        title=check_title(check),
        text=check.last_message,
        severity=CHECK_SEVERITIES.get(check.severity, Incident.Severity.HIGH),
        since=since,
        seen_at=check.last_run_at if failed_again and check.last_run_at else since,
        cooldown=_cooldown(check.cooldown_minutes),
        check_id=check.pk,
    )


def check_title(check: Check) -> str:
    """Return an incident's title for a failing check: the problem, the check, and its value and date.

    For example "Missing data: Every cohort has its logs (3 missing)" or "Value out of range: Revenue (12 EUR, 28 Nov)".
    """
    details = [] if check.last_value is None else [check.last_number]
    if check.last_bucket is not None:
        details.append(format_bucket(check.last_bucket, step=check.metric.step if check.metric else DAY))
    return f"{check.type.failure}: {check.name}" + (f" ({', '.join(details)})" if details else "")


def _cooldown(minutes: int) -> dt.timedelta:
    return max(MIN_COOLDOWN, dt.timedelta(minutes=minutes))


def _external_triggers() -> list[PipelineTrigger]:
    return [
        (
            check.pipeline,
            IncidentTrigger(
                kind=Incident.Kind.ISSUE,
                title=f"{check.get_tool_display()} check failed: {check.name}",
                text=check.message,
                since=check.at,
                seen_at=check.at,
                cooldown=MIN_COOLDOWN,
                fingerprint=external_fingerprint(check),
            ),
        )
        for check in failing_external_checks()
        if check.pipeline is not None
    ]


def _recover_external_checks(*, at: dt.datetime) -> None:
    failures = Failure.objects.filter(is_open=True).exclude(fingerprint="").select_related("incident")
    by_fingerprint = {failure.fingerprint: failure for failure in failures}
    if by_fingerprint:
        for check in ExternalCheck.objects.filter(status__in=RECOVERED_STATUSES, pipeline__isnull=False):
            if failure := by_fingerprint.get(external_fingerprint(check)):
                mark_recovered(failure.incident, failures=[failure.pk], cooldown=MIN_COOLDOWN, at=at)


def external_fingerprint(check: ExternalCheck) -> str:
    """Return the fingerprint of an external check's incidents: its tool and key."""
    return f"{check.tool}:{check.key}"[:MAX_FINGERPRINT_LENGTH]
