"""Sweeps that let incidents follow checks: this site's own, and those of other tools."""

import datetime as dt
from collections.abc import Iterable

from incidents.models import LONGEST_FINGERPRINT, Incident
from incidents.services.triggers import IncidentTrigger, mark_recovered, trigger_incident
from validation.domain.results import ResultStatus
from validation.models import Check, ExternalCheck, Severity
from validation.queries.external import failing_external_checks

# So long a check that flaps is one incident, whatever shorter cooldown it has of its own.
FLAPPING = dt.timedelta(minutes=30)
# Of another tool, what says that a check is well again; one that broke says nothing.
WELL = (ResultStatus.PASS, ResultStatus.WARN)


def sync_with_checks(*, at: dt.datetime) -> int:
    """Let every alerting check have its incident, and close what passes again; return how many checks alert.

    One that only warns opens none (validation.md). What is done for one check is one transaction: a worker that is killed
    leaves the others to the next sweep.
    """
    rows = Check.objects.alerting().filter(severity=Severity.FAIL).select_related("pipeline")
    alerting = list(rows.order_by("alerting_since", "pk"))
    for check in alerting:
        trigger_incident(check.pipeline, cause=_cause_of(check, at=at), at=at)
    well = Incident.objects.unresolved().filter(check_key__isnull=False)
    well = well.exclude(check_key__in=[check.pk for check in alerting])
    cooldowns = dict(Check.objects.filter(pk__in=well.values("check_key")).values_list("pk", "cooldown_minutes"))
    for incident in well.order_by("pk"):
        mark_recovered(incident, cooldown=_cooldown(cooldowns.get(incident.check_key or 0, 0)), at=at)
    return len(alerting)


def _cause_of(check: Check, *, at: dt.datetime) -> IncidentTrigger:
    since = check.alerting_since or at
    failed_again = check.last_status == ResultStatus.FAIL and check.last_run_at is not None
    return IncidentTrigger(
        kind=Incident.Kind.DELAY if check.type.is_about_absence else Incident.Kind.ISSUE,
        title=check.name,
        text=check.last_message,
        since=since,
        seen_at=check.last_run_at if failed_again and check.last_run_at else since,
        cooldown=_cooldown(check.cooldown_minutes),
        check_key=check.pk,
    )


def _cooldown(minutes: int) -> dt.timedelta:
    return max(FLAPPING, dt.timedelta(minutes=minutes))


def sync_with_external_checks(*, at: dt.datetime) -> int:
    """Let every failing check of another tool have its incident, and close what passes again; return how many fail."""
    failing = list(failing_external_checks())
    for check in failing:
        if check.pipeline is not None:
            cause = IncidentTrigger(
                kind=Incident.Kind.ISSUE,
                title=f"{check.get_tool_display()}: {check.name}",
                text=check.message,
                since=check.at,
                seen_at=check.at,
                cooldown=FLAPPING,
                fingerprint=fingerprint_of(check),
            )
            trigger_incident(check.pipeline, cause=cause, at=at)
    _close_external(ExternalCheck.objects.filter(status__in=WELL, pipeline__isnull=False), at=at)
    return len(failing)


def fingerprint_of(check: ExternalCheck) -> str:
    """Return by what an incident names another tool's check."""
    return f"{check.tool}:{check.key}"[:LONGEST_FINGERPRINT]


def _close_external(well: Iterable[ExternalCheck], *, at: dt.datetime) -> None:
    """Note that checks of other tools pass again where an incident of theirs is open."""
    rows = Incident.objects.unresolved().filter(source=Incident.Source.CHECK).exclude(fingerprint="")
    unresolved = {row.fingerprint: row for row in rows}
    for check in well if unresolved else ():
        if incident := unresolved.get(fingerprint_of(check)):
            mark_recovered(incident, cooldown=FLAPPING, at=at)
