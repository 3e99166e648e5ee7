"""Pages for runbooks: list, detail, editor with preview, and revisions."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.db import try_advisory_lock
from common.exceptions import DomainError, InvalidInputError
from people.models import User
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from pipelines.models import Pipeline
from runbooks import queries, services
from runbooks.domain.comparison import compare
from runbooks.forms import CompareForm, NewRunbookForm, RunbookForm
from runbooks.models import Runbook, RunbookRevision
from runbooks.undo import UndoDeleteRunbook, UndoRevision

RUNBOOKS_PER_PAGE = 100
MAX_DELETED_SHOWN = 100
WITHOUT_RUNBOOK_SHOWN = 100
# The API lists older ones.
REVISIONS_SHOWN = 300
# A preview waits this long for an earlier one of the same person.
MAX_WAIT_SECONDS = 2
RETRY_SECONDS = 1


@require_safe
def runbooks(request: SignedInRequest) -> HttpResponse:
    """List all runbooks, and the pipelines without one."""
    page = Paginator(queries.runbooks(), RUNBOOKS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "now": timezone.now(),
        "without_runbook": queries.pipelines_without_runbook()[:WITHOUT_RUNBOOK_SHOWN],
        "most_shown": WITHOUT_RUNBOOK_SHOWN,
        "deleted": queries.deleted_runbooks()[:MAX_DELETED_SHOWN],
    }
    return render(request, "runbooks/runbooks.html", context)


@require_safe
def runbook(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show a runbook, or how to create one."""
    row = queries.runbooks().filter(pipeline__slug=slug).first()
    if row is None:
        pipeline = get_object_or_404(Pipeline, slug=slug)
        deleted = queries.deleted_runbooks().filter(pipeline=pipeline).first()
        return render(request, "runbooks/no_runbook.html", {"pipeline": pipeline, "deleted": deleted})
    revision = queries.current_revision(row)
    context = {"runbook": row, "revision": revision, "text": mark_safe(revision.html)}  # noqa: S308  # nosec B308 B703  # sanitised
    return render(request, "runbooks/runbook.html", context)


