"""Views for checks: list, detail, create, edit, delete, run, mute, known events and backtest."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.csv import csv_response
from common.datetimes import isoformat_z
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_count, format_day, format_instant
from common.forms import add_field_errors, add_service_error
from common.http import filters_in_use, query_param, redirect_to_part, remember_filters
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from pipelines.models import Pipeline
from pipelines.queries import row_history
from validation.domain.backtests import run_backtest
from validation.domain.parameters import InvalidParametersError
from validation.domain.results import WORST_FIRST, Confirmation
from validation.forms import CheckForm, ExplainForm, KnownEventForm, MuteForm, NewCheckForm, ParametersForm
from validation.models import Check, CheckQuerySet, CheckResult, KnownEvent
from validation.models.checks import DEFINITION_FIELDS
from validation.plots import backtest_plot, build_heat_map, check_plot, check_rows, metric_plot, shows_runs
from validation.presenters import check_settings
from validation.queries.checks import (
    alerting_checks,
    check_events,
    check_results,
    checks_worst_first,
    deleted_checks,
    run_progress,
)
from validation.queries.checks import checks as all_checks
from validation.queries.evaluation_context import check_granularity
from validation.queries.explanations import can_explain_days, explain_day
from validation.queries.plot_data import arrivals, backtest_context
from validation.services.checks import (
    create_check,
    delete_check,
    draft_check,
    mute_check,
    restore_check,
    unmute_check,
    update_check,
)
from validation.services.known_events import Event, acknowledge_expected, add_known_event, delete_known_event
from validation.services.run_check import preview_check, request_run
from validation.undo import (
    UndoAddEvent,
    UndoCreateCheck,
    UndoDeleteCheck,
    UndoDeleteEvent,
    UndoExpected,
    UndoMute,
    UndoSaveCheck,
    setting_values,
)

CHECKS_PER_PAGE = 200
MAX_CSV_ROWS = 2000
CSV_COLUMNS = (
    "id", "pipeline", "name", "type", "enabled", "status", "value", "last_run_at", "alerting_since",
)  # fmt: skip
RESULTS_PER_CHECK = 30
EVENTS_PER_CHECK = 20
BACKTEST_DAYS = 365
FILTERS, FILTERS_COOKIE = ("pipeline", "status"), "checks_filters"
CHART_DAYS = {"30": (30, "30 days"), "90": (90, "90 days"), "365": (365, "1 year"), "all": (None, "All")}
DEFAULT_CHART_DAYS = "90"
CALLOUT_CLASSES = {"fail": "danger", "pass": "ok"}  # nosec B105  # a status, not a secret


def _filtered(filters: QueryDict) -> CheckQuerySet:
    """Return the checks of the list's filters, failing ones first."""
    rows = checks_worst_first()
    if pipeline := filters.get("pipeline"):
        rows = rows.filter(pipeline__slug=pipeline)
    if (status := filters.get("status")) in WORST_FIRST:
        rows = rows.filter(last_status=status, is_active=True)
    return rows


@require_safe
def checks_csv(request: SignedInRequest) -> HttpResponse:
    """Return the checks of the filters in the URL as a CSV file."""
    filters = filters_in_use(request, cookie="", names=FILTERS)
    rows = (
        (
            check.pk,
            check.pipeline.slug,
            check.name,
            check.check_type,
            "yes" if check.is_active else "no",
            check.last_status,
            check.last_value,
            isoformat_z(check.last_run_at) if check.last_run_at else "",
            isoformat_z(check.alerting_since) if check.alerting_since else "",
        )
        for check in _filtered(filters)[:MAX_CSV_ROWS]
    )
    return csv_response("checks.csv", columns=CSV_COLUMNS, rows=rows)


@require_safe
def checks(request: SignedInRequest) -> HttpResponse:
    """List checks with their last result, failing ones first. Without filters in the URL, those of the last visit apply."""
    filters = filters_in_use(request, cookie=FILTERS_COOKIE, names=FILTERS)
    page = Paginator(_filtered(filters), CHECKS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": check_rows(page.object_list),
        "pipelines": Pipeline.objects.order_by("position", "pk"),
        "filters": filters,
        "statuses": WORST_FIRST,
        "alerting": alerting_checks().count(),
        "any": Check.objects.exists(),
        "deleted": deleted_checks().count(),
        "now": timezone.now(),
    }
    response = render(request, "validation/checks.html", context)
    remember_filters(response, filters, cookie=FILTERS_COOKIE)
    return response


@require_safe
def check(request: SignedInRequest, pk: int, **extra: object) -> HttpResponse:
    """Show a check with its chart, settings, results, known events and history; `extra` is more context for the page."""
    return _check_page(request, _get_check(pk), event_form=KnownEventForm(), **extra)


