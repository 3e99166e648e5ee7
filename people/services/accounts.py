"""Services for users and API tokens."""

import datetime as dt
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q, QuerySet

from common.db import advisory_lock, without_history_context
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.domain.names import initials, match_key, user_name_for
from people.models import NAME_KEYS, NAMES_LOCK, ApiToken, Color, HandbookAlias, User
from people.queries import people_by_handbook_name, secret_digest

TOKEN_PREFIX = "oncall_"  # noqa: S105  # nosec B105  # a public prefix, so that scanners recognise leaked tokens
MAX_TOKENS_PER_USER = 50
# Saves a write on most API calls.
LAST_USE_RESOLUTION = dt.timedelta(minutes=5)


def check_active(person: User, *, field: str) -> None:
    """Raise InvalidInputError for the field that names a person who is inactive."""
    if not person.is_active:
        raise InvalidInputError({field: [f"{person} is inactive."]})


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token and its secret, which is shown only once."""

    token: ApiToken
    secret: str


@transaction.atomic
def create_token(
    user: User, *, name: str, scope: str = ApiToken.Scope.WRITE, expires_at: dt.datetime | None = None
) -> NewToken:
    """Create an API token.

    Raises NotAllowedError for the admin scope if the user is not an admin, and DomainError if the user is inactive or has
    too many tokens.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if not user.is_active:
        raise DomainError(f"{user} is inactive.")
    if scope == ApiToken.Scope.ADMIN and not user.is_staff:
        raise NotAllowedError("Only admins can create admin tokens.")
    if user.api_tokens.not_revoked().count() >= MAX_TOKENS_PER_USER:
        raise DomainError(f"You have {MAX_TOKENS_PER_USER} tokens. Revoke one first.")
    new = new_token(user, name=name, scope=scope, expires_at=expires_at)
    new.token.save()
    return new


def new_token(user: User, *, name: str, scope: str, expires_at: dt.datetime | None = None) -> NewToken:
    """Return an unsaved API token with a random secret."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user=user,
        name=name,
        scope=scope,
        expires_at=expires_at,
        prefix=secret[: len(TOKEN_PREFIX) + 6],
        digest=secret_digest(secret),
    )
    return NewToken(token=token, secret=secret)


def revoke_token(token: ApiToken, *, by: User, at: dt.datetime) -> None:
    """Revoke a token at `at`. Engineers revoke their own tokens, admins any token."""
    if by.pk != token.user_id and not by.is_staff:
        raise NotAllowedError("You can only revoke your own tokens.")
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)


def record_use(token: int, *, last_used_at: dt.datetime | None, at: dt.datetime) -> None:
    """Record when a token was last used, to five minutes; no history tracks it."""
    if last_used_at is None or last_used_at < at - LAST_USE_RESOLUTION:
        with without_history_context():
            note_use(ApiToken.objects.filter(pk=token), at=at)


def note_use(tokens: QuerySet[Any], *, at: dt.datetime) -> None:
    """Record in `last_used_at` when these rows were last used, to five minutes."""
    tokens.filter(Q(last_used_at=None) | Q(last_used_at__lt=at - LAST_USE_RESOLUTION)).update(last_used_at=at)


@transaction.atomic
def engineers_named(names: list[str], *, time_zone: str) -> tuple[dict[str, User], list[User]]:
    """Return the users with these names in the handbook by match key, and the users created for new names.

    Names match regardless of case and punctuation (docs/rules.md), and a user name means its user. A new user has no usable
    password until an admin invites them. Raises django.core.exceptions.ValidationError if a new name is somebody's display name.
    """
    advisory_lock(NAMES_LOCK)
    known = people_by_handbook_name(names)
    taken = set(User.objects.values_list("username", flat=True))
    created = []
    for name in names:
        if match_key(name) in known:
            continue
        user = User(
            display_name=name,
            username=user_name_for(name, taken),
            time_zone=time_zone,
            colour=free_color(name),
        )
        user.set_unusable_password()
        user.full_clean(exclude=NAME_KEYS)
        user.save()
        taken.add(user.username)
        known[match_key(name)] = user
        created.append(user)
    return {match_key(name): known[match_key(name)] for name in names}, created


@transaction.atomic
def add_handbook_alias(user: User, *, name: str) -> None:
    """Let another spelling in the handbook mean this user.

    Raises django.core.exceptions.ValidationError if the name belongs to another person.
    """
    advisory_lock(NAMES_LOCK)
    alias = HandbookAlias(user=user, name=name)
    alias.full_clean(exclude=["key"])
    alias.save()


def free_color(display_name: str) -> int:
    """Return an avatar colour for a new user: the one fewest users with the same initials have, then fewest users."""
    same, everyone = Counter[int](), Counter[int]()
    for name, color in User.objects.order_by().values_list("display_name", "colour"):
        everyone[color] += 1
        same[color] += initials(name) == initials(display_name)
    return min(Color.values, key=lambda color: (same[color], everyone[color], color))


def set_password(user: User, *, password: str) -> None:
    """Set a user's password. The form validates its strength."""
    user.set_password(password)
    user.save(update_fields=["password"])


@transaction.atomic
def change_profile(user: User, *, fields: dict[str, object]) -> None:
    """Update profile fields of a user. The name in the handbook stays.

    Raises django.core.exceptions.ValidationError by field.
    """
    if "display_name" in fields:
        advisory_lock(NAMES_LOCK)
    for field, value in fields.items():
        setattr(user, field, value)
    user.full_clean(exclude=["password", *NAME_KEYS])
    user.save(update_fields=[*fields, *(["display_key"] if "display_name" in fields else [])])


def check_admin_remains(leaver: User) -> None:
    """Raise DomainError if nobody else is an active admin. Locks all admins, so that two cannot leave at once."""
    admins = User.objects.get_queryset().admins().select_for_update().order_by("pk")
    if [admin.pk for admin in admins] == [leaver.pk]:
        raise DomainError(f"{leaver} is the last active admin. Make someone else an admin first.")


@transaction.atomic
def reset_two_factor(user: User) -> bool:
    """Remove a user's authenticator and recovery codes; return True if there were any."""
    return Authenticator.objects.filter(user_id=user.pk).delete()[0] > 0
