"""Pages that combine several apps: a person, a runbook, password reset, and redirects."""

import sys

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import Error, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.http import client_address, next_path
from incidents.queries.evidence import MAX_BLOCKS, block_states
from incidents.queries.incidents import check_incident, incidents_to_run
from incidents.queries.steps import step_statistics
from oncall_site import services
from oncall_site.logs import request_id
from people.admin_site import lacks_second_factor
from people.forms import PasswordResetForm
from people.queries import user_by_username
from people.requests import SignedInRequest
from people.services.login_attempts import TooManyAttemptsError
from pipelines.queries import ownership
from runbooks import views as runbooks_views
from runbooks.domain.evidence import extend_blocks
from runbooks.queries import current_revision, has_read, runbooks
from scheduling.queries.holidays import upcoming_holidays
from scheduling.queries.weeks import weeks_held
from validation.views import checks as validation_views

MAX_INCIDENTS = 10
MAX_WEEKS = MAX_ABSENCES = 8
RETRY_AFTER_SECONDS = 5
THEMES = ("light", "dark")


@require_safe
def person(request: SignedInRequest, username: str) -> HttpResponse:
    """Show an engineer: contact, on-call weeks, dates away, and pipelines. Kinds and notes of time off are private."""
    someone = user_by_username(username)
    if someone is None or not someone.is_active:
        raise Http404
    at = timezone.now()
    context = {
        "person": someone,
        "weeks": weeks_held(someone, at=at, limit=MAX_WEEKS),
        "absences": upcoming_holidays(someone, at=at)[:MAX_ABSENCES],
        "pipelines": ownership(owner=someone),
        "now": at,
    }
    return render(request, "people/person.html", context)


@require_safe
def check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a check with a link to its open incident."""
    return validation_views.check(request, pk, incident=check_incident(pk))


@require_safe
def runbook(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show a runbook with the statistics of its steps, or how to create it."""
    row = runbooks().filter(pipeline__slug=slug).first()
    if row is None:
        return runbooks_views.runbook(request, slug)
    revision = current_revision(row)
    states = {
        one.block: render_to_string("incidents/_block_state.html", {"state": one, "slug": slug}, request)
        for one in block_states(revision.html, pipeline=row.pipeline)
    }
    inactive = render_to_string("incidents/_inactive_block.html", {"most": MAX_BLOCKS})
    context = {
        "runbook": row,
        "revision": revision,
        # The sanitised text, and templates.
        "text": mark_safe(extend_blocks(revision.html, addition=lambda block: states.get(block, inactive))),  # noqa: S308  # nosec B308 B703
        "has_read": has_read(row, person=request.user),
        "statistics": step_statistics(row),
        "incidents": incidents_to_run(row.pipeline)[:MAX_INCIDENTS],
    }
    return render(request, "runbooks/runbook.html", context)


@require_safe
@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the icon."""
    return redirect(static("oncall_site/icon.svg"))


@require_POST
def theme(request: SignedInRequest) -> HttpResponse:
    """Store the colour theme in a cookie and return to the page."""
    response = redirect(next_path(request, "now"))
    if request.POST.get("theme") in THEMES:
        response.set_cookie(
            "theme",
            request.POST["theme"],
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.HTTPS,
            httponly=True,
        )
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """Mail a link for a new password; the response does not reveal whether the account exists."""
    form = PasswordResetForm(request.POST if request.method == "POST" else None)
    context: dict[str, object] = {"form": form}
    if form.is_bound and form.is_valid():
        email, at = form.cleaned_data["email"], timezone.now()
        try:
            services.request_password_reset(email, address=client_address(request), at=at)
        except TooManyAttemptsError as error:
            return render(request, "people/forgotten.html", {**context, "until": error.until}, status=429)
        messages.success(request, f"If an account exists for {email}, we’ve sent a link.")
        return redirect("sign_in")
    return render(request, "people/forgotten.html", context, status=400 if form.errors else 200)


@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the site's own sign-in page; raise PermissionDenied for a signed-in user who is not an admin."""
    target = request.GET.get("next", "/admin/")
    if lacks_second_factor(request):
        return redirect_to_login(target, login_url="mfa_reauthenticate")
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(target)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return an error with the request's id, by which an admin finds it in the log; 503 while the database is down."""
    error = sys.exc_info()[1]
    status = 503 if isinstance(error, Error) and _is_connection_failure(error) else 500
    problem = "The database is not available. Try again in a moment." if status == 503 else "Something went wrong."
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    if request.path.startswith("/api/"):
        body = {"detail": f"{problem} Reference: {request_id.get()}"}
        return JsonResponse(body, status=status, headers=headers)
    text = render_to_string("500.html", {"request_id": request_id.get(), "is_unavailable": status == 503})
    return HttpResponse(text, status=status, headers=headers)


def _is_connection_failure(error: Error) -> bool:
    """Return True if the database could not be reached or closed the connection."""
    if isinstance(error, InterfaceError):
        return True
    code = getattr(error.__cause__, "pgcode", None)
    return isinstance(error, OperationalError) and (code is None or code.startswith(("08", "57P")))


def admin_shortcut(request: HttpRequest, rest: str) -> HttpResponse:
    """Raise Http404: no model has a page on the site."""
    raise Http404