def _check_page(request: SignedInRequest, check: Check, *, event_form: KnownEventForm, **extra: object) -> HttpResponse:
    at = timezone.now()
    days = request.GET.get("days", "")
    days = days if days in CHART_DAYS else DEFAULT_CHART_DAYS
    plot = check_plot(check, days=CHART_DAYS[days][0])
    # A line needs two values; a check with one run shows its metric.
    if plot is None or (plot.count < 2 and shows_runs(check)):
        plot = metric_plot(check, days=CHART_DAYS[days][0]) or plot
    context = {
        "check": check,
        "callout": _callout(check),
        "now": at,
        "plot": plot,
        "heat_map": build_heat_map(arrivals(check, at=at), step=check_granularity(check).step),
        "days": days,
        "ranges": [(value, label) for value, (_, label) in CHART_DAYS.items()],
        "settings": check_settings(check),
        "results": check_results(check)[:RESULTS_PER_CHECK],
        "progress": run_progress(check, at=at),
        "events": check_events(check)[:EVENTS_PER_CHECK],
        "mute_form": MuteForm(),
        "event_form": event_form,
        "may_change": request.user.is_staff or not check.has_sql,
        "has_threshold": check.has_backtest,
        "deletion": _deletion(check),
        "history": row_history(check, fields=DEFINITION_FIELDS),
        **_explanation(request, check, at=at),
        **extra,
    }
    explain_form = context.get("explain_form")
    has_errors = event_form.errors or (isinstance(explain_form, ExplainForm) and explain_form.errors)
    return render(request, "validation/check.html", context, status=400 if has_errors else 200)


def _explanation(request: SignedInRequest, check: Check, *, at: dt.datetime) -> dict[str, object]:
    """Return the form for a past day and the explanation of the requested day."""
    if not can_explain_days(check):
        return {}
    form = ExplainForm(request.GET if "day" in request.GET else None)
    if not form.is_bound or not form.is_valid():
        return {"explain_form": form}
    day = form.cleaned_data["day"]
    return {"explain_form": form, "explained_day": day, "explanation": explain_day(check, day=day, at=at)}


@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the progress of a requested run, which the page polls; reload the page when the run is done."""
    check, at = _get_check(pk), timezone.now()
    progress = run_progress(check, at=at)
    response = render(request, "validation/_progress.html", {"check": check, "now": at, "progress": progress})
    if progress.state == "done":
        response["HX-Refresh"] = "true"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def new_check(request: SignedInRequest) -> HttpResponse:
    """Ask for pipeline and type, then for the fields of the type; preview or create the check."""
    initial = {"check_type": "range", "pipeline": query_param(request, "pipeline")}
    choice = NewCheckForm(request.GET if "check_type" in request.GET else None, initial=initial)
    if not choice.is_bound or not choice.is_valid():
        status = 400 if choice.errors else 200
        return render(request, "validation/new_check.html", {"form": choice}, status=status)
    pipeline, check_type = choice.cleaned_data["pipeline"], choice.cleaned_data["check_type"]

    def save(fields: dict[str, Any]) -> int:
        check = create_check(pipeline, fields={**fields, "check_type": check_type}, by=request.user, at=timezone.now())
        confirm_with_undo(request, "Check created.", UndoCreateCheck(check.pk, setting_values(check, fields)))
        return check.pk

    return _check_form(request, Check(pipeline=pipeline, check_type=check_type), save=save)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form of a check, preview its result, or save it."""
    check = _get_check(pk)

    def save(fields: dict[str, Any]) -> int:
        before = setting_values(check, fields)
        changed = update_check(check, fields=fields, by=request.user, at=timezone.now())
        if changed:
            confirm_with_undo(request, "Check saved.", UndoSaveCheck(pk, before, setting_values(check, fields)))
        else:
            messages.success(request, "No changes.")
        return pk

    return _check_form(request, check, save=save)


def _check_form(request: SignedInRequest, check: Check, *, save: Callable[[dict[str, Any]], int]) -> HttpResponse:
    """Show the form of a check with its errors or its preview, or save it by `save`, which returns its ID."""
    form, preview = CheckForm(request.POST or None, check=check, user=request.user), None
    if form.is_bound and form.is_valid():
        try:
            if "preview" not in request.POST:
                return redirect("check", pk=save(form.check_fields()))
            draft = draft_check(check, fields=form.check_fields(), by=request.user)
            preview = preview_check(draft, at=timezone.now())
        except DomainError as error:
            add_service_error(form, error)
    context = {"form": form, "check": check, "preview": preview}
    return render(request, "validation/edit_check.html", context, status=400 if form.errors else 200)


