"""Queries for users, tokens and public holidays."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import holidays
from allauth.mfa.models import Authenticator
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.utils.crypto import salted_hmac
from holidays.registry import COUNTRIES

from common.db import CompiledQuery, PreparedStatement
from people.domain.names import match_key
from people.domain.person import Person
from people.models import ApiToken, HandbookAlias, PasswordLink, User, UserQuerySet, countries

# Placeholders for the values in compiled statements.
ANY_TIME, ANY_DIGEST, ANY_USER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), "digest", -1


def secret_digest(secret: str) -> str:
    """Return the hexadecimal SHA-256 digest of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


TOKEN_COLUMNS, USER_COLUMNS = (
    [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001  # public in all but name
    for model in (ApiToken, User)
)
TOKEN_QUERY = CompiledQuery(
    lambda: (
        ApiToken.objects.usable(at=ANY_TIME)
        .filter(digest=ANY_DIGEST)
        .values_list(*TOKEN_COLUMNS, *(f"user__{name}" for name in USER_COLUMNS))
    ),
    placeholders=(ANY_TIME, ANY_DIGEST),
)

USER_QUERY = CompiledQuery(
    lambda: User.objects.filter(pk=ANY_USER).values_list(*USER_COLUMNS), placeholders=(ANY_USER,)
)


def find_user(key: int) -> User | None:
    """Return the user with this primary key, or None."""
    row = USER_QUERY.fetch_one(key)
    return None if row is None else User.from_db(connection.alias, USER_COLUMNS, row)


def find_token(secret: str, *, at: dt.datetime) -> ApiToken | None:
    """Return the token with this secret if it is valid at `at`, or None.

    Its user has an admin's rights (`is_staff`) only if the token was created as an admin token.
    """
    row = TOKEN_QUERY.fetch_one(at, secret_digest(secret))
    if row is None:
        return None
    token = ApiToken.from_db(connection.alias, TOKEN_COLUMNS, row[: len(TOKEN_COLUMNS)])
    token.user = User.from_db(connection.alias, USER_COLUMNS, row[len(TOKEN_COLUMNS) :])
    if token.scope != ApiToken.Scope.ADMIN:
        token.withholds_admin = token.user.is_staff
        token.user.is_staff = False
    return token


def bearer_secret(authorization: str) -> str | None:
    """Return the token in an `Authorization: Bearer <token>` header (RFC 6750), or None for any other header."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of a valid token, loaded with its name only, and the version of the on-call facts at the same moment."""

    user: User
    token: int
    last_used_at: dt.datetime | None
    version: str


VERSION = RawSQL("(SELECT SUM(total)::TEXT || '.' || MAX(id) FROM people_oncallversion)", (), output_field=TextField())
PAGE_VERSION_SQL = """
SELECT (SELECT SUM(total)::TEXT || '.' || MAX(id) FROM people_oncallversion),
       (SELECT SUM(total)::TEXT || '.' || MAX(id) FROM people_pageversion)
"""
PAGE_VERSION_STATEMENT = PreparedStatement("find_page_version", types=(), sql=lambda: PAGE_VERSION_SQL)


def _caller_statement() -> str:
    tokens = ApiToken.objects.usable(at=ANY_TIME).filter(digest=ANY_DIGEST).order_by()
    rows = tokens.annotate(version=VERSION).values_list("user_id", "user__username", "pk", "last_used_at", "version")
    sql, params = rows.query.sql_with_params()
    names = {ANY_TIME: "$1", ANY_DIGEST: "$2"}
    return sql % tuple(names[param] for param in params)


CALLER_STATEMENT = PreparedStatement("find_caller", types=("timestamptz", "text"), sql=_caller_statement)


def find_caller(secret: str, *, at: dt.datetime) -> Caller | None:
    """Return who calls with a token and the version of the on-call facts, in one statement; None if the token is not valid."""
    row = CALLER_STATEMENT.fetch_one(at, secret_digest(secret))
    if row is None:
        return None
    user_id, username, token, last_used_at, version = row
    user = User.from_db(DEFAULT_DB_ALIAS, ["id", "username"], [user_id, username])
    return Caller(user=user, token=token, last_used_at=last_used_at, version=version or "")


def page_version() -> str:
    """Return the version of all facts in shared parts of pages; call it before reading the facts (docs/adr/0046)."""
    return "/".join(part or "" for part in PAGE_VERSION_STATEMENT.fetch_one() or ())


def active_tokens(user: User) -> QuerySet[ApiToken]:
    """Return a user's tokens that are not revoked, newest first."""
    return user.api_tokens.not_revoked()


def all_users() -> UserQuerySet:
    """Return every user, by name."""
    return User.objects.get_queryset().order_by("display_name", "pk")


def active_user_keys(keys: Iterable[int]) -> set[int]:
    """Return those of these primary keys whose users are active."""
    return set(User.objects.filter(pk__in=keys, is_active=True).values_list("pk", flat=True))


def people_by_handbook_name(names: Iterable[str] = ()) -> dict[str, User]:
    """Return every user by the match key of their name in the handbook and of its other spellings.

    Of `names`, those that are exactly a user name mean that user too.
    """
    users = list(all_users())
    known = {row.key: row.user for row in HandbookAlias.objects.select_related("user")}
    known |= {user.handbook_key: user for user in users}
    usernames = {user.username: user for user in users}
    for name in names:
        if name in usernames:
            known.setdefault(match_key(name), usernames[name])
    return known


def user_by_username(username: str) -> User | None:
    """Return the user with this user name, or None."""
    return User.objects.filter(username=username).first() if "\0" not in username else None


def user_by_email(email: str) -> User | None:
    """Return the active user with this e-mail (case-insensitive), or None."""
    if not email or "\0" in email:
        return None
    return all_users().active().filter(email__iexact=email).first()


def sign_in_name(typed: str) -> str:
    """Return the user name to sign in with: the typed text, or the name of the user with this e-mail address."""
    user = user_by_email(typed.strip()) if "@" in typed else None
    return user.username if user else typed


def has_second_factor(user: User) -> bool:
    """Return True if the user has enrolled an authenticator."""
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists()


def link_secret(link: PasswordLink) -> str:
    """Return the secret of a password link: 256 bits derived from its nonce and the site's key."""
    return salted_hmac("people.password_link", link.nonce, algorithm="sha256").hexdigest()


def find_password_link(secret: str, *, at: dt.datetime) -> PasswordLink | None:
    """Return the password link with this secret if it is valid at `at`, or None."""
    return PasswordLink.objects.usable(at=at).select_related("user").filter(digest=secret_digest(secret)).first()


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str, year: int) -> Mapping[dt.date, str]:
    """Return the public holidays of a country and subdivision in a year, by date; none without a country.

    Raises NotImplementedError for a country that is not in `people.models.countries`.
    """
    if not country:
        return {}
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def people_by_username() -> dict[str, Person]:
    """Return everybody by user name."""
    return {user.username: user.person for user in User.objects.order_by()}


@lru_cache(maxsize=1)
def country_names() -> list[tuple[str, str]]:
    """Return the code and the name of each country whose public holidays are known, by name."""
    names = [(code, _split_words(entry[0])) for entry in COUNTRIES.values() if (code := entry[1]) in countries()]
    return sorted(names, key=lambda country: country[1])


def _split_words(class_name: str) -> str:
    """Return the name of a class of the holidays package with spaces, such as "Bosnia and Herzegovina"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", class_name)
    return re.sub(r" (And|Of|The)\b", lambda word: word[0].lower(), words)


def subdivision_names(country: str) -> list[tuple[str, str]]:
    """Return the code and the name of each region of a country, by name; none for an unknown country."""
    regions = countries().get(country, [])
    if not regions:
        return []
    aliases = holidays.country_holidays(country).subdivisions_aliases
    names = {code: name for name, code in aliases.items()}
    return sorted(((code, names.get(code, code)) for code in regions), key=lambda region: region[1])
