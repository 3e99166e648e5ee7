"""API authentication by bearer token or browser session."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from people import queries
from people.models import ApiToken, User
from people.services.accounts import record_use
from people.sessions import SessionStore


def request_user_id(request: HttpRequest) -> int | None:
    """Return the id of the user whose valid token or session a request has, or None. For use before the middleware."""
    secret = queries.bearer_secret(request.headers.get("Authorization", ""))
    token = queries.find_token(secret, at=timezone.now()) if secret else None
    if token is not None:
        return token.user_id
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    bare = HttpRequest()
    bare.session = _SessionCopy(SessionStore(key).load())  # type: ignore[assignment]  # has all that `get_user` uses
    return get_user(bare).pk


class _SessionCopy(dict[str, Any]):
    """The content of a session whose user is read before the request itself is.

    A session from before a new SECRET_KEY gets a new key, and an invalid one ends, when Django reads its user. Only the request
    itself does that: its response has the new cookie.
    """

    def cycle_key(self) -> None:
        """Change nothing."""

    def flush(self) -> None:
        """Change nothing."""


class Backend(ModelBackend):
    """Django's backend, but it finds the user of a session with a compiled query."""

    def get_user(self, user_id: int) -> User | None:
        """Return the active user with this primary key, or None."""
        user = queries.find_user(user_id)
        return user if self.user_can_authenticate(user) else None


class TokenAuthentication(BaseAuthentication):
    """Authenticate with `Authorization: Bearer <token>` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the user and token, or None without a bearer token; raise AuthenticationFailed if it is invalid."""
        secret = queries.bearer_secret(get_authorization_header(request).decode("latin-1"))
        if secret is None:
            return None
        at = timezone.now()
        token = queries.find_token(secret, at=at)
        if token is None:
            raise AuthenticationFailed("This token is invalid, expired or revoked.")
        record_use(token.pk, last_used_at=token.last_used_at, at=at)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the `WWW-Authenticate` header of a 401 response."""
        return 'Bearer realm="api"'


class SignedInSession(SessionAuthentication):
    """Authenticate with a browser session; unsafe methods need a CSRF token."""


class TokenScheme(OpenApiAuthenticationExtension):
    """OpenAPI description of bearer token authentication."""

    target_class = "people.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):
    """OpenAPI description of session authentication."""

    target_class = "people.authentication.SignedInSession"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
