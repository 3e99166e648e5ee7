"""Post checks that failed or recovered to channels.

A sweep compares the checks with the failures that were posted. A row for each posted failure ensures that it is posted once.
"""

import datetime as dt

from django.db import transaction
from django.urls import reverse

from common.datetimes import isoformat_z
from common.formatting import format_instant
from common.loops import IsolatedSteps
from pipelines.models import Pipeline
from team_channels.domain.events import CHECK_FAILED, CHECK_RECOVERED, ChannelEvent
from team_channels.models import CheckFailure
from team_channels.queries import channels_for, ended_failures, unposted_checks, unposted_external_checks
from team_channels.services.outbox import post_event
from validation.domain.results import RECOVERED_STATUSES
from validation.models import Check, ExternalCheck

MAX_CHANGES_PER_SWEEP = 500


def post_check_changes(*, at: dt.datetime) -> int:
    """Post the checks that recovered or failed since the last sweep, each in its own transaction; return their number."""
    with IsolatedSteps() as attempt:
        ended = ended_failures().order_by("pk")[:MAX_CHANGES_PER_SWEEP]
        count = sum(attempt(_post_recovery, row, at=at) or False for row in ended)
        own = unposted_checks()[:MAX_CHANGES_PER_SWEEP]
        count += sum(attempt(_post_failure, row, since=row.alerting_since or at, at=at) or False for row in own)
        external = unposted_external_checks()[:MAX_CHANGES_PER_SWEEP]
        return count + sum(attempt(_post_failure, row, since=row.at, at=at) or False for row in external)


@transaction.atomic
def _post_failure(check: Check | ExternalCheck, *, since: dt.datetime, at: dt.datetime) -> bool:
    """Post a failure unless another worker has; return True if it is new."""
    key = {"parent_check": check} if isinstance(check, Check) else {"external_check": check}
    row, is_new = CheckFailure.objects.get_or_create(**key, defaults={"since": since})
    if is_new and check.pipeline is not None:
        text = check.last_message if isinstance(check, Check) else check.message
        event = _event(CHECK_FAILED, row, check, pipeline=check.pipeline, text=text, occurred_at=since)
        _post(event, pipeline=check.pipeline, at=at)
    return is_new


@transaction.atomic
def _post_recovery(row: CheckFailure, *, at: dt.datetime) -> bool:
    """Post the end of a failure; return False if another worker has, or if the check has no pipeline."""
    deleted, _ = CheckFailure.objects.filter(pk=row.pk).delete()
    check = row.parent_check or row.external_check
    if not deleted or check is None or check.pipeline is None:
        return False
    ended_at = (check.alert_ended_at or at) if isinstance(check, Check) else check.at
    text = _end_reason(check) if isinstance(check, Check) else check.message
    event = _event(
        CHECK_RECOVERED, row, check, pipeline=check.pipeline, text=text, occurred_at=max(ended_at, row.since)
    )
    _post(event, pipeline=check.pipeline, at=at)
    return True


def _post(event: ChannelEvent, *, pipeline: Pipeline, at: dt.datetime) -> None:
    """Post an event to the channels that existed when it happened."""
    channels = channels_for(event.type, pipeline=pipeline)
    post_event([row for row in channels if row.created_at <= event.occurred_at], event, at=at)


def _end_reason(check: Check) -> str:
    """Return why a check no longer fails."""
    if check.deleted_at is not None:
        return "The check was deleted."
    if not check.is_active:
        return "The check was disabled."
    if check.alerting_since is not None:
        return "The check has since failed again."
    if check.last_status in RECOVERED_STATUSES:
        return check.last_message
    return f"Expected: {check.last_expected}" if check.last_expected else "The check was changed."


def _event(
    event: str,
    row: CheckFailure,
    check: Check | ExternalCheck,
    *,
    pipeline: Pipeline,
    text: str,
    occurred_at: dt.datetime,
) -> ChannelEvent:
    label = "Check failed" if event == CHECK_FAILED else "Check recovered"
    facts = [("Pipeline", str(pipeline)), ("Since", format_instant(row.since, dt.UTC))]
    if isinstance(check, Check):
        facts += [("Severity", str(check.get_severity_display()))]
        facts += [("Value", check.last_number)] if check.last_value is not None else []
        path, data = reverse("check", args=[check.pk]), {"check": _check_data(check, since=row.since)}
    else:
        facts += [("Tool", str(check.get_tool_display()))]
        path, data = (
            reverse("pipeline", args=[pipeline.slug]),
            {"external_check": _external_data(check, since=row.since)},
        )
    return ChannelEvent(
        type=event,
        id=f"{event.replace('.', '-')}-{row.pk}",
        occurred_at=occurred_at,
        title=f"{label}: {pipeline}: {check.name}",
        text=text,
        path=path,
        facts=tuple(facts),
        data=data,
    )


def _check_data(check: Check, *, since: dt.datetime) -> dict[str, object]:
    """Return a check with the field names of the API."""
    return {
        "id": check.pk,
        "pipeline": check.pipeline.slug,
        "name": check.name,
        "type": check.check_type,
        "severity": check.severity,
        "status": check.last_status,
        "message": check.last_message,
        "value": check.last_value,
        "alerting_since": isoformat_z(since),
    }


def _external_data(check: ExternalCheck, *, since: dt.datetime) -> dict[str, object]:
    """Return an external check with the field names of the API."""
    return {
        "tool": check.tool,
        "key": check.key,
        "pipeline": check.pipeline.slug if check.pipeline else None,
        "name": check.name,
        "status": check.status,
        "message": check.message,
        "value": check.value,
        "alerting_since": isoformat_z(since),
    }
