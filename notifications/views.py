"""The Notifications page: channels, quiet hours, and recent messages."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from common.exceptions import InvalidInputError
from common.forms import add_field_errors
from notifications.forms import PreferencesForm
from notifications.presenters import message_rows
from notifications.queries.outbox import messages_for
from notifications.queries.preferences import chat_address_for, preferences_for, quiet_hours_for
from notifications.services.preferences import update_preferences
from people.requests import SignedInRequest

MAX_LISTED = 30


@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: SignedInRequest) -> HttpResponse:
    """Show or save notification settings, and list recent and scheduled messages."""
    quiet = quiet_hours_for(request.user)
    hours = {"quiet_from": quiet.starts_at, "quiet_until": quiet.ends_at} if quiet else {}
    data = request.POST if request.method == "POST" else None
    form = PreferencesForm(data, preferences=preferences_for(request.user), initial=hours)
    if form.is_bound and form.is_valid():
        try:
            update_preferences(request.user, channels=form.channels(), quiet=form.quiet())
        except InvalidInputError as error:
            add_field_errors(form, error)
        else:
            messages.success(request, "Notification settings saved.")
            return redirect("notifications")
    context = {
        "form": form,
        "chat": chat_address_for(request.user),
        "message_rows": message_rows(messages_for(request.user)[:MAX_LISTED]),
    }
    return render(request, "notifications/preferences.html", context, status=400 if form.errors else 200)
