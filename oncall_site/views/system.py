"""What machines and admins look at to see whether the site itself is well: `/metrics` and the system page of the admin."""

import platform
import secrets
from operator import itemgetter

import django
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from oncall_site import prometheus, queries
from people.models import User
from people.queries import token_of

MOST_FAILED = 20
# What each background job does, as the system page says it.
JOBS = {
    "calendar_feeds.tasks.sync_feeds": "Bring calendar feeds up to date",
    "handoffs.tasks.sync_handoffs": "Arrange the meetings of coming hand-offs",
    "incidents.tasks.escalate": "Tell the next engineer of an incident that nobody took",
    "incidents.tasks.sync_incidents": "Open and close incidents as checks and alerts say",
    "notifications.tasks.deliver": "Send a message",
    "notifications.tasks.purge_finished": "Delete old messages",
    "notifications.tasks.sweep": "Look for messages that are due",
    "oncall_site.tasks.record_heartbeat": "Show that a worker is alive",
    "oncall_site.tasks.grow_demo": "Add new days to the demo’s warehouse",
    "people.tasks.purge_attempts": "Delete old attempts to sign in",
    "scheduling.tasks.expire_swaps": "Close swap requests whose time is over",
    "scheduling.tasks.sync_coverage_gaps": "Look for times at which nobody answers",
    "scheduling.tasks.ensure_weeks": "Plan the coming weeks",
    "scheduling.tasks.sync_calendar_links": "Read linked calendars",
    "scheduling.tasks.reassign_inactive": "Take inactive people off the schedule",
    "scheduling.tasks.notify_schedule_changes": "Tell people what changed in the schedule",
    "validation.tasks.run_check": "Run a check",
    "validation.tasks.sweep_checks": "Look for checks that are due",
}


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the figures of the site in Prometheus' text format, to an admin or to who knows METRICS_TOKEN."""
    status = _refusal(request)
    if status:
        challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'} if status == 401 else {}  # RFC 9110
        text = "An admin's session or token, or METRICS_TOKEN, opens this.\n"
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=challenge)
    return HttpResponse(prometheus.render_metrics(at=timezone.now()), content_type=CONTENT_TYPE_LATEST)


def _refusal(request: HttpRequest) -> int:
    """Return 0 where the caller may read the figures, else the status that says why not."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if settings.METRICS_TOKEN and secrets.compare_digest(secret.strip().encode(), settings.METRICS_TOKEN.encode()):
            return 0
        token = token_of(secret.strip(), at=timezone.now())
        return 401 if token is None else 0 if token.user.is_staff else 403
    if not isinstance(request.user, User):
        return 401
    return 0 if request.user.is_staff else 403


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """Show admins the workers, beat and sweeps, how the outbox fares, and what the site runs on."""
    at = timezone.now()
    outbox = queries.outbox(at=at)
    context = {
        **admin.site.each_context(request),
        "title": "System",
        "parts": queries.readiness(),
        "heartbeats": queries.heartbeats(),
        "stale_after": queries.STALE_AFTER.total_seconds(),
        "sweeps": sorted(((JOBS.get(sweep.task, sweep.task), sweep) for sweep in queries.sweeps()), key=itemgetter(0)),
        "backlog": queries.broker_backlog(),
        "outbox": outbox,
        "lateness": [(f"{part:.0%}", outbox.percentile(part)) for part in prometheus.PERCENTILES],
        "failed": queries.failed_messages(most=MOST_FAILED),
        "database": queries.database_facts(),
        "versions": {"Python": platform.python_version(), "Django": django.get_version()},
    }
    return render(request, "admin/system.html", context)
