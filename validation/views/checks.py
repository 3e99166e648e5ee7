"""Pages of checks: the list, one with its plot and results, making and changing one, and the backtest of a threshold."""

import datetime as dt

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.forms import add_field_errors
from people.requests import SignedInRequest
from pipelines.models import Pipeline
from pipelines.queries import row_history
from validation.domain.backtests import run_backtest
from validation.domain.confirmation import Confirmation
from validation.domain.parameters import InvalidParametersError
from validation.forms import CheckForm, KnownEventForm, MuteForm, NewCheckForm, ParametersForm
from validation.models import Check, CheckResult, KnownEvent
from validation.models.checks import DEFINED
from validation.plots import Plot, Spot, build_plot
from validation.queries.checks import alerting_checks, check_events, check_results, checks_worst_first, run_progress
from validation.queries.checks import checks as all_checks
from validation.queries.evaluation_context import check_granularity
from validation.queries.plot_data import PlotData, backtest_context, plot_data
from validation.services.checks import create_check, delete_check, mute_check, unmute_check, update_check
from validation.services.known_events import acknowledge_expected, add_known_event, delete_known_event
from validation.services.run_check import request_run

CHECKS_A_PAGE = 200
RESULTS_SHOWN = 30
BACKTEST_DAYS = 365
STATUSES = ("fail", "error", "warn", "unknown", "skip", "pass")


@require_safe
def checks(request: SignedInRequest) -> HttpResponse:
    """List the checks with what each said last, those that fail first."""
    rows = checks_worst_first()
    pipeline, status = request.GET.get("pipeline", ""), request.GET.get("status", "")
    if pipeline and "\0" not in pipeline:
        rows = rows.filter(pipeline__slug=pipeline)
    if status in STATUSES:
        rows = rows.filter(last_status=status, is_active=True)
    context = {
        "page": Paginator(rows, CHECKS_A_PAGE).get_page(request.GET.get("page")),
        "pipelines": Pipeline.objects.order_by("position", "pk"),
        "pipeline": pipeline,
        "status": status,
        "statuses": STATUSES,
        "alerting": alerting_checks().count(),
        "any": Check.objects.exists(),
        "now": timezone.now(),
    }
    return render(request, "validation/checks.html", context)


@require_safe
def check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one check: its state, its plot with the same as a table, its results, known events, and its history."""
    found, at = _check(pk), timezone.now()
    context = {
        "check": found,
        "now": at,
        "plot": _plot(found),
        "results": check_results(found)[:RESULTS_SHOWN],
        "progress": run_progress(found, at=at),
        "events": check_events(found)[:20],
        "mute_form": MuteForm(),
        "event_form": KnownEventForm(),
        "may_change": request.user.is_staff or not found.has_sql,
        "has_threshold": found.has_backtest,
        "history": row_history(found, fields=DEFINED),
    }
    return render(request, "validation/check.html", context)


@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """Answer how far a run has come, for the page that asks every two seconds; once it is done, the page is read anew."""
    found, at = _check(pk), timezone.now()
    context = {"check": found, "now": at, "progress": run_progress(found, at=at)}
    answer = render(request, "validation/_progress.html", context)
    if context["progress"].state == "done":  # type: ignore[attr-defined]  # a Progress
        answer["HX-Refresh"] = "true"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def new_check(request: SignedInRequest) -> HttpResponse:
    """Ask which pipeline and type, then the rest; make the check."""
    chosen = NewCheckForm(request.GET or None, initial={"check_type": "range"})
    if not chosen.is_bound or not chosen.is_valid():
        status = 400 if chosen.errors else 200
        return render(request, "validation/new_check.html", {"form": chosen}, status=status)
    pipeline = chosen.cleaned_data["pipeline"]
    made = Check(pipeline=pipeline, check_type=chosen.cleaned_data["check_type"])
    form = CheckForm(request.POST or None, check=made, person=request.user)
    if form.is_bound and form.is_valid():
        fields = {**form.given(), "check_type": made.check_type}
        try:
            made = create_check(pipeline, fields=fields, by=request.user, at=timezone.now())
        except InvalidInputError as invalid:
            add_field_errors(form, invalid)
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The check is saved.")
            return redirect("check", pk=made.pk)
    return render(
        request, "validation/edit_check.html", {"form": form, "check": made}, status=400 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit_check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a check's form, or save what was typed."""
    found = _check(pk)
    form = CheckForm(request.POST or None, check=found, person=request.user)
    if form.is_bound and form.is_valid():
        try:
            changed = update_check(found, fields=form.given(), by=request.user, at=timezone.now())
        except InvalidInputError as invalid:
            add_field_errors(form, invalid)
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The check is saved." if changed else "Nothing changed.")
            return redirect("check", pk=pk)
    return render(
        request, "validation/edit_check.html", {"form": form, "check": found}, status=400 if form.errors else 200
    )


