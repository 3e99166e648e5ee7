"""Pages to create, edit and archive rotations. Admins only."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError
from common.forms import add_service_error
from people.models import time_zones
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from scheduling.forms import NewRotationForm, RotationForm
from scheduling.models import Rotation
from scheduling.services.rotations import create_rotation, update_rotation
from scheduling.undo import RotationValues, UndoCreateRotation, UndoSaveRotation, archive_with_undo


@require_http_methods(["GET", "HEAD", "POST"])
def new_rotation(request: SignedInRequest) -> HttpResponse:
    """Create a rotation with its first roster."""
    _require_admin(request)
    form = NewRotationForm(request.POST if request.method == "POST" else None).apply_edit(request.POST)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            rotation = create_rotation(**form.cleaned_data, by=request.user, at=timezone.now())
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            confirm_with_undo(request, f"Rotation “{rotation}” created.", UndoCreateRotation(rotation.pk))
            return redirect("schedule")
    context = {"form": form, "time_zones": sorted(time_zones())}
    return render(request, "scheduling/rotation.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_rotation(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change a rotation's name, description and hand-off."""
    _require_admin(request)
    rotation = get_object_or_404(Rotation.objects.active(), slug=slug)
    initial = {name: getattr(rotation, name) for name in RotationForm.base_fields}
    form = RotationForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            before = RotationValues.load(rotation)
            update_rotation(rotation, **form.cleaned_data, by=request.user, at=timezone.now())
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            undo = UndoSaveRotation(rotation.pk, before, RotationValues.load(rotation))
            confirm_with_undo(request, f"Rotation “{rotation}” saved.", undo)
            return redirect("schedule")
    context = {"form": form, "rotation": rotation, "time_zones": sorted(time_zones())}
    return render(request, "scheduling/rotation.html", context, status=status)


@require_POST
def archive(request: SignedInRequest, slug: str) -> HttpResponse:
    """Archive a rotation and offer to undo it."""
    _require_admin(request)
    rotation = get_object_or_404(Rotation.objects.active(), slug=slug)
    undo = archive_with_undo(rotation, by=request.user, at=timezone.now())
    confirm_with_undo(request, f"Rotation “{rotation}” archived.", undo)
    return redirect("schedule")


def _require_admin(request: SignedInRequest) -> None:
    if not request.user.is_staff:
        raise PermissionDenied
