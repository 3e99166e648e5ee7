"""Pages that create, complete and reopen action items."""

import re

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from common.exceptions import DomainError
from common.forms import add_service_error
from common.http import next_path
from handoffs.forms import ItemForm
from handoffs.models import ActionItem
from handoffs.services.action_items import ItemChange, add_item, change_item
from handoffs.undo import UndoAddItem, UndoMarkItem
from handoffs.views.handoffs import add_typed_item, save_typed_notes
from people.requests import SignedInRequest
from people.undo import confirm_with_undo


@require_POST
def add(request: SignedInRequest) -> HttpResponse:
    """Create an action item. Notes typed on the same sheet are saved first."""
    if (problem := _save_notes(request)) is not None:
        return problem
    form = ItemForm(request.POST)
    status = 400
    if form.is_valid():
        fields = form.cleaned_data
        try:
            item = add_item(
                fields["rotation"],
                text=fields["text"],
                by=request.user,
                at=timezone.now(),
                pipeline=fields["pipeline"],
            )
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            confirm_with_undo(request, "Action item added.", UndoAddItem(item.pk, item.text))
            return _redirect_back(request)
    return render(request, "handoffs/item.html", {"item_form": form}, status=status)


@require_POST
def done(request: SignedInRequest, pk: int, *, is_done: bool) -> HttpResponse:
    """Mark an action item as done, or reopen it."""
    item = get_object_or_404(ActionItem, pk=pk)
    if (problem := _save_notes(request)) is not None:
        return problem
    add_typed_item(request)
    change_item(item, change=ItemChange(done=is_done), by=request.user, at=timezone.now())
    text = f"Action item {'done' if is_done else 'reopened'}: “{item.text}”."
    confirm_with_undo(request, text, UndoMarkItem(pk, is_done))
    return _redirect_back(request)


def _save_notes(request: SignedInRequest) -> HttpResponse | None:
    sheet = request.POST.get("sheet", "")
    return save_typed_notes(request, int(sheet)) if re.fullmatch("[0-9]{1,9}", sheet, re.ASCII) else None


def _redirect_back(request: SignedInRequest) -> HttpResponse:
    """Redirect to the page of this site that submitted the form."""
    return redirect(next_path(request, "handoffs"))
