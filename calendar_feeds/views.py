"""Pages for calendar feeds: the public iCalendar file and the user's list of feeds."""

import hashlib
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calendar_feeds.forms import FeedForm
from calendar_feeds.queries import address_of, feed_of, feed_text, feeds_of
from calendar_feeds.services import create_feed, record_feed_use, revoke_feed
from common.exceptions import DomainError
from common.forms import add_service_error
from people.requests import SignedInRequest


@require_safe
@login_not_required
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Return the calendar of a feed: 304 if the client's copy is current, 404 if the address is unknown."""
    found = feed_of(token)
    if found is None:
        raise Http404("No calendar is here.")
    record_feed_use(found, at=timezone.now())
    body = feed_text(found).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    return get_conditional_response(request, etag=etag, response=answer) or answer


@require_http_methods(["GET", "HEAD", "POST"])
def my_feeds(request: SignedInRequest) -> HttpResponse:
    """Show the user's feeds, or create one and show its address once."""
    form, status, made = FeedForm(request.POST if request.method == "POST" else None), 200, None
    if form.is_bound and form.is_valid():
        try:
            made = create_feed(request.user, rotation=form.cleaned_data["rotation"], at=timezone.now())
        except DomainError as refusal:
            status = add_service_error(form, refusal)
    elif form.errors:
        status = 400
    context = {"form": form, "feeds": feeds_of(request.user), "made": made}
    if made is not None:
        address = address_of(made.secret)
        parts = urlsplit(address)
        context |= {"address": address, "webcal": f"webcal://{parts.netloc}{parts.path}", "form": FeedForm()}
    return render(request, "calendar_feeds/feeds.html", context, status=status)


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke one of the user's feeds."""
    token = get_object_or_404(feeds_of(request.user), pk=pk)
    revoke_feed(token, by=request.user, at=timezone.now())
    messages.success(request, "The address no longer works.")
    return redirect("my_feeds")
