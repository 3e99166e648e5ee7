"""Contact methods: add, verify by a code that is sent there, remove, and report those that were turned off."""

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare

from common.crypto import DecryptionError, decrypt
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from notifications.channels.catalog import CHANNELS
from notifications.channels.exceptions import AddressError
from notifications.models import ContactMethod, Message, NotificationRule
from notifications.notifications import ContactCode, DisabledContactMethod, NewContactMethod
from notifications.queries.contact_methods import address_digest, contact_code, is_available
from notifications.queries.outbox import database_clock
from notifications.queries.sweep import unreported_methods
from notifications.services.outbox import enqueue, subject_line
from people.models import User

MAX_CONTACT_METHODS = 20
CODE_LIFETIME = dt.timedelta(minutes=15)
CODE_PAUSE = dt.timedelta(minutes=1)
MAX_CODES_PER_DAY = 10
MAX_CODE_ATTEMPTS = 5
REPORT_LIFETIME = dt.timedelta(days=7)
REPORT_BATCH_SIZE = 100


@dataclass(frozen=True, slots=True)
class RemovedRule:
    """A notification rule that was deleted with the last contact method of its channel."""

    urgency: str
    delay_minutes: int


@dataclass(frozen=True, slots=True)
class RemovedMethod:
    """A removed contact method with its encrypted address, and the rules that were deleted with it."""

    channel: str
    encrypted_address: str
    shown_as: str
    verified_at: dt.datetime | None
    rules: tuple[RemovedRule, ...]


@transaction.atomic
def set_contact_method(person: User, *, channel: str, address: str, by: User) -> ContactMethod:
    """Add a contact method of a user, and send a code to it; return it.

    The same address again sends another code.

    Users add their own. Admins add everyone's, and are the only ones who add chat addresses. Raises NotAllowedError,
    InvalidInputError by field, and DomainError beyond `MAX_CONTACT_METHODS`.
    """
    if channel not in CHANNELS or not is_available(channel):
        available = [name for name in CHANNELS if is_available(name)]
        raise InvalidInputError({"channel": [f"Choose one of {', '.join(available)}."]})
    if not by.is_staff and (by.pk != person.pk or CHANNELS[channel].admins_only):
        raise NotAllowedError("Only an admin can set this address.")
    address = CHANNELS[channel].clean_address(address)
    shown_as = check_address(channel, address)
    # Only one at a time for each person, so that the limit holds.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    digest = address_digest(channel, address)
    if person.contact_methods.exclude(channel=channel, address_digest=digest).count() >= MAX_CONTACT_METHODS:
        raise DomainError(f"You have {MAX_CONTACT_METHODS} contact methods. Remove one first.")
    row, is_new = ContactMethod.objects.get_or_create(
        person=person,
        channel=channel,
        address_digest=digest,
        defaults={"address": address, "shown_as": shown_as[:255]},
    )
    if not is_new and row.switched_off_at is not None:
        row.verified_at = row.switched_off_at = row.reported_at = None
        row.problem = ""
        row.save()
    if row.verified_at is None and (is_new or not _was_code_sent(row)):
        _send_code(row)
    return row


def check_address(channel: str, address: str) -> str:
    """Return what an address is shown as; raise InvalidInputError if it is invalid for the channel."""
    try:
        return CHANNELS[channel].check_address(address)
    except AddressError as error:
        raise InvalidInputError({"address": [str(error)]}) from error


@transaction.atomic
def send_code(method: ContactMethod) -> Message:
    """Send a new code to a contact method; return the message. Raises DomainError if it is too soon or there were too many."""
    row = _lock(method)
    if _was_code_sent(row):
        raise DomainError("Wait a minute before you send another code.")
    return _send_code(row)


def _was_code_sent(row: ContactMethod) -> bool:
    return row.code_sent_at is not None and database_clock() < row.code_sent_at + CODE_PAUSE


def _send_code(row: ContactMethod) -> Message:
    codes = Message.objects.filter(type=ContactCode.name, recipient=row.person)
    if codes.filter(created_at__gt=Now() - dt.timedelta(days=1)).count() >= MAX_CODES_PER_DAY:
        raise DomainError(f"You can get {MAX_CODES_PER_DAY} codes a day. Try again tomorrow.")
    at = database_clock()
    row.code_nonce, row.code_sent_at, row.code_attempts = secrets.token_hex(16), at, 0
    row.save(update_fields=["code_nonce", "code_sent_at", "code_attempts"])
    code = ContactCode(method=row.pk, requested_at=at)
    return Message.objects.create(
        type=code.name,
        dedup_key=code.dedup_key,
        context=code.context,
        recipient=row.person,
        channel=row.channel,
        contact_method=row.pk,
        subject=subject_line(code, row.person),
        text=code.body(row.person),
        urgent=True,
        due_at=at,
        expires_at=at + CODE_LIFETIME,
    )


