"""The reader page behind its link, subscriptions, and the pages on which engineers manage links and notes."""

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError
from common.forms import add_service_error
from people.requests import SignedInRequest
from pipelines.models import Pipeline
from readiness.forms import LinkForm, NoteForm, SubscribeForm
from readiness.models import ReaderNote
from readiness.presenters import render_readers_page
from readiness.queries.readers import link_by_secret, link_url, readers_links
from readiness.queries.readiness import readiness_by_pipeline
from readiness.services.readers import create_link, page_html, revoke_link, write_note
from readiness.services.subscriptions import (
    confirm_subscription,
    leave,
    request_subscription,
    subscription_to_confirm,
    subscription_to_leave,
)
from readiness.views.badge import badge_response

# A name in the session, which is encrypted.
NEW_LINK = "new_readers_link"
# Browsers revalidate each time (usually a 304), so that a revoked link stops working at once.
BROWSER_CACHE = "private, no-cache"


def _private(response: HttpResponse) -> HttpResponse:
    """Return the response of a page with a secret address: no search engine lists it. (Links to other sites send no referrer at all.)"""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@require_safe
@login_not_required
def readers_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the numbers of a link with their verdicts; 304 if the browser's copy is current, 404 if the link is unknown or revoked."""
    html = page_html(token, render=render_readers_page, at=timezone.now())
    if html is None:
        return _link_gone(request)
    response = HttpResponse(html)
    etag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = BROWSER_CACHE
    return _private(get_conditional_response(request, etag=etag, response=response) or response)


def _link_gone(request: HttpRequest) -> HttpResponse:
    """Return the response to an unknown or a revoked link. Readers have no account, so it offers neither sign-in nor search."""
    return _private(render(request, "readiness/link_gone.html", status=404))


@require_safe
@login_not_required
def reader_badge(request: HttpRequest, token: str, slug: str) -> HttpResponse:
    """Return the badge of one of the link's pipelines."""
    link = link_by_secret(token)
    if link is None:
        raise Http404("Page not found.")
    pipeline = get_object_or_404(link.pipelines, slug=slug)
    return _private(badge_response(request, readiness_by_pipeline([pipeline], at=timezone.now())[pipeline.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def subscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for an address and send it a message to confirm."""
    link = link_by_secret(token)
    if link is None:
        return _link_gone(request)
    form = SubscribeForm(request.POST if request.method == "POST" else None, link=link)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            request_subscription(link, email=data["email"], pipelines=list(data["pipelines"]), at=timezone.now())
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            return _private(render(request, "readiness/subscribe_sent.html", {"email": data["email"], "token": token}))
    context = {"form": form, "link": link, "token": token}
    return _private(render(request, "readiness/subscribe.html", context, status=status))


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask the subscriber to confirm, because programs open the links in mail too; confirm on POST."""
    subscription = subscription_to_confirm(secret)
    if subscription is None:
        return _private(render(request, "readiness/subscription_gone.html", status=404))
    is_done = request.method == "POST"
    if is_done:
        confirm_subscription(subscription, at=timezone.now())
    context = {"subscription": subscription, "is_done": is_done}
    return _private(render(request, "readiness/subscription_confirm.html", context))


@csrf_exempt  # RFC 8058: the mail program posts without a session, and the secret in the address says who leaves
@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def leave_subscription(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask for confirmation on GET, or end the subscription on POST. Repeated POSTs are harmless."""
    subscription = subscription_to_leave(secret)
    if subscription is not None and request.method == "POST":
        leave(subscription)
        subscription = None
    return _private(render(request, "readiness/subscription_leave.html", {"subscription": subscription}))


@require_http_methods(["GET", "HEAD", "POST"])
def links(request: SignedInRequest) -> HttpResponse:
    """Show the reader links and once the URL of a new one, or create one."""
    form = LinkForm(request.POST if request.method == "POST" else None)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            new_link = create_link(name=data["name"], pipelines=list(data["pipelines"]), by=request.user)
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            request.session[NEW_LINK] = {"name": new_link.link.name, "secret": new_link.secret}
            return redirect("readers_links")
    context: dict[str, object] = {"form": form, "links": readers_links()}
    if request.method != "POST" and (created := request.session.pop(NEW_LINK, None)):
        context |= {"new_link": created, "url": link_url(created["secret"])}
    return render(request, "readiness/links.html", context, status=status)


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke a reader link."""
    revoke_link(get_object_or_404(readers_links(), pk=pk), by=request.user, at=timezone.now())
    messages.success(request, "Link revoked.")
    return redirect("readers_links")


@require_http_methods(["GET", "HEAD", "POST"])
def note(request: SignedInRequest, slug: str) -> HttpResponse:
    """Write the note that readers see about a pipeline."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    current = ReaderNote.objects.filter(pipeline=pipeline).first()
    form = NoteForm(
        request.POST if request.method == "POST" else None, initial={"text": current.text if current else ""}
    )
    if form.is_bound and form.is_valid():
        write_note(pipeline, text=form.cleaned_data["text"], by=request.user, at=timezone.now())
        messages.success(request, "Note saved." if form.cleaned_data["text"] else "Note removed.")
        return redirect("pipeline", slug=pipeline.slug)
    context = {"form": form, "pipeline": pipeline}
    return render(request, "readiness/note.html", context, status=400 if form.errors else 200)
