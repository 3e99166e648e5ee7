"""Pages of the channels of a pipeline or a rotation."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError
from common.forms import add_service_error
from notifications.queries.providers import missing_providers
from people.models import User
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from pipelines.models import Pipeline
from scheduling.models import Rotation
from team_channels.domain.events import EVENTS
from team_channels.forms import EditChannelForm, NewChannelForm, initial_values
from team_channels.models import ChannelDelivery, TeamChannel
from team_channels.queries import channel_deliveries, may_edit_channels, owner_channels, user_group
from team_channels.services.channels import (
    NewChannel,
    add_channel,
    channel_path,
    delete_channel,
    redeliver,
    rotate_secret,
    send_test,
    update_channel,
)
from team_channels.undo import UndoDeleteChannel

NEW_SECRET = "new_channel_secret"  # noqa: S105  # nosec B105  # a key of the session
PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def pipeline_channels(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show the channels of a pipeline, or add one."""
    return _channels(request, get_object_or_404(Pipeline, slug=slug))


@require_http_methods(["GET", "HEAD", "POST"])
def rotation_channels(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show the channels of a rotation, or add one."""
    return _channels(request, get_object_or_404(Rotation, slug=slug))


def _channels(request: SignedInRequest, owner: Pipeline | Rotation) -> HttpResponse:
    if request.method == "POST":
        _require_editor(request, owner)
    form = NewChannelForm(request.POST if request.method == "POST" else None, owner=owner)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            new = add_channel(owner, by=request.user, **form.cleaned_data)
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            messages.success(request, f"Channel {new.channel.name} added. Send a test to see that it works.")
            _remember_secret(request, new)
            return redirect("team_channel", pk=new.channel.pk)
    context = {
        "owner": owner,
        "is_pipeline": isinstance(owner, Pipeline),
        "page": Paginator(owner_channels(owner), PAGE_SIZE).get_page(request.GET.get("page")),
        "may_edit": may_edit_channels(owner, request.user),
        "form": form,
        "missing_providers": [row for row in missing_providers() if row.name == "Slack"]
        if request.user.is_staff
        else [],
    }
    return render(request, "team_channels/channels.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def team_channel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a channel with its delivery log and, once, its new secret; or change it."""
    channel = _channel(pk)
    request.navigation_path = channel_path(channel)
    if request.method == "POST":
        _require_editor(request, channel.owner)
    form = EditChannelForm(
        request.POST if request.method == "POST" else None,
        owner=channel.owner,
        kind=channel.kind,
        initial=initial_values(channel),
    )
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            update_channel(channel, by=request.user, **form.cleaned_data)
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            messages.success(request, "Channel saved.")
            return redirect("team_channel", pk=pk)
    page = Paginator(channel_deliveries(channel), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, object] = {
        "channel": channel,
        "owner": channel.owner,
        "is_pipeline": channel.pipeline_id is not None,
        "back": channel_path(channel),
        "may_edit": may_edit_channels(channel.owner, request.user),
        "form": form,
        "events": [EVENTS[event] for event in channel.events if event in EVENTS],
        "user_group": user_group(channel),
        "page": page,
        # After a failed save, the log does not replace itself.
        "is_sending": request.method != "POST" and any(not row.is_finished for row in page),
    }
    if request.method == "GET" and request.session.get(NEW_SECRET, {}).get("channel") == pk:
        context["new_secret"] = request.session.pop(NEW_SECRET)["secret"]
    return render(request, "team_channels/channel.html", context, status=status)


@require_POST
def test(request: SignedInRequest, pk: int) -> HttpResponse:
    """Post a test message to a channel."""
    return _act(request, pk, send_test, success="Test message queued. The delivery log shows whether it arrived.")


@require_POST
def turn_off(request: SignedInRequest, pk: int) -> HttpResponse:
    """Turn a channel off."""
    return _act(
        request, pk, partial(update_channel, is_active=False), success="Channel turned off. It gets no messages."
    )


@require_POST
def turn_on(request: SignedInRequest, pk: int) -> HttpResponse:
    """Turn a channel on."""
    return _act(request, pk, partial(update_channel, is_active=True), success="Channel turned on.")


@require_POST
def new_secret(request: SignedInRequest, pk: int) -> HttpResponse:
    """Create a new secret for a webhook, which the channel's page then shows once."""

    def rotate(channel: TeamChannel, *, by: User) -> None:
        _remember_secret(request, rotate_secret(channel, by=by))

    return _act(
        request, pk, rotate, success="New secret created. For 24 hours, requests are signed with the old one too."
    )


@require_POST
def resend(request: SignedInRequest, pk: int, delivery: int) -> HttpResponse:
    """Send a message to a channel again."""
    row = get_object_or_404(ChannelDelivery.objects.select_related("channel"), pk=delivery, channel=pk)

    def redeliver_row(_channel: TeamChannel, *, by: User) -> None:
        redeliver(row, by=by)

    return _act(request, pk, redeliver_row, success="Message queued again.")


@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a channel with its delivery log."""
    channel = _channel(pk)
    _require_editor(request, channel.owner)
    try:
        delete_channel(channel, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(channel_path(channel))
    confirm_with_undo(request, f"Channel {channel.name} deleted.", UndoDeleteChannel(pk))
    return redirect(channel_path(channel))


def _act(request: SignedInRequest, pk: int, service: Callable[..., object], *, success: str) -> HttpResponse:
    """Call a service and return to the channel's page."""
    channel = _channel(pk)
    _require_editor(request, channel.owner)
    try:
        service(channel, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("team_channel", pk=pk)
    messages.success(request, success)
    return redirect("team_channel", pk=pk)


def _channel(pk: int) -> TeamChannel:
    return get_object_or_404(
        TeamChannel.objects.select_related("pipeline", "rotation", "created_by", "switched_off_by"), pk=pk
    )


def _require_editor(request: SignedInRequest, owner: Pipeline | Rotation) -> None:
    if not may_edit_channels(owner, request.user):
        raise PermissionDenied("Only an admin or an owner of the pipeline can change these channels.")


def _remember_secret(request: SignedInRequest, new: NewChannel) -> None:
    """Save a new secret in the encrypted session, so that the channel's page shows it once."""
    if new.secret:
        request.session[NEW_SECRET] = {"secret": new.secret, "channel": new.channel.pk}
