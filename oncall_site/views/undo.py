"""The view behind Undo buttons."""

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from common.exceptions import DomainError, NotAllowedError
from people.middleware import referring_page
from people.requests import SignedInRequest
from people.undo import ExpiredUndoError, InvalidUndoError, read_undo


@require_POST
def undo(request: SignedInRequest) -> HttpResponse:
    """Undo an action and show the page that the button was on, with what happened."""
    page = referring_page(request) or reverse("now")
    try:
        action = read_undo(request.POST.get("undo", ""), by=request.user)
        undone = action.perform(by=request.user, at=timezone.now())
    except InvalidUndoError as error:
        raise Http404 from error
    except ExpiredUndoError:
        messages.error(request, "This can no longer be undone: 10 minutes have passed.")
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        messages.error(request, f"Not undone. {error}")
    except ObjectDoesNotExist:
        messages.error(request, "Not undone. This has since been deleted for good.")
    else:
        messages.success(request, undone.text)
        page = undone.page or page
        if undone.part:
            page = f"{page}#{undone.part}"
    return redirect(page)
