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
from calendar_feeds.queries import active_feeds, feed_by_secret, feed_text, feed_url
from calendar_feeds.services import create_feed, record_feed_use, revoke_feed
from common.exceptions import DomainError
from common.forms import add_service_error
from people.requests import SignedInRequest

# A name in the session.
NEW_FEED = "new_feed"


@require_safe
@login_not_required
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Return the calendar of a feed: 304 if the client's copy is current, 404 if the URL is unknown."""
    row = feed_by_secret(token)
    if row is None:
        raise Http404("There is no calendar feed at this URL.")
    record_feed_use(row, at=timezone.now())
    body = feed_text(row).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    return get_conditional_response(request, etag=etag, response=response) or response


@require_http_methods(["GET", "HEAD", "POST"])
def my_feeds(request: SignedInRequest) -> HttpResponse:
    """Show the user's feeds and once the URL of a new one, or create one."""
    form = FeedForm(request.POST if request.method == "POST" else None)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            new_feed = create_feed(request.user, rotation=form.cleaned_data["rotation"], at=timezone.now())
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            # The session is encrypted. The page shows the URL once.
            rotation = new_feed.token.rotation
            request.session[NEW_FEED] = {"name": str(rotation) if rotation else "", "secret": new_feed.secret}
            return redirect("my_feeds")
    context: dict[str, object] = {"form": form, "feeds": active_feeds(request.user)}
    if request.method != "POST" and (created := request.session.pop(NEW_FEED, None)):
        url = feed_url(created["secret"])
        parts = urlsplit(url)
        context |= {"new_feed": created, "url": url, "webcal": f"webcal://{parts.netloc}{parts.path}"}
    return render(request, "calendar_feeds/feeds.html", context, status=status)


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke one of the user's feeds."""
    token = get_object_or_404(active_feeds(request.user), pk=pk)
    revoke_feed(token, by=request.user, at=timezone.now())
    messages.success(request, "Feed revoked.")
    return redirect("my_feeds")
