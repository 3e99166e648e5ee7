"""Pages by which a metric is made and changed: one that points are pushed to, or, by admins, one that is pulled by a SELECT."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from common.exceptions import InvalidInputError, NotAllowedError
from common.forms import add_field_errors
from people.requests import SignedInRequest
from validation.forms import NewMetricForm, PageMetricForm
from validation.models import Metric
from validation.queries.checks import metrics
from validation.services.metrics import save_metric


@require_http_methods(["GET", "HEAD", "POST"])
def new_metric(request: SignedInRequest) -> HttpResponse:
    """Show the form of a metric that is to be, or make it."""
    first = {"pipeline": request.GET.get("pipeline", "").replace("\0", "")}
    form = NewMetricForm(request.POST or None, person=request.user, initial=first)
    return _saved(request, form, "The metric is there. Points can come.") or _shown(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_metric(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a metric's form, or save what was typed; one with SQL is for admins."""
    found = get_object_or_404(metrics(), pk=pk)
    if found.query and not request.user.is_staff:
        raise PermissionDenied("Metrics with SQL are changed by admins.")
    form = PageMetricForm(request.POST or None, person=request.user, instance=found)
    return _saved(request, form, "The metric is saved.") or _shown(request, form)


def _saved(request: SignedInRequest, form: PageMetricForm, words: str) -> HttpResponse | None:
    """Return the way to the pipeline's page once what was typed is saved, None where it is not."""
    if not form.is_bound or not form.is_valid():
        return None
    try:
        made = save_metric(form.instance, by=request.user)
    except InvalidInputError as invalid:
        add_field_errors(form, invalid)
        return None
    except NotAllowedError as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    messages.success(request, words)
    return redirect("pipeline", slug=made.pipeline.slug)


def _shown(request: SignedInRequest, form: PageMetricForm) -> HttpResponse:
    # As it is stored: what was typed stands in the fields alone.
    stored = Metric.objects.select_related("pipeline").filter(pk=form.instance.pk).first()
    context = {"form": form, "metric": stored}
    return render(request, "validation/edit_metric.html", context, status=400 if form.errors else 200)
