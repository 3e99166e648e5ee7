"""How I am told, and what I was told lately."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from notifications import commands, queries
from notifications.forms import HowToldForm
from people.forms import refuse_fields
from people.refusals import Invalid
from people.requests import SignedInRequest

SHOWN = 30


@require_http_methods(["GET", "HEAD", "POST"])
def my_messages(request: SignedInRequest) -> HttpResponse:
    """Show how I am told, or change it."""
    quiet = queries.quiet_hours_of(request.user)
    hours = {"quiet_from": quiet.starts_at, "quiet_until": quiet.ends_at} if quiet else {}
    typed = request.POST if request.method == "POST" else None
    form = HowToldForm(typed, choices=queries.choices_of(request.user), initial=hours)
    if form.is_bound and form.is_valid():
        try:
            commands.change_how_told(request.user, channels=form.channels(), quiet=form.quiet())
        except Invalid as invalid:
            refuse_fields(form, invalid)
        else:
            messages.success(request, "How you are told is saved.")
            return redirect("my_messages")
    context = {
        "form": form,
        "chat": queries.chat_address_of(request.user),
        "told": queries.messages_of(request.user)[:SHOWN],
    }
    return render(request, "notifications/mine.html", context, status=400 if form.errors else 200)
