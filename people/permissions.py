"""Who may call what in the API: product.md §11, as DRF permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from common.exceptions import NotAllowedError
from people.models import ApiToken, User

if TYPE_CHECKING:
    # The framework's views read these permissions from the settings while they are being imported.
    from rest_framework.views import APIView


class SignedIn(BasePermission):
    """A signed-in person; a read-only token reads only."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the caller is a person, and the token, if any, allows the method."""
        if not (isinstance(request.user, User) and request.user.is_active):
            return False
        if isinstance(request.auth, ApiToken) and request.auth.scope == ApiToken.Scope.READ:
            return request.method in SAFE_METHODS
        return True


class AdminsChange(SignedIn):
    """Everyone signed in reads; admins change (product.md §11)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the caller may use the method."""
        if not super().has_permission(request, view):
            return False
        return request.method in SAFE_METHODS or (isinstance(request.user, User) and request.user.is_staff)


def request_user(request: Request) -> User:
    """Return the caller; raise Forbidden where nobody is signed in."""
    if not isinstance(request.user, User):
        raise NotAllowedError("Sign in first.")
    return request.user
