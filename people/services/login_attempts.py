"""Rate limits for sign-in: each attempt is counted in the database before the secret is checked."""

import datetime as dt

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from common.exceptions import DomainError
from people.models import LoginAttempts

WINDOW = dt.timedelta(minutes=15)
# Names and codes are limited per user, from any address; addresses across all users. A code works once.
LIMITS = {
    LoginAttempts.Of.NAME: 5,
    LoginAttempts.Of.ADDRESS: 20,
    LoginAttempts.Of.CODE: 5,
    LoginAttempts.Of.MAIL: 3,
    LoginAttempts.Of.USED: 1,
}


class TooManyAttemptsError(DomainError):
    """Too many attempts; `until` is when the next one is allowed. The site responds with 429."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__("Too many attempts. Try again later.")
        self.until = until


@transaction.atomic
def count_attempt(attempt: dict[LoginAttempts.Of, str], *, at: dt.datetime) -> None:
    """Count one attempt for each entry; raise TooManyAttemptsError, and count nothing, if any is over its limit.

    The count commits before the secret is checked, so that simultaneous attempts cannot exceed the limit.
    """
    for of, name in attempt.items():
        _reserve(of, digest=_digest(of, name), at=at)


@transaction.atomic
def refund_attempt(attempt: dict[LoginAttempts.Of, str]) -> None:
    """Refund a successful attempt: reset the count of a name or code, reduce that of an address by one."""
    for of, name in attempt.items():
        rows = LoginAttempts.objects.filter(of=of, digest=_digest(of, name))
        if of == LoginAttempts.Of.ADDRESS:
            rows.filter(used__gt=0).update(used=F("used") - 1)
        else:
            rows.update(used=0)


def purge_attempts(*, at: dt.datetime) -> int:
    """Delete expired attempts; return the number of rows."""
    return LoginAttempts.objects.filter(ends_at__lt=at).delete()[0]


def _reserve(of: LoginAttempts.Of, *, digest: str, at: dt.datetime) -> None:
    LoginAttempts.objects.bulk_create(
        [LoginAttempts(of=of, digest=digest, used=0, ends_at=at + WINDOW)], ignore_conflicts=True
    )
    row = LoginAttempts.objects.filter(of=of, digest=digest)
    # A concurrent attempt waits for the row lock, then evaluates the filter again.
    restarted = row.filter(ends_at__lte=at).update(used=1, ends_at=at + WINDOW)
    if not restarted and not row.filter(used__lt=LIMITS[of]).update(used=F("used") + 1):
        raise TooManyAttemptsError(row.values_list("ends_at", flat=True).get())


def _digest(of: LoginAttempts.Of, name: str) -> str:
    # Store no plain text: users sometimes type their password as the user name.
    return salted_hmac(f"people.attempts.{of}", name.strip().casefold(), algorithm="sha256").hexdigest()
