"""Pages for a push device: its health, its name, and confirming a test message."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from common.exceptions import DomainError
from common.http import query_param
from notifications.forms import DeviceNameForm
from notifications.models import PushDevice
from notifications.queries.push_devices import devices_for
from notifications.services import push_devices as services
from people.models import User
from people.requests import SignedInRequest


@require_safe
def push_device(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a device of the user; if opened from a test message, with the button that confirms it."""
    return _page(request, _device(request.user, pk), code=query_param(request, "code"))


@require_POST
def rename_push_device(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rename a device of the user."""
    device, form = _device(request.user, pk), DeviceNameForm(request.POST)
    if not form.is_valid():
        return _page(request, device, form=form)
    services.rename_device(device, name=form.cleaned_data["name"])
    messages.success(request, "Device renamed.")
    return redirect("push_device", pk=pk)


@require_POST
def send_push_test(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a test message to a device of the user."""
    try:
        services.send_device_test(_device(request.user, pk))
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Test message queued. Open it on the device to confirm that you received it.")
    return redirect("notifications")


@require_POST
def confirm_push_device(request: SignedInRequest, pk: int) -> HttpResponse:
    """Confirm that a test message arrived."""
    device = _device(request.user, pk)
    try:
        services.confirm_device(device, code=request.POST.get("code", ""))
    except DomainError as error:
        messages.error(request, str(error).removeprefix("code: "))
        return redirect("push_device", pk=pk)
    messages.success(request, f"Confirmed. Push works on {device.name}.")
    return redirect("notifications")


@require_POST
def remove_push_device(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a device of the user."""
    services.remove_device(_device(request.user, pk))
    messages.success(request, "Device removed.")
    return redirect("notifications")


def _device(person: User, pk: int) -> PushDevice:
    """Return a device of the user; raise Http404 if there is none."""
    device = devices_for(person).filter(pk=pk).first()
    if device is None:
        raise Http404
    return device


def _page(
    request: SignedInRequest, device: PushDevice, *, code: str = "", form: DeviceNameForm | None = None
) -> HttpResponse:
    context = {"device": device, "code": code, "form": form or DeviceNameForm(initial={"name": device.name})}
    return render(request, "notifications/push_device.html", context, status=400 if form else 200)
