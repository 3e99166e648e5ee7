"""The pages that join rooms, Now and a pipeline's, and the health calls."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from common.http import client_address
from handoffs.queries.handoffs import next_handoffs, overdue_handoffs
from incidents.queries.incidents import all_incidents, incidents_to_run, open_incidents
from incidents.queries.statuses import PipelineStatus, statuses
from incidents.queries.steps import step_statistics
from oncall_site import queries, services
from oncall_site.onboarding import onboarding_steps
from people.admin_site import lacks_second_factor
from people.forms import ForgottenForm
from people.models import User
from people.requests import SignedInRequest
from people.services.login_attempts import TooManyAttemptsError
from pipelines.models import Pipeline
from pipelines.queries import ownership, row_history
from runbooks import views as runbooks_views
from runbooks.queries import current_revision, runbooks
from scheduling.domain.responder_chain import Chain, Link
from scheduling.models import Rotation
from scheduling.queries.on_call import OnCallShift, OnCallSnapshot, on_call_snapshot, possibly_uncovered
from scheduling.queries.swaps import swaps_naming
from scheduling.queries.weeks import rotations_for, weeks_held
from validation.queries.checks import checks, metrics_with_newest
from validation.queries.external import external_checks

TRACKED = ("name", "audience", "primary_owner", "secondary_owner", "escalate_after_minutes")


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers for a pipeline, with people instead of keys."""

    pipeline: Pipeline
    status: PipelineStatus
    chain: Chain
    responder: User | None
    acting_owner: User | None
    links: tuple[tuple[Link, User], ...]

    @property
    def passed_over(self) -> list[tuple[Link, User]]:
        """The first two links before the responder, each with why it is passed over."""
        return list(takewhile(lambda one: one[1] != self.responder, self.links))[:2]

    @property
    def role(self) -> str:
        """The responder's role in words."""
        return next((ROLES[link.role] for link, user in self.links if user == self.responder), "")


INCIDENTS_SHOWN, HANDOFFS_SHOWN, ROTATIONS_SHOWN, PIPELINES_SHOWN, EXTERNAL_SHOWN = 10, 10, 12, 50, 50
ROLES = {
    "on_call": "on call",
    "primary_owner": "primary owner",
    "secondary_owner": "secondary owner",
    "rotation": "next in the rotation",
}


def _seen(
    seen: OnCallSnapshot, pipelines: Iterable[Pipeline]
) -> tuple[list[Answer], list[tuple[OnCallShift, User | None, User | None]]]:
    """Return who answers for each of these pipelines, and who is on call and who is next in each rotation, as people."""
    shown = list(pipelines)
    named = {link.engineer for row in shown for link in seen.chains[row.pk].links}
    named |= {key for turn in seen.shifts for key in (turn.engineer, turn.next_engineer) if key is not None}
    people, words, found = User.objects.get_queryset().in_bulk(named), statuses(shown), []
    for pipeline in shown:
        chain = seen.chains[pipeline.pk]
        found.append(
            Answer(
                pipeline=pipeline,
                status=words[pipeline.pk],
                chain=chain,
                responder=people.get(chain.responder) if chain.responder else None,
                acting_owner=people.get(chain.acting_owner) if chain.acting_owner else None,
                links=tuple((link, people[link.engineer]) for link in chain.links),
            )
        )
    on_call = [(turn, people.get(turn.engineer or 0), people.get(turn.next_engineer or 0)) for turn in seen.shifts]
    return found, on_call