@require_safe
def backtest(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show how many alerts a threshold would have raised on the stored history: the check's own, or another."""
    found, at = _check(pk), timezone.now()
    if not found.has_backtest:
        raise Http404("Only a check that judges a metric's values can be tested on its history.")
    form = ParametersForm(request.GET or None, check_type=found.check_type, parameters=found.parameters)
    tested = None
    if not form.is_bound or form.is_valid():
        given = form.parameters() if form.is_bound else found.parameters
        try:
            parameters = found.type.read(given)
        except InvalidParametersError as wrong:
            form = form if form.is_bound else ParametersForm({}, check_type=found.check_type, parameters={})
            add_field_errors(
                form, InvalidInputError({f"parameters.{name}": why for name, why in wrong.problems.items()})
            )
        else:
            evaluation, buckets = backtest_context(found, parameters=parameters, at=at, days=BACKTEST_DAYS)
            confirmation = Confirmation(found.confirm, found.confirm_of)
            tested = run_backtest(
                found.type, parameters=parameters, context=evaluation, buckets=buckets, confirmation=confirmation
            )
    context = {"check": found, "form": form, "tested": tested, "days": BACKTEST_DAYS}
    return render(request, "validation/backtest.html", context, status=400 if form.errors else 200)


@require_POST
def remove_check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a check with everything it said."""
    found = _check(pk)
    try:
        delete_check(found, by=request.user)
    except NotAllowedError as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("check", pk=pk)
    messages.success(request, f"“{found.name}” is removed.")
    return redirect("checks")


@require_POST
def run_now(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a check run as soon as a worker is free."""
    try:
        request_run(_check(pk), at=timezone.now())
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("check", pk=pk)


@require_POST
def mute(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a check begin no alert for a while, or speak again."""
    found, form, at = _check(pk), MuteForm(request.POST), timezone.now()
    if "unmute" in request.POST:
        unmute_check(found)
        messages.success(request, "The check speaks again.")
    elif form.is_valid():
        mute_check(found, until=form.until(at), at=at)
        messages.success(request, "The check begins no alert for the time.")
    else:
        messages.error(request, "Choose for how long.")
    return redirect("check", pk=pk)


@require_POST
def acknowledge(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Say that a result was to be expected."""
    result = get_object_or_404(CheckResult, pk=number, of=pk)
    try:
        acknowledge_expected(result, by=request.user, at=timezone.now())
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The result counts as expected.")
    return redirect("check", pk=pk)


@require_POST
def add_event(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add a known event of a check's metric, or of its whole pipeline."""
    found, form = _check(pk), KnownEventForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the first day, the last day, and what it is.")
        return redirect("check", pk=pk)
    metric = None if form.cleaned_data["whole_pipeline"] else found.metric
    try:
        add_known_event(found.pipeline, metric=metric, event=form.event(), by=request.user, at=timezone.now())
    except InvalidInputError as invalid:
        messages.error(request, " ".join(why for whys in invalid.problems.values() for why in whys))
    else:
        messages.success(request, "The event is known; what was judged on its dates is judged again.")
    return redirect("check", pk=pk)


@require_POST
def remove_event(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Remove a known event."""
    event = get_object_or_404(KnownEvent.objects.select_related("metric"), pk=number, pipeline=_check(pk).pipeline)
    delete_known_event(event, at=timezone.now())
    messages.success(request, "The event is removed; what was judged on its dates is judged again.")
    return redirect("check", pk=pk)


def _check(pk: int) -> Check:
    return get_object_or_404(all_checks(), pk=pk)


def _plot(found: Check) -> Plot | None:
    shown = plot_data(found)
    spots = [_spot(one) for one in shown]
    if not spots:
        return None
    shape = check_granularity(found)
    of_buckets = found.has_backtest
    events: dict[dt.date, str] = {}
    for event in check_events(found).filter(ends_on__gte=spots[0].bucket.date())[:100]:
        day = max(event.starts_on, spots[0].bucket.date())
        while day <= min(event.ends_on, spots[-1].bucket.date()):
            events[day] = event.words
            day += dt.timedelta(days=1)
    step = shape.step if of_buckets else dt.timedelta(days=365)
    daily = of_buckets and shape.step >= dt.timedelta(days=1)
    return build_plot(spots, step=step, daily=daily, unit=found.value_unit, events=events)


def _spot(one: PlotData) -> Spot:
    row = one.result
    if row is None:
        return Spot(one.bucket, one.value)
    return Spot(one.bucket, one.value, row.status, row.low, row.high, row.expected, row.message)
