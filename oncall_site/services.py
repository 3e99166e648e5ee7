"""Changes of state that belong to the site itself, and those that people are told of by mail about themselves."""

import contextlib
import datetime as dt

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from common.crypto import decrypt, encrypt
from common.exceptions import DomainError
from oncall_site.encrypted_columns import SEALED_DATA, authenticators, sealed_columns, sealed_texts
from oncall_site.models import Heartbeat, Sweep
from oncall_site.notifications import notify_password_link
from oncall_site.queries import BEAT, WORKER
from people import queries
from people.models import LoginAttempts, PasswordLink, User
from people.services import password_links
from people.services.login_attempts import count_attempt
from people.services.password_links import request_password_reset
from pipelines.queries import base_manager

# A worker that has been silent for so long is gone for good, not late.
FORGOTTEN_AFTER = dt.timedelta(days=1)


def record_heartbeat(*, worker: str = "") -> None:
    """Record that a worker answered beat's kick, by the database's clock; forget workers long gone."""
    _show_life(f"{WORKER} {worker}".strip())
    Heartbeat.objects.filter(beaten_at__lt=Now() - FORGOTTEN_AFTER).delete()


def beat_on() -> None:
    """Record that beat is at work, by the database's clock."""
    _show_life(BEAT)


def _show_life(part: str) -> None:
    Heartbeat.objects.update_or_create(part=part[:200], defaults={"beaten_at": Now()})


def record_sweep(task: str, *, worker: str, seconds: float, problem: str = "") -> None:
    """Record that a worker ran a task, how long that took, and what it failed with, if it did."""
    failed = int(bool(problem))
    last = {"worker": worker[:200], "seconds": seconds, "problem": problem[:300]}
    Sweep.objects.bulk_create([Sweep(task=task, **last)], ignore_conflicts=True)
    Sweep.objects.filter(task=task).update(
        **last,
        ended_at=Now(),
        runs=F("runs") + 1,
        failures=F("failures") + failed,
        seconds_in_all=F("seconds_in_all") + seconds,
    )


@transaction.atomic
def invite(user: User, *, by: User, at: dt.datetime, reset: bool = False) -> PasswordLink:
    """Mail somebody a link by which they set their first password, or with `reset` another; raise as `people.commands.invite`."""
    link = password_links.invite(user, by=by, at=at, reset=reset)
    notify_password_link(link, at=at)
    return link


def forgotten(email: str, *, address: str, at: dt.datetime) -> None:
    """Mail a link for a new password to who has this e-mail and had a password; say nothing of whether anybody does.

    Raises people.commands.Busy where too many were asked for, for this e-mail or from this address.
    """
    count_attempt({LoginAttempts.Of.MAIL: email, LoginAttempts.Of.ADDRESS: address}, at=at)
    user = queries.user_by_email(email)
    if user is None:
        return
    with contextlib.suppress(DomainError), transaction.atomic():
        notify_password_link(request_password_reset(user, at=at), at=at)


def reencrypt() -> int:
    """Seal everything that is sealed with the first of FIELD_KEYS; return how many secrets there were.

    A row that somebody changes meanwhile is left alone: what they wrote is sealed with the first key already. Raises
    common.crypto.DecryptionError, and changes nothing, where a secret was sealed with a key that FIELD_KEYS does not have.
    """
    done = 0
    with transaction.atomic():
        for model, column in sealed_columns():
            for key, old in sealed_texts(model, column):
                done += base_manager(model).filter(pk=key, **{column: old}).update(**{column: encrypt(decrypt(old))})
        for row in authenticators():
            old_data = dict(row.data)
            new = {name: encrypt(decrypt(row.data[name])) for name in SEALED_DATA if row.data.get(name)}
            if new:
                done += Authenticator.objects.filter(pk=row.pk, data=old_data).update(data={**old_data, **new})
    return done
