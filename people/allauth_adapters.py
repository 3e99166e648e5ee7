"""django-allauth adapters: no sign-up, encrypted secrets, provider accounts matched by verified e-mail."""

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

# The page already shows these.
UNSAID = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class AccountAdapter(DefaultAccountAdapter):
    """Account adapter that disables sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: admins add and invite users."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's IP address."""
        return client_address(request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **more: Any
    ) -> None:
        """Add a message unless the page already shows it."""
        if message_template not in UNSAID:
            super().add_message(request, level, message_template, *rest, **more)


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