def verify_contact_method(method: ContactMethod, *, code: str) -> ContactMethod:
    """Verify a contact method by the code that was sent to it; return it. Raises InvalidInputError for a wrong or old code."""
    # The attempt counts even if the code is wrong, so it is its own transaction.
    with transaction.atomic():
        row = _lock(method)
        is_current = row.code_sent_at is not None and database_clock() < row.code_sent_at + CODE_LIFETIME
        row.code_attempts = min(row.code_attempts, MAX_CODE_ATTEMPTS) + 1
        is_right = is_current and row.code_attempts <= MAX_CODE_ATTEMPTS
        is_right = is_right and constant_time_compare("".join(code.split()), contact_code(row))
        is_new = is_right and row.verified_at is None
        if is_right:
            row.verified_at, row.code_nonce, row.code_sent_at = database_clock(), "", None
        if is_new:
            _notify_added(row)
        row.save(update_fields=["verified_at", "code_nonce", "code_sent_at", "code_attempts"])
    if not is_right:
        problem = "This code is wrong." if is_current else "This code has expired. Send a new one."
        if row.code_attempts > MAX_CODE_ATTEMPTS:
            problem = "Too many wrong codes. Send a new one."
        raise InvalidInputError({"code": [problem]})
    return row


def _notify_added(row: ContactMethod) -> None:
    at = database_clock()
    notice = NewContactMethod(what=f"{row.get_channel_display()} to {row.shown_as}", added_at=at)
    enqueue([row.person], notice, due_at=at, expires_at=at + REPORT_LIFETIME)


def _lock(method: ContactMethod) -> ContactMethod:
    rows = ContactMethod.objects.select_for_update(of=("self",)).select_related("person")
    row = rows.filter(pk=method.pk).first()
    if row is None:
        raise DomainError("This contact method does not exist.")
    return row


@transaction.atomic
def remove_contact_method(method: ContactMethod, *, by: User) -> RemovedMethod:
    """Delete a contact method, and the rules of its channel if it was the last one; return what was deleted.

    Raises NotAllowedError unless it is the user's own or `by` is an admin, and DomainError if it was already removed.
    """
    if by.pk != method.person_id and not by.is_staff:
        raise NotAllowedError("Only an admin can remove someone else’s contact method.")
    row = _lock(method)
    person, channel = row.person, row.channel
    # As it is stored: also one whose key is lost can be removed.
    encrypted_address = str(vars(row)["address"])
    row.delete()
    rules = person.notification_rules.filter(channel=channel)
    if person.contact_methods.filter(channel=channel).exists():
        rules = rules.none()
    deleted = tuple(RemovedRule(rule.urgency, rule.delay_minutes) for rule in rules)
    rules.delete()
    verified_at = None if row.switched_off_at else row.verified_at
    return RemovedMethod(channel, encrypted_address, row.shown_as, verified_at, deleted)


@transaction.atomic
def restore_contact_method(person: User, *, removed: RemovedMethod) -> ContactMethod:
    """Restore a removed contact method with its rules.

    Raises DomainError if it has since been added again, or if its address was encrypted with a lost key.
    """
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if person.contact_methods.count() >= MAX_CONTACT_METHODS:
        raise DomainError(f"You have {MAX_CONTACT_METHODS} contact methods. Remove one first.")
    try:
        address = decrypt(removed.encrypted_address)
    except DecryptionError as error:
        raise DomainError("This contact method can no longer be restored. Add it again.") from error
    try:
        with transaction.atomic():
            row = ContactMethod.objects.create(
                person=person,
                channel=removed.channel,
                address=address,
                address_digest=address_digest(removed.channel, address),
                shown_as=removed.shown_as,
                verified_at=removed.verified_at,
            )
    except IntegrityError as error:
        raise DomainError("This contact method has since been added again.") from error
    existing = set(person.notification_rules.values_list("urgency", "delay_minutes", "channel"))
    NotificationRule.objects.bulk_create(
        NotificationRule(person=person, urgency=rule.urgency, channel=row.channel, delay_minutes=rule.delay_minutes)
        for rule in removed.rules
        if (rule.urgency, rule.delay_minutes, row.channel) not in existing
    )
    return row


@transaction.atomic
def report_methods_off() -> int:
    """Enqueue an e-mail for each contact method that was turned off; return how many were reported."""
    rows = unreported_methods().order_by("pk")
    methods = list(rows.select_for_update(skip_locked=True, of=("self",)).select_related("person")[:REPORT_BATCH_SIZE])
    for row in methods:
        at = database_clock()
        report = DisabledContactMethod(
            method=row.pk,
            channel=row.get_channel_display(),
            shown_as=row.shown_as,
            switched_off_at=row.switched_off_at or at,
            problem=row.problem,
        )
        enqueue([row.person], report, due_at=at, expires_at=at + REPORT_LIFETIME)
        row.reported_at = at
        row.save(update_fields=["reported_at"])
    return len(methods)
