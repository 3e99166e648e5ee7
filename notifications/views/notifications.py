"""The Notifications page: contact methods, rules, channels per event, quiet hours, and recent messages."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError, InvalidInputError
from common.forms import add_field_errors
from common.http import redirect_to_part
from notifications.forms import OwnContactMethodForm, PreferencesForm, RulesForm
from notifications.models import Message
from notifications.presenters import message_rows
from notifications.queries.contact_methods import email_rejections
from notifications.queries.outbox import messages_for
from notifications.queries.preferences import (
    channel_list,
    contact_methods_for,
    lacks_needed_channel,
    needed_channels,
    preferences_for,
    quiet_hours_for,
    reachable_channels,
    rule_sets_for,
)
from notifications.queries.providers import missing_providers
from notifications.queries.push_devices import devices_for
from notifications.services import channel_tests
from notifications.services import preferences as services
from notifications.undo import UndoSaveRules, saved_rules
from people.models import User
from people.requests import SignedInRequest
from people.undo import confirm_with_undo

MAX_LISTED = 30


@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: SignedInRequest) -> HttpResponse:
    """Show notification settings with recent and scheduled messages, or save channels and quiet hours."""
    form = _preferences_form(request.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.update_preferences(request.user, channels=form.channels(), quiet=form.quiet())
        except InvalidInputError as error:
            add_field_errors(form, error)
        else:
            messages.success(request, "Notification settings saved.")
            return redirect_to_part("events", "notifications")
    return notifications_page(request, form=form)


@require_POST
def save_rules(request: SignedInRequest) -> HttpResponse:
    """Save the notification rules of both urgencies."""
    forms, before = _rules_forms(request.user, request.POST), saved_rules(request.user)
    if any(form.errors for form in forms):
        return notifications_page(request, rules_forms=forms)
    try:
        services.update_rules(request.user, rules={form.rules.urgency.value: form.steps() for form in forms})
    except InvalidInputError as error:
        for form in forms:
            for problem in error.problems.get(form.rules.urgency.value, []):
                form.add_error(None, problem)
        return notifications_page(request, rules_forms=forms)
    confirm_with_undo(request, "Notification rules saved.", UndoSaveRules(before, saved_rules(request.user)))
    return redirect_to_part("rules", "notifications")


@require_POST
def send_test(request: SignedInRequest, channel: str) -> HttpResponse:
    """Send a test message by one channel."""
    try:
        channel_tests.send_test(request.user, channel=channel)
    except DomainError as error:
        messages.error(request, str(error).removeprefix("channel: "))
    else:
        messages.success(request, "Test message queued. It should arrive within a few seconds.")
    return redirect("notifications")


def _channels(person: User) -> list[Message.Channel]:
    """Return the channels by which a user can be reached, e-mail first."""
    reachable = reachable_channels([person])[person.pk]
    return [channel for channel in Message.Channel if channel in reachable]


def _preferences_form(person: User, data: Any = None) -> PreferencesForm:
    quiet = quiet_hours_for(person)
    hours = (
        {"quiet_from": quiet.starts_at, "quiet_until": quiet.ends_at, "quiet_weekends": quiet.weekends} if quiet else {}
    )
    return PreferencesForm(data, preferences=preferences_for(person), reachable=_channels(person), initial=hours)


def _rules_forms(person: User, data: Any = None) -> list[RulesForm]:
    return [RulesForm(data, rules=rules, reachable=_channels(person)) for rules in rule_sets_for(person)]


def notifications_page(
    request: SignedInRequest,
    *,
    form: PreferencesForm | None = None,
    rules_forms: list[RulesForm] | None = None,
    contact_form: OwnContactMethodForm | None = None,
) -> HttpResponse:
    """Render the page; a form with errors answers 400."""
    person = request.user
    failed = any(each.errors for each in (form, contact_form, *(rules_forms or [])) if each is not None)
    context = {
        "form": form or _preferences_form(person),
        "rules_forms": rules_forms or _rules_forms(person),
        "contact_form": contact_form or OwnContactMethodForm(is_admin=person.is_staff),
        "contact_methods": contact_methods_for(person),
        "lacks_needed_channel": lacks_needed_channel(person),
        "email_rejection": email_rejections([person]).first(),
        "needed_channels": channel_list(needed_channels()),
        "missing_providers": missing_providers() if person.is_staff else [],
        "push_devices": devices_for(person),
        "message_rows": message_rows(messages_for(person)[:MAX_LISTED]),
    }
    return render(request, "notifications/preferences.html", context, status=400 if failed else 200)
