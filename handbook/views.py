"""The handbook page: preview an import, import, and export."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from common.exceptions import DomainError
from handbook.forms import HandbookForm
from handbook.presenters import choices, posted_answers, roster_cards
from handbook.queries.export import export_handbook
from handbook.queries.questions import NEW
from handbook.services import approve_queries, import_handbook, preview_handbook
from handbook.services.report import ImportErrors
from people.requests import SignedInRequest
from runbooks.domain.handbook_model import HandbookErrors


@require_http_methods(["GET", "HEAD", "POST"])
def handbook(request: SignedInRequest) -> HttpResponse:
    """Show the import form. On submit, preview the import, list the errors by line, or import the handbook."""
    if not request.user.is_staff:
        raise PermissionDenied("Only admins can import the handbook.")
    if request.method != "POST":
        return render(request, "handbook/handbook.html", {"form": HandbookForm()})
    form = HandbookForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "handbook/handbook.html", {"form": form}, status=400)
    fields, answers = form.cleaned_data, posted_answers(request.POST.dict())
    digest = form.digest(answers)
    # Only what was previewed is imported. Anything else is previewed first.
    is_import = "import" in request.POST and fields["previewed"] == digest
    run = import_handbook if is_import else preview_handbook
    context: dict[str, object] = {"form": form.with_text()}
    try:
        report = run(
            fields["data"],
            at=timezone.now(),
            starting=fields["starting"],
            time_zone=fields["time_zone"] or None,
            answers=answers,
        )
    except ImportErrors as error:
        context |= {"errors": error.errors, "choices": choices(error.people, error.rotations, answers=answers)}
        return render(request, "handbook/handbook.html", context, status=400)
    except HandbookErrors as error:
        return render(request, "handbook/handbook.html", {**context, "errors": error.errors}, status=400)
    except DomainError as error:
        return render(request, "handbook/handbook.html", {**context, "error": str(error)}, status=409)
    if is_import:
        approve_queries(
            report,
            keys=request.POST.getlist("approve"),
            by=request.user,
            at=timezone.now(),
            rows_for_engineers="rows_for_engineers" in request.POST,
        )
        messages.success(request, f"Handbook imported: {len(report.created)} created, {len(report.changed)} changed.")
        return redirect("now")
    is_changed = "import" in request.POST
    context |= {
        "form": form.with_text(previewed=digest),
        "is_changed": is_changed,
        "report": report,
        "choices": choices(report.people, report.rotations, answers=answers),
        "new_people": [question for question in report.people if answers.people.get(question.key, NEW) in ("", NEW)],
        "rosters": roster_cards(report.rosters),
    }
    return render(request, "handbook/handbook.html", context, status=409 if is_changed else 200)


@require_safe
def handbook_file(request: SignedInRequest) -> HttpResponse:
    """Download the current handbook file."""
    try:
        text = export_handbook()
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("now")
    headers = {"Content-Disposition": 'attachment; filename="handbook.md"'}
    return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=headers)
