"""Sign-in and Mine."""

import zoneinfo

import holidays
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from people import commands, queries
from people.forms import MyPasswordForm, ProfileForm, TokenForm
from people.models import User
from people.refusals import Refused
from people.requests import SignedInRequest

sign_in = LoginView.as_view(template_name="people/sign_in.html", redirect_authenticated_user=True)
sign_out = LogoutView.as_view()


def _mine(request: SignedInRequest, *, status: int = 200, **forms: object) -> HttpResponse:
    context = {
        "profile_form": ProfileForm(instance=User.objects.get(pk=request.user.pk)),
        "token_form": TokenForm(),
        "password_form": MyPasswordForm(request.user),
        "tokens": queries.tokens_of(request.user),
        "now": timezone.now(),
        "time_zones": sorted(zoneinfo.available_timezones()),
        "countries": sorted(holidays.list_supported_countries()),
        **forms,
    }
    return render(request, "people/mine.html", context, status=status)


@require_safe
def mine(request: SignedInRequest) -> HttpResponse:
    """Show what is mine: profile, password, API tokens."""
    return _mine(request)


@require_POST
def change_profile(request: SignedInRequest) -> HttpResponse:
    """Change my profile."""
    form = ProfileForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return _mine(request, status=400, profile_form=form)
    commands.change_profile(User.objects.get(pk=request.user.pk), fields=form.cleaned_data)
    messages.success(request, "Your profile is saved.")
    return redirect("mine")


@require_POST
def change_password(request: SignedInRequest) -> HttpResponse:
    """Change my password and keep me signed in."""
    form = MyPasswordForm(request.user, request.POST)
    if not form.is_valid():
        return _mine(request, status=400, password_form=form)
    commands.set_password(request.user, password=form.cleaned_data["new_password1"])
    update_session_auth_hash(request, request.user)
    messages.success(request, "Your password is changed.")
    return redirect("mine")


@require_POST
def create_token(request: SignedInRequest) -> HttpResponse:
    """Create an API token and show its secret, this once."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _mine(request, status=400, token_form=form)
    try:
        made = commands.create_token(
            request.user, name=form.cleaned_data["name"], scope=form.cleaned_data["scope"], expires_at=form.expires_at()
        )
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _mine(request, status=409, token_form=form)
    return _mine(request, new_token=made)


@require_POST
def revoke_token(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke one of my tokens."""
    token = get_object_or_404(queries.tokens_of(request.user), pk=pk)
    commands.revoke_token(token, by=request.user, at=timezone.now())
    messages.success(request, f"The token “{token.name}” no longer works.")
    return redirect("mine")
