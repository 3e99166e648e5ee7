"""API permissions (docs/rules.md, Roles and permissions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from common.exceptions import NotAllowedError
from people.models import ApiToken, User

if TYPE_CHECKING:
    # Avoid a circular import: DRF's views load these permissions from the settings.
    from rest_framework.views import APIView


class IsSignedIn(BasePermission):
    """Allow signed-in users; read-only tokens allow only safe methods."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True if the user is active and the token's scope allows the method."""
        if not (isinstance(request.user, User) and request.user.is_active):
            return False
        if isinstance(request.auth, ApiToken) and request.auth.scope == ApiToken.Scope.READ:
            return request.method in SAFE_METHODS
        return True


class IsAdminOrReadOnly(IsSignedIn):
    """Allow every signed-in user to read and only admins to write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True if the caller may use the method."""
        if not super().has_permission(request, view):
            return False
        return request.method in SAFE_METHODS or (isinstance(request.user, User) and request.user.is_staff)


class IsAdmin(IsSignedIn):
    """Allow only admins."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True if the caller is an admin who may use the method."""
        return super().has_permission(request, view) and isinstance(request.user, User) and request.user.is_staff


def request_user(request: Request) -> User:
    """Return the caller; raise NotAllowedError if nobody is signed in."""
    if not isinstance(request.user, User):
        raise NotAllowedError("Sign in first.")
    return request.user
