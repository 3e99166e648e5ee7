"""Pages to create and end covers."""

import datetime as dt

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError, NotAllowedError
from common.forms import add_service_error
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from scheduling.forms import CoverForm
from scheduling.models import Cover, Rotation
from scheduling.presenters import cover_text
from scheduling.queries.on_call import on_call_shifts
from scheduling.queries.weeks import requested_period
from scheduling.services import covers
from scheduling.services.covers import create_cover_parts
from scheduling.undo import CoverPart, UndoCreateCover, UndoEndCover

COVERS_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
def cover(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take over a rotation now, or let another engineer cover part of it."""
    rotation, at = get_object_or_404(Rotation, slug=slug), timezone.now()
    starts_at, ends_at = requested_period(request.GET, rotation=rotation, at=at)
    [shift] = on_call_shifts([rotation], at=at)
    # The engineer on call gives time away; another takes over.
    is_on_call = shift.engineer == request.user.person and shift.ends_at is not None and starts_at < shift.ends_at
    initial = {"engineer": "" if is_on_call else request.user.username, "starts_at": starts_at, "ends_at": ends_at}
    form = CoverForm(request.POST if request.method == "POST" else None, initial=initial)
    form.fields["engineer"].mark_absences(  # type: ignore[attr-defined]  # an EngineerField
        starts_at=starts_at, ends_at=ends_at
    )
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        acknowledged = form.cleaned_data["acknowledge_conflicts"]
        try:
            parts = create_cover_parts(
                rotation, data=form.cover_data(), by=request.user, at=at, acknowledge_conflicts=acknowledged
            )
        except DomainError as error:
            status = add_service_error(form, error)
            form.show_conflict_checkbox(show=bool(error.details.get("conflicts")))
        else:
            text = f"Cover saved. {cover_text(parts, reader=request.user)}"
            confirm_with_undo(request, text, UndoCreateCover(parts[0].pk, CoverPart.load(parts[0])))
            return redirect("schedule")
    upcoming = _upcoming_covers(rotation, request, at=at)
    context = {"rotation": rotation, "form": form, "shift": shift, "covers": upcoming}
    return render(request, "scheduling/cover.html", context, status=status)


def _upcoming_covers(rotation: Rotation, request: SignedInRequest, *, at: dt.datetime) -> list[tuple[Cover, bool]]:
    """Return current and upcoming covers, each with whether the reader can end it."""
    rows = (
        rotation.covers.filter(ends_at__gt=at)
        .select_related("engineer", "covered_engineer")
        .order_by("starts_at")[:COVERS_SHOWN]
    )
    reader = request.user
    return [(row, reader.is_staff or reader in (row.engineer, row.covered_engineer)) for row in rows]


@require_POST
def end_cover(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a cover now, or cancel it before it starts."""
    row = get_object_or_404(Cover.objects.select_related("rotation", "engineer", "covered_engineer"), pk=pk)
    try:
        ended = covers.end_cover(row, by=request.user, at=timezone.now())
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        messages.error(request, str(error))
    else:
        text = f"Cover ended. {cover_text(ended, reader=request.user, has_ended=True)}"
        parts = tuple(CoverPart.load(part) for part in ended)
        confirm_with_undo(request, text, UndoEndCover(row.rotation_id, parts))
    return redirect("cover", slug=row.rotation.slug)
