"""The page that asks before something is destroyed."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.confirmation import InvalidConfirmationError, read_confirmation
from common.http import query_param
from people.middleware import object_page, referring_page
from people.requests import SignedInRequest


@require_safe
def confirm(request: SignedInRequest) -> HttpResponse:
    """Ask the signed question; the button posts to its action. Raise Http404 unless it was made for this user."""
    try:
        confirmation = read_confirmation(query_param(request, "ask"))
    except InvalidConfirmationError as error:
        raise Http404 from error
    if confirmation.user != request.user.pk:
        raise Http404
    context = {"confirmation": confirmation, "back": referring_page(request) or object_page(confirmation.action)}
    return render(request, "oncall_site/confirm.html", context)