@require_safe
def backtest(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show how many alerts the check's thresholds, or others, would have raised on the stored history."""
    check, at = _get_check(pk), timezone.now()
    if not check.has_backtest:
        raise Http404("Only checks of metric values have a backtest.")
    form = ParametersForm(request.GET or None, check_type=check.check_type, parameters=check.parameters)
    tested, plot = None, None
    if not form.is_bound or form.is_valid():
        values = form.parameters() if form.is_bound else check.parameters
        try:
            parameters = check.type.read(values)
        except InvalidParametersError as invalid:
            form = form if form.is_bound else ParametersForm({}, check_type=check.check_type, parameters={})
            problems = {f"parameters.{name}": reasons for name, reasons in invalid.problems.items()}
            add_field_errors(form, InvalidInputError(problems))
        else:
            history, buckets = backtest_context(check, parameters=parameters, at=at, days=BACKTEST_DAYS)
            confirmation = Confirmation(check.confirm, check.confirm_of)
            tested = run_backtest(
                check.type, parameters=parameters, context=history, buckets=buckets, confirmation=confirmation
            )
            plot = backtest_plot(check, parameters=parameters, context=history, buckets=buckets, tested=tested)
    context = {"check": check, "form": form, "tested": tested, "plot": plot, "days": BACKTEST_DAYS}
    return render(request, "validation/backtest.html", context, status=400 if form.errors else 200)


@require_POST
def remove_check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a check with its results."""
    check = _get_check(pk)
    try:
        delete_check(check, by=request.user, at=timezone.now())
    except NotAllowedError as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    if check.deleted_at:
        text = f"Check “{check.name}” deleted. It can be restored for 30 days."
        confirm_with_undo(request, text, UndoDeleteCheck(pk))
    else:
        messages.success(request, f"Check “{check.name}” deleted.")
    return redirect("checks")


@require_safe
def removed_checks(request: SignedInRequest) -> HttpResponse:
    """List the deleted checks that can be restored, latest deletion first."""
    page = Paginator(deleted_checks(), CHECKS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "validation/deleted_checks.html", {"page": page})


@require_POST
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    """Restore a deleted check."""
    check = get_object_or_404(Check.all_objects.all(), pk=pk)
    try:
        restored = restore_check(check, by=request.user, at=timezone.now())
    except NotAllowedError as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("deleted_checks")
    messages.success(request, f"Check “{restored.name}” restored.")
    return redirect("check", pk=pk)


@require_POST
def run_now(request: SignedInRequest, pk: int) -> HttpResponse:
    """Request a run of a check."""
    try:
        request_run(_get_check(pk), at=timezone.now())
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect("check", pk=pk)


@require_POST
def mute(request: SignedInRequest, pk: int) -> HttpResponse:
    """Mute or unmute a check."""
    check, form, at = _get_check(pk), MuteForm(request.POST), timezone.now()
    before = check.muted_until
    if "unmute" in request.POST:
        unmute_check(check)
        confirm_with_undo(request, f"Alerts for “{check.name}” unmuted.", UndoMute(pk, before, None))
    elif form.is_valid():
        until = form.until(at)
        mute_check(check, until=until, at=at)
        text = f"Alerts for “{check.name}” muted until {format_instant(until, request.user.zone, brief=True)}."
        confirm_with_undo(request, text, UndoMute(pk, before, check.muted_until))
    else:
        messages.error(request, "Choose a duration.")
        return redirect("check", pk=pk)
    return redirect_to_part("mute", "check", pk=pk)


@require_POST
def acknowledge(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Mark a result as expected."""
    result = get_object_or_404(CheckResult, pk=number, parent_check=pk)
    try:
        acknowledge_expected(result, by=request.user, at=timezone.now())
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("check", pk=pk)
    of_day = f" of {format_day(result.bucket.date())}" if result.bucket else ""
    confirm_with_undo(request, f"Result{of_day} marked as expected.", UndoExpected(number))
    return redirect_to_part(f"result-{number}", "check", pk=pk)


@require_POST
def add_event(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add a known event for a check's metric or its whole pipeline."""
    shown, form = _get_check(pk), KnownEventForm(request.POST)
    if form.is_valid():
        metric = None if form.cleaned_data["whole_pipeline"] else shown.metric
        try:
            event = add_known_event(
                shown.pipeline, metric=metric, event=form.event(), by=request.user, at=timezone.now()
            )
        except InvalidInputError as invalid:
            add_field_errors(form, invalid)
        else:
            text = f"Event added: {event}. Affected results are being re-evaluated."
            confirm_with_undo(request, text, UndoAddEvent(event.pk))
            return redirect_to_part("events", "check", pk=pk)
    return _check_page(request, shown, event_form=form)


@require_POST
def remove_event(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Delete a known event."""
    pipeline = _get_check(pk).pipeline
    event = get_object_or_404(KnownEvent.objects.select_related("metric"), pk=number, pipeline=pipeline)
    delete_known_event(event, at=timezone.now())
    deleted = Event(event.starts_on, event.ends_on, event.name)
    text = f"Event deleted: {event}. Affected results are being re-evaluated."
    confirm_with_undo(request, text, UndoDeleteEvent(pipeline.pk, event.metric_id, deleted))
    return redirect_to_part("events", "check", pk=pk)


def _get_check(pk: int) -> Check:
    return get_object_or_404(all_checks(), pk=pk)


def _deletion(check: Check) -> str:
    """Return what deleting a check means."""
    count = check.results.count()
    if not count:
        return "It has no results, so it is deleted for good."
    return f"It and its {format_count(count, 'result')} can be restored for 30 days, under Recently deleted."


def _callout(check: Check) -> str:
    """Return the CSS class for a check's state: neutral if it is disabled, never ran or is expected to be unusual."""
    if not check.is_active or not check.last_status or check.last_expected:
        return ""
    return CALLOUT_CLASSES.get(check.last_status, "warn")
