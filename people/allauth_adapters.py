"""django-allauth adapters: no sign-up, encrypted secrets, provider accounts matched by verified e-mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.crypto import decrypt, encrypt
from common.http import client_address
from people import queries
from people.devices import remember_device

# Redundant: the page shows whether the user is signed in.
HIDDEN_MESSAGES = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class AccountAdapter(DefaultAccountAdapter):
    """Account adapter that disables sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: admins add and invite users."""
        return False

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        """Remember the device: from now on it has its own limit of sign-in attempts."""
        response: HttpResponse = super().post_login(request, user, **options)
        remember_device(request, response, username=user.username)
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's IP address."""
        return client_address(request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Add a message unless it is redundant."""
        if message_template not in HIDDEN_MESSAGES:
            super().add_message(request, level, message_template, *args, **kwargs)


class MfaAdapter(DefaultMFAAdapter):
    """MFA adapter that encrypts secrets in the database."""

    def encrypt(self, text: str) -> str:
        """Return the encrypted secret."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the decrypted secret."""
        return decrypt(encrypted_text)


class ProviderAdapter(DefaultSocialAccountAdapter):
    """OpenID Connect sign-in for existing users."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Return False: admins add users."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Link the provider account to the user with the same verified e-mail.

        Raises ImmediateHttpResponse with an error page if there is no such user.
        """
        claims = sociallogin.account.extra_data
        # User info is valid only for the subject of its ID token (OpenID Connect Core, section 5.3.2).
        if claims.get("userinfo", {}).get("sub") != claims.get("id_token", {}).get("sub"):
            raise ImmediateHttpResponse(_rejection(request, "other"))
        if sociallogin.is_existing:
            return
        verified = [address.email for address in sociallogin.email_addresses if address.verified is True]
        if not verified:
            raise ImmediateHttpResponse(_rejection(request, "unverified"))
        user = queries.user_by_email(verified[0])
        if user is None:
            raise ImmediateHttpResponse(_rejection(request, "unknown", email=verified[0]))
        sociallogin.connect(request, user)


def _rejection(request: HttpRequest, reason: str, **context: object) -> Any:
    return render(request, "people/unknown.html", {"why": reason, **context}, status=403)
