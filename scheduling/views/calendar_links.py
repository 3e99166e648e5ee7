"""Pages of the reader's linked calendar: its URL, its status, sync and disconnect."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError
from common.forms import add_service_error
from people.requests import SignedInRequest
from scheduling.forms import CalendarLinkForm
from scheduling.models import CalendarLink
from scheduling.queries.calendar_links import linked_calendar
from scheduling.services.calendar_links import link_calendar, sync_link, unlink_calendar


@require_http_methods(["GET", "HEAD", "POST"])
def calendar_link(request: SignedInRequest) -> HttpResponse:
    """Show the reader's linked calendar and its status, or link one."""
    form, status = CalendarLinkForm(request.POST if request.method == "POST" else None), 200
    if form.is_bound and form.is_valid():
        try:
            new_link = link_calendar(request.user, address=form.cleaned_data["address"], by=request.user)
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            _sync(request, new_link)
            return redirect("calendar_link")
    link = linked_calendar(request.user)
    absences = link.blocks.filter(ends_at__gt=timezone.now()).order_by("starts_on") if link else []
    context = {"form": form, "link": link, "absences": absences}
    return render(
        request, "scheduling/calendar_link.html", context, status=400 if form.errors and status == 200 else status
    )


@require_POST
def sync(request: SignedInRequest) -> HttpResponse:
    """Sync the reader's linked calendar now."""
    _sync(request, _own_link(request))
    return redirect("calendar_link")


@require_POST
def unlink(request: SignedInRequest) -> HttpResponse:
    """Disconnect the reader's calendar and delete its absences."""
    unlink_calendar(_own_link(request), by=request.user)
    messages.success(request, "Calendar disconnected. Its time off was deleted.")
    return redirect("calendar_link")


def _own_link(request: SignedInRequest) -> CalendarLink:
    link = linked_calendar(request.user)
    if link is None:
        raise Http404("You have not linked a calendar.")
    return link


def _sync(request: SignedInRequest, link: CalendarLink) -> None:
    synced = sync_link(link, at=timezone.now())
    if synced.state == CalendarLink.State.FAILING:
        messages.error(request, f"Your calendar could not be synced. {synced.problem}")
    elif synced.state == CalendarLink.State.PARTIAL:
        messages.warning(request, f"Calendar partly synced. {synced.problem}")
    else:
        messages.success(request, "Calendar synced.")
