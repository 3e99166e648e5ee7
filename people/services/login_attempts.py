"""Rate limits for sign-in: each attempt is counted in the database before the secret is checked.

Guesses are limited by user name and address together, so that an attacker cannot lock a user out: a right password gets in
from another address, and from a device on which the user has signed in before. docs/reliability.md (promise 28) has the
number of guesses that remain.
"""

import datetime as dt
from ipaddress import ip_network
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from common.exceptions import DomainError
from people.models import LoginAttempts


class Limit(NamedTuple):
    """The number of attempts within a window."""

    attempts: int
    window: dt.timedelta


QUARTER_HOUR, DAY = dt.timedelta(minutes=15), dt.timedelta(days=1)
ATTEMPT_LIMITS = {
    # A user name from an address, or from a device of the user.
    LoginAttempts.Kind.GUESS: Limit(5, QUARTER_HOUR),
    LoginAttempts.Kind.GUESS_DAY: Limit(20, DAY),
    # An address, across user names.
    LoginAttempts.Kind.ADDRESS: Limit(20, QUARTER_HOUR),
    LoginAttempts.Kind.ADDRESS_DAY: Limit(200, DAY),
    # An IPv6 customer has up to 65,536 addresses as `client_address` counts them.
    LoginAttempts.Kind.NETWORK_DAY: Limit(400, DAY),
    # Password confirmations and two-factor codes of a user who is signed in, or has given their password.
    LoginAttempts.Kind.CONFIRMATION: Limit(5, QUARTER_HOUR),
    LoginAttempts.Kind.CODE: Limit(5, QUARTER_HOUR),
    LoginAttempts.Kind.MAIL: Limit(3, QUARTER_HOUR),
    # Saved forms of expired sessions, per address.
    LoginAttempts.Kind.FORM: Limit(20, QUARTER_HOUR),
    # A code works once.
    LoginAttempts.Kind.USED: Limit(1, QUARTER_HOUR),
}
# Starts a window, or counts an attempt in the current one; changes no row at the limit. A simultaneous attempt waits for the row's lock.
COUNT_ATTEMPT = """
    INSERT INTO "people_loginattempts" AS counted (kind, digest, used, ends_at)
    VALUES (%(kind)s, %(digest)s, 1, %(ends_at)s)
    ON CONFLICT (kind, digest) DO UPDATE
       SET used = CASE WHEN counted.ends_at > %(at)s THEN counted.used + 1 ELSE 1 END,
           ends_at = CASE WHEN counted.ends_at > %(at)s THEN counted.ends_at ELSE EXCLUDED.ends_at END
     WHERE counted.ends_at <= %(at)s OR counted.used < %(limit)s
"""
SHARED_KINDS = (LoginAttempts.Kind.ADDRESS, LoginAttempts.Kind.ADDRESS_DAY, LoginAttempts.Kind.NETWORK_DAY)


class TooManyAttemptsError(DomainError):
    """Too many attempts; `until` is when the next one is allowed. The site responds with 429."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__("Too many attempts. Try again later.")
        self.until = until


def sign_in_attempt(*, username: str, address: str, device: str) -> dict[LoginAttempts.Kind, str]:
    """Return what to count for a sign-in with a password. `device` identifies a known device of the user, if it is one."""
    username = username.strip().casefold()
    if device:
        guess = f"{username} on device {device}"
        return {LoginAttempts.Kind.GUESS: guess, LoginAttempts.Kind.GUESS_DAY: guess}
    guess = f"{username} from {address}"
    attempt = {
        LoginAttempts.Kind.GUESS: guess,
        LoginAttempts.Kind.GUESS_DAY: guess,
        LoginAttempts.Kind.ADDRESS: address,
        LoginAttempts.Kind.ADDRESS_DAY: address,
    }
    if ":" in address:
        attempt[LoginAttempts.Kind.NETWORK_DAY] = str(ip_network(address).supernet(new_prefix=48))
    return attempt


@transaction.atomic
def count_attempt(attempt: dict[LoginAttempts.Kind, str], *, at: dt.datetime) -> None:
    """Count one attempt for each entry; raise TooManyAttemptsError, and count nothing, if any is over its limit.

    The count commits before the secret is checked, so that simultaneous attempts cannot exceed the limit.
    """
    for kind, name in attempt.items():
        _reserve(kind, digest=_digest(kind, name), at=at)


@transaction.atomic
def refund_attempt(attempt: dict[LoginAttempts.Kind, str]) -> None:
    """Refund a successful attempt: reset the counts of the user, reduce those of the address by one."""
    for kind, name in attempt.items():
        rows = LoginAttempts.objects.filter(kind=kind, digest=_digest(kind, name))
        if kind in SHARED_KINDS:
            rows.filter(used__gt=0).update(used=F("used") - 1)
        else:
            rows.update(used=0)


def purge_attempts(*, at: dt.datetime) -> int:
    """Delete expired attempts; return the number of rows."""
    return LoginAttempts.objects.filter(ends_at__lt=at).delete()[0]


def _reserve(kind: LoginAttempts.Kind, *, digest: str, at: dt.datetime) -> None:
    limit = ATTEMPT_LIMITS[kind]
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_ATTEMPT,
            {"kind": kind, "digest": digest, "at": at, "ends_at": at + limit.window, "limit": limit.attempts},
        )
        is_counted = cursor.rowcount
    if not is_counted:
        raise TooManyAttemptsError(
            LoginAttempts.objects.values_list("ends_at", flat=True).get(kind=kind, digest=digest)
        )


def _digest(kind: LoginAttempts.Kind, name: str) -> str:
    # Store no plain text: users sometimes type their password as the user name.
    return salted_hmac(f"people.attempts.{kind}", name.strip().casefold(), algorithm="sha256").hexdigest()
