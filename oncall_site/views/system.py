"""Health of the site itself: /healthz, /readyz, /metrics and the system page of the admin."""

import datetime as dt
import platform
import secrets
from operator import itemgetter

import django
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from incidents.queries.drills import weekly_drills
from notifications.queries.providers import missing_providers
from oncall_site import prometheus, queries
from people.models import User
from people.queries import find_token

MAX_FAILED_MESSAGES = 20
TASK_LABELS = {
    "calendar_feeds.tasks.sync_feeds": "Update calendar feeds",
    "handoffs.tasks.post_shifts": "Post starts and ends of shifts to channels",
    "handoffs.tasks.sync_handoffs": "Schedule hand-off meetings",
    "incidents.tasks.escalate": "Escalate unacknowledged incidents",
    "incidents.tasks.run_evidence": "Run evidence of an incident",
    "incidents.tasks.start_drills": "Start weekly drills",
    "incidents.tasks.sweep_evidence": "Find due evidence",
    "incidents.tasks.sync_incidents": "Open and resolve incidents from checks and alerts",
    "incidents.tasks.sweep_slack": "Start the tasks for Slack",
    "incidents.tasks.update_slack": "Update incident messages in Slack",
    "lineage.tasks.purge_openlineage": "Delete old OpenLineage jobs and datasets",
    "validation.tasks.purge_reports": "Delete old runs and external checks without a pipeline",
    "incidents.tasks.purge_alerts": "Delete old alerts without a pipeline",
    "people.tasks.purge_sessions": "Delete expired sessions",
    "notifications.tasks.answer_slack": "Answer requests from Slack",
    "notifications.tasks.deliver": "Send a message",
    "notifications.tasks.look_up_slack_members": "Find Slack members by e-mail address",
    "notifications.tasks.purge_finished": "Delete old messages",
    "notifications.tasks.sweep": "Find due messages",
    "oncall_site.tasks.check_shifts": "Notify engineers before their shifts",
    "oncall_site.tasks.grow_demo": "Add new days to the demo warehouse",
    "oncall_site.tasks.record_heartbeat": "Record a worker heartbeat",
    "people.tasks.purge_attempts": "Delete old sign-in attempts",
    "people.tasks.purge_responses": "Delete saved responses",
    "readiness.tasks.deliver_reader_messages": "Send messages to readers",
    "readiness.tasks.purge_readers": "Delete old messages to readers",
    "readiness.tasks.render_readers_pages": "Render reader pages",
    "readiness.tasks.sync_publications": "Publish safe days and record restatements",
    "runbooks.tasks.purge_runbooks": "Delete removed runbooks",
    "scheduling.tasks.ensure_weeks": "Plan upcoming on-call weeks",
    "scheduling.tasks.expire_cover_requests": "Expire cover requests",
    "scheduling.tasks.expire_swaps": "Expire swap requests",
    "scheduling.tasks.notify_schedule_changes": "Notify engineers of schedule changes",
    "scheduling.tasks.reassign_inactive": "Remove deactivated users from the schedule",
    "scheduling.tasks.sync_calendar_links": "Sync linked calendars",
    "scheduling.tasks.sync_coverage_gaps": "Find coverage gaps",
    "team_channels.tasks.deliver": "Post a message to a channel",
    "team_channels.tasks.post_checks": "Post failing and recovered checks to channels",
    "team_channels.tasks.purge_deliveries": "Delete old channel messages",
    "team_channels.tasks.sweep": "Find due channel messages",
    "team_channels.tasks.sync_user_groups": "Update Slack user groups",
    "validation.tasks.import_dbt_folders": "Import dbt artifacts from folders",
    "validation.tasks.purge_checks": "Delete removed checks",
    "validation.tasks.run_check": "Run a check",
    "validation.tasks.sweep_checks": "Find due checks",
}


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200: this process is alive."""
    return JsonResponse({"alive": True})


@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Return the health of each part; 503 if one is down."""
    parts = queries.site_health()
    is_ready = all(part.ok for part in parts)
    body = {"ready": is_ready, "parts": {part.part: {"ok": part.ok, "detail": part.detail} for part in parts}}
    return JsonResponse(body, status=200 if is_ready else 503)


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Return metrics in Prometheus' text format, to an admin or with METRICS_TOKEN."""
    status = _metrics_access(request)
    if status != 200:
        challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'} if status == 401 else {}  # RFC 9110
        text = "Sign in as an admin, or send an admin's API token or METRICS_TOKEN.\n"
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=challenge)
    return HttpResponse(prometheus.render_metrics(at=timezone.now()), content_type=CONTENT_TYPE_LATEST)


def _metrics_access(request: HttpRequest) -> int:
    """Return 200 if the caller may read the metrics, else 401 or 403."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if settings.METRICS_TOKEN and secrets.compare_digest(secret.strip().encode(), settings.METRICS_TOKEN.encode()):
            return 200
        token = find_token(secret.strip(), at=timezone.now())
        return 401 if token is None else 200 if token.user.is_staff else 403
    if not isinstance(request.user, User):
        return 401
    return 200 if request.user.is_staff else 403


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """Show the health of the site's parts, the outbox, the background tasks and the versions."""
    at = timezone.now()
    outbox = queries.outbox(at=at)
    context = {
        **admin.site.each_context(request),
        "title": "System health",
        "parts": queries.site_health(),
        "heartbeats": [(part, dt.timedelta(seconds=age)) for part, age in queries.heartbeats()],
        "stale_after": queries.STALE_AFTER,
        "sweeps": sorted(
            ((TASK_LABELS.get(sweep.task, sweep.task), sweep) for sweep in queries.sweeps()), key=itemgetter(0)
        ),
        "backlog": queries.broker_backlog(),
        "outbox": outbox,
        "lateness": [(f"{part:.0%}", outbox.percentile(part)) for part in prometheus.PERCENTILES],
        "failed": queries.failed_messages(most=MAX_FAILED_MESSAGES),
        "missing_providers": missing_providers(),
        "drills": weekly_drills(),
        "database": queries.database_facts(),
        "versions": {"Python": platform.python_version(), "Django": django.get_version()},
    }
    return render(request, "admin/system.html", context)
