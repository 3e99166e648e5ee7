"""How I am told, and what I was told lately."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from common.exceptions import InvalidInputError
from common.forms import add_field_errors
from notifications.forms import PreferencesForm
from notifications.queries.outbox import messages_of
from notifications.queries.preferences import chat_address_of, preferences_for, quiet_hours_of
from notifications.services.preferences import update_preferences
from people.requests import SignedInRequest

SHOWN = 30


@require_http_methods(["GET", "HEAD", "POST"])
def my_messages(request: SignedInRequest) -> HttpResponse:
    """Show how I am told, or change it."""
    quiet = quiet_hours_of(request.user)
    hours = {"quiet_from": quiet.starts_at, "quiet_until": quiet.ends_at} if quiet else {}
    typed = request.POST if request.method == "POST" else None
    form = PreferencesForm(typed, choices=preferences_for(request.user), initial=hours)
    if form.is_bound and form.is_valid():
        try:
            update_preferences(request.user, channels=form.channels(), quiet=form.quiet())
        except InvalidInputError as invalid:
            add_field_errors(form, invalid)
        else:
            messages.success(request, "How you are told is saved.")
            return redirect("my_messages")
    context = {
        "form": form,
        "chat": chat_address_of(request.user),
        "told": messages_of(request.user)[:SHOWN],
    }
    return render(request, "notifications/preferences.html", context, status=400 if form.errors else 200)
