"""What django-allauth asks of this site: nobody signs up, secrets are sealed, a provider's people are found by verified e-mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest
from django.shortcuts import render

from common.crypto import decrypt, encrypt
from common.http import client_address
from people import queries

# What the page shows anyway.
UNSAID = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class AccountAdapter(DefaultAccountAdapter):
    """Signing in without signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell that nobody makes an account of their own: an admin adds and invites people."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return where a request comes from."""
        return client_address(request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **more: Any
    ) -> None:
        """Say what happened, unless the page says it."""
        if message_template not in UNSAID:
            super().add_message(request, level, message_template, *rest, **more)


class MfaAdapter(DefaultMFAAdapter):
    """Second factors, of which the database holds only what is sealed."""

    def encrypt(self, text: str) -> str:
        """Return a secret as it is kept."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret that was kept."""
        return decrypt(encrypted_text)


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Signing in by an OpenID Connect provider, for who is known here already."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Tell that nobody makes an account of their own."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Join who comes from the provider with the person here whose e-mail the provider has verified.

        Raises ImmediateHttpResponse with a page that says why for everybody else.
        """
        said = sociallogin.account.extra_data
        # A user's information counts only with the token it came with (OpenID Connect Core, section 5.3.2).
        if said.get("userinfo", {}).get("sub") != said.get("id_token", {}).get("sub"):
            raise ImmediateHttpResponse(_refused(request, "other"))
        if sociallogin.is_existing:
            return
        verified = [address.email for address in sociallogin.email_addresses if address.verified is True]
        if not verified:
            raise ImmediateHttpResponse(_refused(request, "unverified"))
        person = queries.user_by_email(verified[0])
        if person is None:
            raise ImmediateHttpResponse(_refused(request, "unknown", email=verified[0]))
        sociallogin.connect(request, person)


def _refused(request: HttpRequest, why: str, **context: object) -> Any:
    return render(request, "people/unknown.html", {"why": why, **context}, status=403)
