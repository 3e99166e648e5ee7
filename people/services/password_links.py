"""Password links: invitations and resets."""

import datetime as dt
import secrets

from django.db import transaction

from common.exceptions import DomainError, NotAllowedError
from people.models import PasswordLink, User
from people.queries import link_secret, secret_digest
from people.services.accounts import set_password
from people.services.login_attempts import SHARED_KINDS, refund_attempt, sign_in_attempt

LINK_LIFETIMES = {
    PasswordLink.Purpose.INVITATION: dt.timedelta(days=7),
    PasswordLink.Purpose.RESET: dt.timedelta(hours=1),
}


def invite(user: User, *, by: User, at: dt.datetime, reset: bool = False) -> PasswordLink:
    """Create an invitation, or with `reset` a password reset, and expire earlier links.

    Raises NotAllowedError if `by` is not an admin, and DomainError if the user is inactive, has no e-mail or already has a
    password.
    """
    if not by.is_staff:
        raise NotAllowedError("Only admins can invite people.")
    if not user.is_active:
        raise DomainError(f"{user} is inactive.")
    if not user.email:
        raise DomainError(f"{user} has no e-mail address. Add one first.")
    if user.has_usable_password() and not reset:
        raise DomainError(f"{user} already has a password. Send a password reset instead.")
    purpose = PasswordLink.Purpose.RESET if reset else PasswordLink.Purpose.INVITATION
    return _new_link(user, purpose=purpose, by=by, at=at)


def create_reset_link(user: User, *, at: dt.datetime) -> PasswordLink:
    """Create a password reset link that the user requested, and expire earlier links."""
    return _new_link(user, purpose=PasswordLink.Purpose.RESET, by=None, at=at)


def expire_links(user: User, *, at: dt.datetime) -> None:
    """Expire all password links of a user."""
    PasswordLink.objects.usable(at=at).filter(user=user).update(expires_at=at)


@transaction.atomic
def set_password_by_link(link: PasswordLink, *, password: str, address: str = "", at: dt.datetime) -> User:
    """Set a password and use up all links of the user; raise DomainError if the link is invalid.

    Sessions of the old password end, and the count of the user's sign-in attempts from this address restarts.
    """
    # Lock the user first, as every function does that creates or uses links.
    user = User.objects.select_for_update().get(pk=link.user_id)
    if not PasswordLink.objects.usable(at=at).filter(pk=link.pk).update(used_at=at):
        raise DomainError("This link has expired or was already used.")
    PasswordLink.objects.usable(at=at).filter(user=user).update(used_at=at)
    set_password(user, password=password)
    attempt = sign_in_attempt(username=user.username, address=address, device="")
    refund_attempt({kind: name for kind, name in attempt.items() if kind not in SHARED_KINDS})
    return user


@transaction.atomic
def _new_link(user: User, *, purpose: PasswordLink.Purpose, by: User | None, at: dt.datetime) -> PasswordLink:
    User.objects.select_for_update().get(pk=user.pk)
    expire_links(user, at=at)
    expires_at = at + LINK_LIFETIMES[purpose]
    link = PasswordLink(
        user=user, purpose=purpose, asked_by=by, nonce=secrets.token_hex(32), created_at=at, expires_at=expires_at
    )
    link.digest = secret_digest(link_secret(link))
    link.save()
    return link
