"""Services of the site itself: heartbeats, task statistics, password links by mail, key rotation."""

import datetime as dt

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.functions import Now

from common.crypto import decrypt, encrypt
from common.fields import EncryptedTextField
from notifications.queries.preferences import people_who_chose
from oncall_site.models import Heartbeat
from oncall_site.notifications import (
    WeekAhead,
    notify_delivery_resumed,
    notify_email_changed,
    notify_password_link,
    notify_shift_check,
    notify_week_ahead,
)
from oncall_site.queries import BEAT, HEARTBEAT_AGE, STALE_AFTER, WORKER
from oncall_site.shift_checks import shift_checks
from oncall_site.week_ahead import week_ahead
from people import queries
from people.models import LoginAttempts, PasswordLink, User
from people.services import accounts, password_links
from people.services.login_attempts import count_attempt
from pipelines.queries import base_manager

# Keys of `Authenticator.data` that django-allauth encrypts through our adapter.
AUTHENTICATOR_SECRETS = ("secret", "seed")
MONDAY, WEEK_AHEAD_HOUR = 0, 7
# A worker that has been silent for this long was removed, it is not late.
HEARTBEAT_RETENTION = dt.timedelta(days=1)


@transaction.atomic
def record_heartbeat(*, worker: str = "") -> None:
    """Record that a worker ran beat's heartbeat task, by the database's clock; delete old heartbeats.

    The first one after an outage notifies the admins, because nothing was delivered during it.
    """
    workers = Heartbeat.objects.filter(part__startswith=WORKER).order_by("-seen_at")
    last = workers.values_list("seen_at", HEARTBEAT_AGE).first()
    _save_heartbeat(f"{WORKER} {worker}".strip())
    Heartbeat.objects.filter(seen_at__lt=Now() - HEARTBEAT_RETENTION).delete()
    if last is not None and last[1] > STALE_AFTER:
        notify_delivery_resumed(stopped_at=last[0], at=last[0] + last[1])


def check_shifts(*, at: dt.datetime) -> int:
    """Notify people of what to do before the shifts of the next five days; return how many shifts have problems."""
    checks = [check for check in shift_checks(at=at) if check.problems]
    for check in checks:
        with transaction.atomic():
            notify_shift_check(check, at=at)
    return len(checks)


def send_weeks_ahead(*, at: dt.datetime) -> int:
    """Send "My week ahead" to people who opted in, from 07:00 on Monday in their time zone; return how many were due."""
    count = 0
    for person in people_who_chose(WeekAhead):
        local = at.astimezone(person.zone)
        if local.weekday() == MONDAY and local.hour >= WEEK_AHEAD_HOUR:
            with transaction.atomic():
                notify_week_ahead(person, lines=week_ahead(person, at=at), starts_on=local.date(), at=at)
            count += 1
    return count


# One statement each, because they run several times a minute even on an idle site.
HEARTBEAT_SQL = """
INSERT INTO oncall_site_heartbeat (part, seen_at) VALUES (%s, STATEMENT_TIMESTAMP())
    ON CONFLICT (part) DO UPDATE SET seen_at = EXCLUDED.seen_at
"""
SWEEP_SQL = """
INSERT INTO oncall_site_sweep AS sweep (task, worker, ended_at, seconds, error, runs, failures, total_seconds)
VALUES (%(task)s, %(worker)s, STATEMENT_TIMESTAMP(), %(seconds)s, %(error)s, 1, %(failures)s, %(seconds)s)
    ON CONFLICT (task) DO UPDATE SET
       worker = EXCLUDED.worker, ended_at = EXCLUDED.ended_at, seconds = EXCLUDED.seconds, error = EXCLUDED.error,
       runs = sweep.runs + 1, failures = sweep.failures + EXCLUDED.failures,
       total_seconds = sweep.total_seconds + EXCLUDED.seconds
"""


