"""Views that create and edit metrics."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from common.exceptions import InvalidInputError, NotAllowedError
from common.forms import add_field_errors
from common.http import query_param
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from validation.forms import NewMetricForm, PageMetricForm
from validation.models import Metric
from validation.queries.checks import metrics
from validation.services.metrics import save_metric
from validation.undo import UndoCreateMetric, UndoSaveMetric, setting_values


@require_http_methods(["GET", "HEAD", "POST"])
def new_metric(request: SignedInRequest) -> HttpResponse:
    """Show the form of a new metric, or create it."""
    initial = {"pipeline": query_param(request, "pipeline")}
    form = NewMetricForm(request.POST or None, user=request.user, initial=initial)
    return _save(request, form) or _form_page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_metric(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form of a metric, or save it. Only admins edit metrics with SQL."""
    metric = get_object_or_404(metrics(), pk=pk)
    if metric.query and not request.user.is_staff:
        raise PermissionDenied("Only admins can edit metrics with SQL.")
    form = PageMetricForm(request.POST or None, user=request.user, instance=metric)
    return _save(request, form, before=setting_values(metric, form.fields)) or _form_page(request, form)


def _save(
    request: SignedInRequest, form: PageMetricForm, *, before: dict[str, Any] | None = None
) -> HttpResponse | None:
    """Save a valid form and return a redirect to the pipeline, or return None if the form has errors."""
    if not form.is_bound or not form.is_valid():
        return None
    try:
        metric = save_metric(form.instance, by=request.user)
    except InvalidInputError as invalid:
        add_field_errors(form, invalid)
        return None
    except NotAllowedError as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    if before is None:
        confirm_with_undo(request, "Metric created. You can now push values.", UndoCreateMetric(metric.pk))
    elif before == (saved := setting_values(metric, before)):
        messages.success(request, "No changes.")
    else:
        confirm_with_undo(request, "Metric saved.", UndoSaveMetric(metric.pk, before, saved))
    return redirect("pipeline", slug=metric.pipeline.slug)


def _form_page(request: SignedInRequest, form: PageMetricForm) -> HttpResponse:
    # The form has already changed its instance; the heading shows the stored metric.
    stored = Metric.objects.select_related("pipeline").filter(pk=form.instance.pk).first()
    context = {"form": form, "metric": stored}
    return render(request, "validation/edit_metric.html", context, status=400 if form.errors else 200)
