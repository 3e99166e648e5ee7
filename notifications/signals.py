"""Receivers of Django's signals."""

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from notifications.services.push_devices import remove_signed_out_device


@receiver(user_logged_out)
def end_push(request: HttpRequest | None, **_: object) -> None:
    """End push in the browser that signs out, whose page adds the endpoint to the form (offline.js)."""
    endpoint = request.POST.get("push_endpoint", "") if request is not None else ""
    if endpoint:
        remove_signed_out_device(endpoint=endpoint)
