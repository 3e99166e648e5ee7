"""The user's contact methods: add, verify, test and remove. Each is a POST that returns to the Notifications page."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from common.exceptions import DomainError, InvalidInputError
from notifications.forms import OwnContactMethodForm
from notifications.models import ContactMethod
from notifications.services import contact_methods as services
from notifications.services.channel_tests import send_method_test
from notifications.undo import UndoAddMethod, UndoRemoveMethod
from notifications.views.notifications import notifications_page
from people.requests import SignedInRequest
from people.undo import confirm_with_undo


@require_POST
def add_contact_method(request: SignedInRequest) -> HttpResponse:
    """Add a contact method, and send a code to it."""
    form = OwnContactMethodForm(request.POST, is_admin=request.user.is_staff)
    if not form.is_valid():
        return notifications_page(request, contact_form=form)
    try:
        row = services.set_contact_method(
            request.user, channel=form.cleaned_data["channel"], address=form.cleaned_data["typed"], by=request.user
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return notifications_page(request, contact_form=form)
    text = f"{row.get_channel_display()} added. Enter the code that we sent to it."
    confirm_with_undo(request, text, UndoAddMethod(row.pk))
    return redirect("notifications")


@require_POST
def verify_contact_method(request: SignedInRequest, pk: int) -> HttpResponse:
    """Verify a contact method by the code that was sent to it."""
    code = request.POST.get("code", "")[:20]
    return _act(
        request, pk, lambda row: services.verify_contact_method(row, code=code), success="Contact method verified."
    )


@require_POST
def send_code(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send another code to a contact method."""
    return _act(request, pk, services.send_code, success="Code sent. It arrives within a few seconds.")


@require_POST
def test_contact_method(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a test message to a contact method."""
    return _act(request, pk, send_method_test, success="Test message queued. It should arrive within a few seconds.")


@require_POST
def remove_contact_method(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a contact method."""
    row = get_object_or_404(ContactMethod.objects.select_related("person"), pk=pk, person=request.user)
    try:
        removed = services.remove_contact_method(row, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        confirm_with_undo(request, "Contact method removed.", UndoRemoveMethod(removed))
    return redirect("notifications")


def _act(
    request: SignedInRequest, pk: int, service: Callable[[ContactMethod], object], *, success: str
) -> HttpResponse:
    row = get_object_or_404(ContactMethod.objects.select_related("person"), pk=pk, person=request.user)
    try:
        service(row)
    except InvalidInputError as error:
        messages.error(request, " ".join(text for texts in error.problems.values() for text in texts))
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, success)
    return redirect("notifications")
