"""Views for sign-in and the account pages."""

import logging
from collections.abc import Callable

import requests
from allauth.account.utils import perform_login
from allauth.socialaccount.providers.openid_connect import views as provider
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError
from common.forms import add_service_error
from common.http import client_address, next_path
from people import queries
from people.devices import forget_last_user, known_device, last_user
from people.forms import AccountPasswordForm, ChosenPasswordForm, SignInForm, TokenForm
from people.models import PasswordLink
from people.requests import SignedInRequest
from people.services import accounts
from people.services.accounts import set_password
from people.services.login_attempts import TooManyAttemptsError, count_attempt, refund_attempt, sign_in_attempt
from people.services.password_links import set_password_by_link

logger = logging.getLogger(__name__)

_log_out = LogoutView.as_view()
NEW_TOKEN = "new_token"  # noqa: S105  # nosec B105  # a name in the session


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with user name or e-mail, and password. An attempt is counted before the password is checked."""
    if request.user.is_authenticated:
        return redirect(next_path(request, "now"))
    if request.method != "POST":
        return _sign_in_page(request, SignInForm(request, initial={"username": last_user(request)}))
    form = SignInForm(request, request.POST)
    username = queries.sign_in_name(request.POST.get("username", ""))
    attempt = sign_in_attempt(
        username=username, address=client_address(request), device=known_device(request, username)
    )
    try:
        count_attempt(attempt, at=timezone.now())
    except TooManyAttemptsError as busy:
        typed = SignInForm(request, initial={"username": request.POST.get("username", "")})
        page = _sign_in_page(request, typed, until=busy.until, status=429)
        page["Retry-After"] = str(max(1, int((busy.until - timezone.now()).total_seconds()) + 1))
        return page
    if not form.is_valid():
        return _sign_in_page(request, form)
    refund_attempt(attempt)
    # allauth asks for the second factor, if enrolled, before it starts the session.
    response: HttpResponse = perform_login(
        request, form.get_user(), redirect_url=resolve_url(next_path(request, "now"))
    )
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out, and forget the name on this device."""
    response: HttpResponse = _log_out(request)
    forget_last_user(response)
    return response


@require_safe
@login_not_required
@never_cache
def password_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Show the password form of a mailed link."""
    link = queries.find_password_link(secret, at=timezone.now())
    if link is None:
        return render(request, "people/dead_link.html", status=404)
    return _password_page(request, link, ChosenPasswordForm(link.user), secret=secret)


@require_POST
@login_not_required
@never_cache
@sensitive_post_parameters()
def choose_password(request: HttpRequest) -> HttpResponse:
    """Set a password and sign in. The secret is in the form data so that it does not appear in logs."""
    secret, at = request.POST.get("secret", ""), timezone.now()
    link = queries.find_password_link(secret, at=at)
    if link is None:
        return render(request, "people/dead_link.html", status=404)
    form = ChosenPasswordForm(link.user, request.POST)
    if not form.is_valid():
        return _password_page(request, link, form, secret=secret, status=400)
    # New users start at what is left to set up; others return to work.
    start = "now" if link.user.last_login else "account"
    try:
        user = set_password_by_link(
            link, password=form.cleaned_data["new_password1"], address=client_address(request), at=at
        )
    except DomainError:
        return render(request, "people/dead_link.html", status=404)
    messages.success(request, "Password set.")
    # allauth asks for the second factor, if enrolled, before it starts the session.
    response: HttpResponse = perform_login(request, user, redirect_url=resolve_url(start))
    return response


def _password_page(
    request: HttpRequest, link: PasswordLink, form: ChosenPasswordForm, *, secret: str, status: int = 200
) -> HttpResponse:
    context = {"link": link, "form": form, "secret": secret}
    return render(request, "people/choose_password.html", context, status=status)


def _sign_in_page(request: HttpRequest, form: SignInForm, *, status: int = 200, **context: object) -> HttpResponse:
    page = {"form": form, "next": next_path(request, ""), "provider": settings.OIDC_NAME, **context}
    return render(request, "people/sign_in.html", page, status=status)


@require_POST
@login_not_required
def provider_sign_in(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirect to the OpenID Connect provider; show an error if it does not respond."""
    return _call_provider(provider.login, request, provider_id)


@require_safe
@login_not_required
def provider_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Complete sign-in after the provider's redirect."""
    return _call_provider(provider.callback, request, provider_id)


def _call_provider(view: Callable[..., HttpResponse], request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        return view(request, provider_id)
    except requests.RequestException:
        logger.exception("The OpenID Connect provider does not respond")
        return render(request, "socialaccount/authentication_error.html", status=503)


@require_safe
@login_not_required
def not_active(request: HttpRequest) -> HttpResponse:
    """Show that the account is inactive."""
    return render(request, "people/unknown.html", {"why": "inactive"}, status=403)


@require_safe
def account(request: SignedInRequest) -> HttpResponse:
    """Show the user's shifts, time off and swap requests, and how to set up the account."""
    return render(request, "people/account.html")


@require_safe
def security(request: SignedInRequest) -> HttpResponse:
    """Show the forms for the password and two-factor authentication."""
    return _security_page(request, AccountPasswordForm(request.user))


@require_POST
@sensitive_post_parameters()
def change_password(request: SignedInRequest) -> HttpResponse:
    """Change the user's password and keep the session."""
    form = AccountPasswordForm(request.user, request.POST)
    if not form.is_valid():
        return _security_page(request, form, status=400)
    set_password(request.user, password=form.cleaned_data["new_password1"])
    update_session_auth_hash(request, request.user)
    messages.success(request, "Password changed.")
    return redirect("security")


def _security_page(request: SignedInRequest, form: AccountPasswordForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "second_factor": queries.has_second_factor(request.user)}
    return render(request, "people/security.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: SignedInRequest) -> HttpResponse:
    """Show the user's API tokens and once the secret of a new one, or create one."""
    form = TokenForm(request.POST if request.method == "POST" else None, user=request.user)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        name, scope = form.cleaned_data["name"], form.cleaned_data["scope"]
        try:
            new_token = accounts.create_token(request.user, name=name, scope=scope, expires_at=form.expires_at())
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            # The session is encrypted. The page shows the secret once.
            request.session[NEW_TOKEN] = {"name": new_token.token.name, "secret": new_token.secret}
            return redirect("tokens")
    context: dict[str, object] = {"form": form, "tokens": queries.active_tokens(request.user), "now": timezone.now()}
    if request.method != "POST":
        context["new_token"] = request.session.pop(NEW_TOKEN, None)
    return render(request, "people/tokens.html", context, status=status)


@require_POST
def revoke_token(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke one of the user's tokens."""
    token = get_object_or_404(queries.active_tokens(request.user), pk=pk)
    accounts.revoke_token(token, by=request.user, at=timezone.now())
    messages.success(request, f"Token “{token.name}” revoked.")
    return redirect("tokens")


@require_POST
def discard_form(request: SignedInRequest) -> HttpResponse:
    """Discard the form that was posted after the session expired. The middleware has deleted it."""
    return redirect("now")
