"""Preview and apply the planner's moves."""

import datetime as dt

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from common.exceptions import DomainError, InvalidInputError
from people.queries import all_users
from people.requests import SignedInRequest
from scheduling.domain.optimizer import Infeasible
from scheduling.domain.weeks import Move
from scheduling.models import Rotation
from scheduling.queries.suggestions import plan_for
from scheduling.services.optimizer import apply_moves


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: SignedInRequest, slug: str) -> HttpResponse:
    """Compute the fewest moves that leave nobody on call while away; preview, then apply them. Admins only."""
    if not request.user.is_staff:
        raise PermissionDenied
    rotation, at = get_object_or_404(Rotation, slug=slug), timezone.now()
    if request.method == "POST":
        try:
            made = apply_moves(rotation, moves=_moves_typed(request), by=request.user, at=at)
        except DomainError as refusal:
            messages.error(request, str(refusal))
            return redirect("plan", slug=slug)
        messages.success(request, f"{len(made)} week{'s' if len(made) > 1 else ''} changed hands.")
        return redirect("schedule")
    found = plan_for(rotation, at=at)
    people = {user.pk: user for user in all_users()}
    context: dict[str, object] = {"rotation": rotation}
    if isinstance(found, Infeasible):
        context |= {"no_plan": found}
    else:
        context |= {"plan": found, "moves": [(move, people[move.giver], people[move.taker]) for move in found.moves]}
    return render(request, "scheduling/plan.html", context)


def _moves_typed(request: SignedInRequest) -> list[Move]:
    """Return the moves posted from the preview; raise Invalid for malformed input."""
    try:
        parts = [text.split(":") for text in request.POST.getlist("move")]
        return [Move(dt.date.fromisoformat(week), int(giver), int(taker)) for week, giver, taker in parts]
    except ValueError as error:
        raise InvalidInputError({"moves": ["These are no moves of a plan."]}) from error
