"""Preview and apply the planner's moves."""

import datetime as dt

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from common.exceptions import DomainError, InvalidInputError
from people.queries import people_by_username
from people.requests import SignedInRequest
from scheduling.domain.optimizer import Infeasible
from scheduling.domain.weeks import Move
from scheduling.models import Rotation
from scheduling.queries.suggestions import plan_for, plan_reasons
from scheduling.services.optimizer import apply_moves


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: SignedInRequest, slug: str) -> HttpResponse:
    """Find the fewest moves that leave nobody on call while away; preview, then apply them. Admins only."""
    if not request.user.is_staff:
        raise PermissionDenied
    rotation, at = get_object_or_404(Rotation, slug=slug), timezone.now()
    if request.method == "POST":
        try:
            swaps = apply_moves(rotation, moves=_posted_moves(request), by=request.user, at=at)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("plan", slug=slug)
        messages.success(request, f"Plan applied. {len(swaps)} week{'s' if len(swaps) > 1 else ''} reassigned.")
        return redirect("schedule")
    result = plan_for(rotation, at=at)
    context: dict[str, object] = {"rotation": rotation}
    if isinstance(result, Infeasible):
        context |= {"infeasible": result}
    else:
        context |= {"plan": result, "moves": plan_reasons(rotation, moves=result.moves)}
    return render(request, "scheduling/plan.html", context)


def _posted_moves(request: SignedInRequest) -> list[Move]:
    """Return the moves posted from the preview; raise InvalidInputError for malformed input and unknown people."""
    people = people_by_username()
    try:
        parts = [value.split(":") for value in request.POST.getlist("move")]
        return [Move(dt.date.fromisoformat(week), people[giver], people[taker]) for week, giver, taker in parts]
    except (ValueError, KeyError) as error:
        raise InvalidInputError(
            {"moves": ["These moves could not be read. Refresh the plan and try again."]}
        ) from error
