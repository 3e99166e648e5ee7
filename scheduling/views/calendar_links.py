"""Pages of the reader's linked calendar: its address, its status, sync and unlink."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError
from common.forms import add_service_error
from people.requests import SignedInRequest
from scheduling.forms import LinkForm
from scheduling.models import CalendarLink
from scheduling.queries.calendar_links import link_of
from scheduling.services import calendar_links
from scheduling.services.calendar_links import link_calendar, unlink_calendar


@require_http_methods(["GET", "HEAD", "POST"])
def calendar_link(request: SignedInRequest) -> HttpResponse:
    """Show the reader's linked calendar and its status, or link one."""
    form, status = LinkForm(request.POST if request.method == "POST" else None), 200
    if form.is_bound and form.is_valid():
        try:
            link = link_calendar(request.user, address=form.cleaned_data["address"], by=request.user)
        except DomainError as refusal:
            status = add_service_error(form, refusal)
        else:
            _read(request, link)
            return redirect("calendar_link")
    link_now = link_of(request.user)
    blocks = link_now.blocks.filter(ends_at__gt=timezone.now()).order_by("starts_on") if link_now else []
    context = {"form": form, "link": link_now, "blocks": blocks}
    return render(request, "scheduling/link.html", context, status=400 if form.errors and status == 200 else status)


@require_POST
def read_link(request: SignedInRequest) -> HttpResponse:
    """Sync the reader's linked calendar now."""
    _read(request, _mine(request))
    return redirect("calendar_link")


@require_POST
def unlink(request: SignedInRequest) -> HttpResponse:
    """Unlink the reader's calendar and delete its blocks."""
    unlink_calendar(_mine(request), by=request.user)
    messages.success(request, "Your calendar is unlinked; the days that came from it are free again.")
    return redirect("calendar_link")


def _mine(request: SignedInRequest) -> CalendarLink:
    link = link_of(request.user)
    if link is None:
        raise Http404("No calendar is linked.")
    return link


def _read(request: SignedInRequest, link: CalendarLink) -> None:
    done = calendar_links.sync_link(link, at=timezone.now())
    if done.state == CalendarLink.State.FAILING:
        messages.error(request, f"Your calendar could not be read. {done.problem}")
    else:
        messages.success(request, "Your calendar is linked and read.")