@require_safe
def now(request: SignedInRequest) -> HttpResponse:
    """Show who is on call and who is next, who answers for every pipeline and why, open incidents, and my coming weeks."""
    at, reader = timezone.now(), request.user
    shown = list(rotations_for(reader)[:ROTATIONS_SHOWN])
    # On a large site the reader's own pipelines come first, a page at a time; those that nobody answers for always show.
    # Their keys are put in order first: thousands of rows with all that is read along take the database ten times as long.
    keys = ownership(first=reader).values_list("pk", flat=True)
    page = Paginator(keys, PIPELINES_SHOWN).get_page(request.GET.get("page"))
    rows = ownership().select_related("in_rotation__rotation").in_bulk(list(page.object_list))
    listed = {key: rows[key] for key in page.object_list if key in rows}
    looked_at = {row.pk: row for row in possibly_uncovered(at=at)} | listed
    seen = on_call_snapshot(looked_at.values(), rotations=shown, at=at)
    uncovered = [row for key, row in looked_at.items() if seen.chains[key].responder is None]
    found, on_call = _seen(seen, ({row.pk: row for row in uncovered} | listed).values())
    answers = {answer.pipeline.pk: answer for answer in found}
    context = {
        "now": at,
        "on_call": on_call,
        "more_rotations": Rotation.objects.count() - len(on_call),
        "page": page,
        "answers": [answers[key] for key in listed],
        "incidents": open_incidents(),
        "uncovered": [answer for answer in found if answer.responder is None],
        "swaps": swaps_naming(reader, at=at),
        "my_weeks": weeks_held(request.user, at=at, limit=2),
        "steps": onboarding_steps() if request.user.is_staff else [],
        "overdue_handoffs": overdue_handoffs(at=at)[:HANDOFFS_SHOWN],
        "next_handoffs": next_handoffs(at=at, rotations=shown),
    }
    return render(request, "oncall_site/now.html", context)


@require_safe
def pipeline(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show one pipeline: its status, who answers and why, who owns it, its incidents, its history."""
    found = get_object_or_404(ownership(), slug=slug)
    at = timezone.now()
    [answer], _ = _seen(on_call_snapshot([found], at=at), [found])
    history = row_history(found, fields=TRACKED)
    incidents = all_incidents().filter(pipeline=found)[:INCIDENTS_SHOWN]
    context = {
        "pipeline": found,
        "answer": answer,
        "roles": ROLES,
        "now": at,
        "history": history,
        "incidents": incidents,
        "checks": checks().filter(pipeline=found),
        "metrics": metrics_with_newest(found),
        "external_checks": external_checks().filter(pipeline=found)[:EXTERNAL_SHOWN],
    }
    return render(request, "pipelines/pipeline.html", context)


@require_safe
def runbook(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show a runbook, with how often each of its steps ended an incident; or how to begin one."""
    found = runbooks().filter(pipeline__slug=slug).first()
    if found is None:
        return runbooks_views.runbook(request, slug)
    context = {
        "runbook": found,
        "revision": current_revision(found),
        "statistics": step_statistics(found),
        "incidents": incidents_to_run(found.pipeline)[:INCIDENTS_SHOWN],
    }
    return render(request, "runbooks/runbook.html", context)


@require_safe
@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:
    """Send who asks by the old name on to the icon."""
    return redirect(static("oncall_site/icon.svg"))


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """Mail a link for a new password; the answer is the same whoever has the e-mail that was typed."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    context: dict[str, object] = {"form": form}
    if form.is_bound and form.is_valid():
        email, at = form.cleaned_data["email"], timezone.now()
        try:
            services.forgotten(email, address=client_address(request), at=at)
        except TooManyAttemptsError as busy:
            return render(request, "people/forgotten.html", {**context, "until": busy.until}, status=429)
        messages.success(request, f"If somebody here has the e-mail {email}, a link is on its way to them.")
        return redirect("sign_in")
    return render(request, "people/forgotten.html", context, status=400 if form.errors else 200)


@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Send who wants into the admin to the site's own sign-in, where attempts are counted; refuse an engineer."""
    wanted = request.GET.get("next", "/admin/")
    if lacks_second_factor(request):
        return redirect_to_login(wanted, login_url="mfa_reauthenticate")
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(wanted)


def no_shortcut(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer that there is no such page."""
    raise Http404


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers."""
    return JsonResponse({"alive": True})


@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Say of each part whether it works; 503 where one does not."""
    parts = queries.readiness()
    answer = {part.part: {"well": part.well, "seen": part.seen} for part in parts}
    well = all(part.well for part in parts)
    return JsonResponse({"ready": well, "parts": answer}, status=200 if well else 503)