@require_POST
def mark_read(request: SignedInRequest, slug: str) -> HttpResponse:
    """Record that the user has read the current revision."""
    services.mark_read(_runbook(slug), by=request.user)
    messages.success(request, "Marked as read.")
    return redirect("runbook", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show the editor or a preview, or save the text. A stale edit shows both texts."""
    row = _runbook(slug)
    current = _revision(row, row.revision)
    if request.method != "POST":
        form = RunbookForm(initial={"markdown": current.markdown, "based_on": current.number})
        return _editor(request, row, form=form, markdown=current.markdown)
    form = RunbookForm(request.POST)
    if not form.is_valid() or "preview" in request.POST:
        return _editor(request, row, form=form, markdown=request.POST.get("markdown", ""))
    try:
        saved = services.save_revision(row, author=request.user, **form.cleaned_data)
    except services.StaleEditError as stale:
        form = RunbookForm(initial={**form.cleaned_data, "based_on": stale.current.number})
        return _editor(request, row, form=form, markdown=stale.yours, stale=stale)
    except InvalidInputError as invalid:
        form.add_error("markdown", invalid.problems["markdown"])
        return _editor(request, row, form=form, markdown="")
    except DomainError as deleted:
        form.add_error(None, str(deleted))
        return _editor(request, row, form=form, markdown=form.cleaned_data["markdown"])
    if saved.number > current.number:
        confirm_with_undo(request, f"Revision {saved.number} saved.", UndoRevision(row.pk, saved.number))
    else:
        messages.success(request, "No changes to save.")
    return redirect("runbook", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: SignedInRequest, slug: str) -> HttpResponse:
    """Create a pipeline's runbook with its first text."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    form = NewRunbookForm(request.POST or None, initial={"markdown": RUNBOOK_OUTLINE})
    if form.is_bound and form.is_valid() and "preview" not in request.POST:
        try:
            services.create_runbook(
                pipeline, title=pipeline.full_name, markdown=form.cleaned_data["markdown"], author=request.user
            )
        except InvalidInputError as invalid:
            form.add_error("markdown", invalid.problems["markdown"])
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Runbook saved.")
            return redirect("runbook", slug=slug)
    markdown = request.POST.get("markdown", RUNBOOK_OUTLINE)
    context = {"pipeline": pipeline, "form": form, "preview": _preview(markdown, user=request.user)}
    return render(request, "runbooks/edit.html", context, status=400 if form.errors else 200)


@require_POST
def preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """Return the rendered preview of the editor's text."""
    get_object_or_404(Pipeline, slug=slug)
    preview = _preview(request.POST.get("markdown", ""), user=request.user)
    if preview.get("is_busy"):
        return HttpResponse(status=429, headers={"Retry-After": str(RETRY_SECONDS)})
    return render(request, "runbooks/_preview.html", {"preview": preview})


@require_safe
def revisions(request: SignedInRequest, slug: str) -> HttpResponse:
    """List a runbook's revisions, with options to compare and restore."""
    row = _runbook(slug)
    return render(
        request, "runbooks/revisions.html", {"runbook": row, "revisions": queries.list_revisions(row)[:REVISIONS_SHOWN]}
    )


@require_safe
def revision(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Show an earlier revision."""
    row = _runbook(slug)
    return render(request, "runbooks/revision.html", {"runbook": row, "revision": _revision(row, number)})


@require_POST
def delete(request: SignedInRequest, slug: str) -> HttpResponse:
    """Delete a runbook."""
    row = _runbook(slug)
    services.delete_runbook(row, by=request.user, at=timezone.now())
    text = f"Runbook “{row.title}” deleted. It can be restored for 30 days."
    confirm_with_undo(request, text, UndoDeleteRunbook(row.pk))
    return redirect("runbooks")


@require_POST
def restore_deleted(request: SignedInRequest, slug: str) -> HttpResponse:
    """Restore a deleted runbook."""
    row = get_object_or_404(Runbook.all_objects.all(), pipeline__slug=slug)
    try:
        services.restore_runbook(row)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("runbooks")
    messages.success(request, "Runbook restored.")
    return redirect("runbook", slug=slug)


@require_POST
def restore(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Restore an earlier revision as the newest."""
    row = _runbook(slug)
    _revision(row, number)
    try:
        before = row.revision
        saved = services.restore_revision(row, number=number, based_on=before, author=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        if saved.number > before:
            confirm_with_undo(request, f"Revision {number} restored.", UndoRevision(row.pk, saved.number))
        else:
            messages.success(request, "This is the current text.")
    return redirect("runbook", slug=slug)


@require_safe
def comparison(request: SignedInRequest, slug: str) -> HttpResponse:
    """Compare two revisions. Without numbers, compare the latest two."""
    row = _runbook(slug)
    form = CompareForm({"old": max(row.revision - 1, 1), "new": row.revision, **request.GET.dict()})
    if not form.is_valid():
        raise Http404("Two revision numbers are required.")
    old, new = _revision(row, form.cleaned_data["old"]), _revision(row, form.cleaned_data["new"])
    context = {
        "runbook": row,
        "old": old,
        "new": new,
        "old_title": f"Revision {old.number}",
        "new_title": f"Revision {new.number}",
        "rows": compare(old.markdown, new.markdown),
    }
    return render(request, "runbooks/comparison.html", context)


RUNBOOK_OUTLINE = "".join(
    f"### {title}\n\n{line}\n\n"
    for title, line in (
        ("Purpose", "What this pipeline is for."),
        (
            "Pipeline Components",
            "- **Data Sources**: \n- **Transformation Logic**: \n- **Storage**: \n- **Reporting Layer**: ",
        ),
        ("Failure Scenarios", "1. "),
        ("Troubleshooting Steps", "1. "),
        ("Metrics Validation", "- "),
    )
)


def _runbook(slug: str) -> Runbook:
    return get_object_or_404(Runbook.objects.select_related("pipeline"), pipeline__slug=slug)


def _revision(row: Runbook, number: int) -> RunbookRevision:
    revision = queries.find_revision(row, number=number)
    if revision is None:
        raise Http404(f"{row} has no revision {number}.")
    return revision


def _preview(markdown: str, *, user: User) -> dict[str, object]:
    """Return the context of a preview; a person has one at a time."""
    try:
        with transaction.atomic():
            if not try_advisory_lock(f"preview of {user.pk}", seconds=MAX_WAIT_SECONDS):
                return {"is_busy": True, "problem": "Another preview of yours is being made. Try again in a moment."}
            return {"html": services.render_markdown(services.normalize_markdown(markdown)).html}
    except InvalidInputError as invalid:
        return {"problem": " ".join(invalid.problems["markdown"])}


def _editor(
    request: SignedInRequest,
    row: Runbook,
    *,
    form: RunbookForm,
    markdown: str,
    stale: services.StaleEditError | None = None,
) -> HttpResponse:
    context = {
        "pipeline": row.pipeline,
        "runbook": row,
        "form": form,
        "preview": _preview(markdown, user=request.user),
        "stale": stale,
        "rows": compare(stale.current.markdown, stale.yours) if stale else (),
    }
    status = 409 if stale else 400 if form.errors else 200
    return render(request, "runbooks/edit.html", context, status=status)