def record_beat() -> None:
    """Record that beat is running, by the database's clock."""
    _save_heartbeat(BEAT)


def _save_heartbeat(part: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(HEARTBEAT_SQL, [part[:200]])


def record_sweep(task: str, *, worker: str, seconds: float, error: str = "") -> None:
    """Add a run of a background task to its statistics; `error` is "" for a successful run."""
    run: dict[str, str | float] = {"task": task, "worker": worker[:200], "seconds": seconds, "error": error[:300]}
    run["failures"] = int(bool(error))
    with connection.cursor() as cursor:
        cursor.execute(SWEEP_SQL, run)


@transaction.atomic
def invite(user: User, *, by: User, at: dt.datetime, reset: bool = False) -> PasswordLink:
    """Mail a user a link to set their first password, or with `reset` a new one.

    Raises DomainError as `people.services.password_links.invite` does.
    """
    link = password_links.invite(user, by=by, at=at, reset=reset)
    notify_password_link(link, at=at)
    return link


def request_password_reset(email: str, *, address: str, at: dt.datetime) -> None:
    """Mail a link for a new password to the user with this e-mail address, if there is one.

    Returns nothing, so that a caller cannot find out who has an account. Raises TooManyAttemptsError if too many
    links were requested for this e-mail address or from this IP address.
    """
    count_attempt({LoginAttempts.Kind.MAIL: email, LoginAttempts.Kind.ADDRESS: address}, at=at)
    user = queries.user_by_email(email)
    # An unknown address causes the same work for another user, which is rolled back: the time reveals nothing either.
    stand_in = User.objects.get_queryset().active().exclude(email="").order_by("pk").first()
    is_known = user is not None and user.has_usable_password()
    recipient = user if is_known else stand_in
    if recipient is None:
        return
    with transaction.atomic():
        notify_password_link(password_links.create_reset_link(recipient, at=at), at=at)
        transaction.set_rollback(not is_known)


@transaction.atomic
def change_profile(user: User, *, fields: dict[str, object], at: dt.datetime) -> None:
    """Update profile fields of a user; raise django.core.exceptions.ValidationError by field.

    The caller checks that the user may change the e-mail address. The old address gets a notice.
    """
    old_address = user.email
    accounts.change_profile(user, fields=fields)
    email_changed(user, old_address=old_address, at=at)


def email_changed(user: User, *, old_address: str, at: dt.datetime) -> None:
    """Notify the old address of a user whose e-mail changed, and expire password links mailed to it."""
    if user.email.casefold() != old_address.casefold():
        password_links.expire_links(user, at=at)
        if old_address:
            notify_email_changed(user, old_address=old_address, at=at)


def encrypted_columns() -> list[tuple[type[Model], str]]:
    """Return every model with an EncryptedTextField, and the field's name."""
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields  # noqa: SLF001  # _meta is documented API of Django
        if isinstance(field, EncryptedTextField)
    ]


def reencrypt() -> int:
    """Re-encrypt every secret with the first of FIELD_KEYS; return how many there were.

    Skips rows that change during the run: their new values are encrypted with the first key already. Raises DecryptionError
    and changes nothing if a secret was encrypted with a key that is not in FIELD_KEYS.
    """
    count = 0
    with transaction.atomic():
        for model, column in encrypted_columns():
            rows = base_manager(model).order_by("pk")
            for key, old in rows.exclude(**{column: ""}).values_list("pk", column):
                count += rows.filter(pk=key, **{column: old}).update(**{column: decrypt(old)})
        for authenticator in Authenticator.objects.order_by("pk"):
            old_data = dict(authenticator.data)
            secrets = {name: encrypt(decrypt(old_data[name])) for name in AUTHENTICATOR_SECRETS if old_data.get(name)}
            if secrets:
                row = Authenticator.objects.filter(pk=authenticator.pk, data=old_data)
                count += row.update(data={**old_data, **secrets})
    return count
