"""What machines and admins look at to see whether the site itself is well: `/metrics` and the system page of the admin."""

import platform
import secrets

import django
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from oncall_site import measures, queries
from people.models import User
from people.queries import token_of

MOST_FAILED = 20


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the figures of the site in Prometheus' text format, to an admin or to who knows METRICS_TOKEN."""
    status = _refusal(request)
    if status:
        challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'} if status == 401 else {}  # RFC 9110
        text = "An admin's session or token, or METRICS_TOKEN, opens this.\n"
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=challenge)
    return HttpResponse(measures.exposition(at=timezone.now()), content_type=CONTENT_TYPE_LATEST)


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
        "sweeps": queries.sweeps(),
        "backlog": queries.broker_backlog(),
        "outbox": outbox,
        "lateness": [(f"{part:.0%}", outbox.percentile(part)) for part in measures.PERCENTILES],
        "failed": queries.failed_messages(most=MOST_FAILED),
        "database": queries.database_facts(),
        "versions": {"Python": platform.python_version(), "Django": django.get_version()},
    }
    return render(request, "admin/system.html", context)
