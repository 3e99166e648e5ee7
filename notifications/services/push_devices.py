"""Devices with push: add, rename, remove, test and confirm them, and report those that were turned off."""

import datetime as dt

from django.core import signing
from django.db import transaction
from django.db.models.functions import Now

from common.crypto import DecryptionError
from common.exceptions import DomainError, InvalidInputError
from common.text import clean_text
from notifications.channels.exceptions import AddressError
from notifications.channels.push.encryption import KeyFormatError, check_keys
from notifications.channels.push.endpoints import check_endpoint, endpoint_digest
from notifications.channels.push.site_key import find_site_key
from notifications.channels.push.vapid import SiteKey, new_site_key
from notifications.domain.device_names import DEFAULT_NAME
from notifications.models import Message, PushDevice, VapidKey
from notifications.notifications import TEST_CODE_SALT, DisabledPushDevice, NewContactMethod, PushDeviceTest
from notifications.queries.outbox import database_clock
from notifications.queries.sweep import devices_before_reactivation, unreported_devices
from notifications.services.outbox import enqueue, subject_line
from people.models import User

MAX_DEVICES = 10
MAX_NAME_LENGTH = 60
TEST_LIFETIME = dt.timedelta(minutes=15)
TEST_PAUSE = dt.timedelta(minutes=1)
# How long a test message may lie on the device before it is confirmed.
CODE_LIFETIME = dt.timedelta(days=1)
REPORT_LIFETIME = dt.timedelta(days=7)
REPORT_BATCH_SIZE = 100
DEACTIVATION_TEXT = "Your account was deactivated, which turned off push on every device."


def ensure_site_key() -> SiteKey:
    """Return the key by which push services know the site; generate and store it at first use.

    Raises DomainError if the stored key cannot be decrypted: a new one would silence every device.
    """
    try:
        key = find_site_key()
    except DecryptionError as error:
        raise DomainError(f"The site’s key for push cannot be used. {error}") from error
    if key is not None:
        return key
    new = new_site_key()
    # If two calls race, the first row counts.
    VapidKey.objects.bulk_create([VapidKey(pk=1, private_key=new.private_text)], ignore_conflicts=True)
    stored = find_site_key()
    return stored or new


@transaction.atomic
def add_device(person: User, *, endpoint: str, p256dh: str, auth: str, name: str = "") -> PushDevice:
    """Add a browser's subscription, or replace the keys of the one with this endpoint; return the device.

    A browser has one subscription. If someone else turned on push there before, the subscription moves to this user. Raises InvalidInputError
    by field, DomainError beyond `MAX_DEVICES`.
    """
    service = _check_subscription(endpoint, p256dh=p256dh, auth=auth)
    cleaned = clean_text(name, field="name", max_length=MAX_NAME_LENGTH, is_line=True) or DEFAULT_NAME
    # Only one at a time for each person, so that the limit holds.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    digest = endpoint_digest(endpoint)
    if person.push_devices.exclude(endpoint_digest=digest).count() >= MAX_DEVICES:
        raise DomainError(f"You have {MAX_DEVICES} devices. Remove one first.")
    fields = {
        "person": person,
        "endpoint": endpoint,
        "service": service,
        "p256dh": p256dh,
        "auth": auth,
        "problem": "",
        "retry_at": None,
        "switched_off_at": None,
        "reported_at": None,
    }
    is_new = not PushDevice.objects.filter(endpoint_digest=digest, person=person).exists()
    # Someone else may add the same browser at this moment and create the row first.
    PushDevice.objects.bulk_create([PushDevice(endpoint_digest=digest, name=cleaned, **fields)], ignore_conflicts=True)
    row = PushDevice.objects.select_for_update().get(endpoint_digest=digest)
    if not PushDevice.objects.live().filter(pk=row.pk).exists():
        fields["created_at"] = database_clock()
    if row.person_id != person.pk:
        fields |= {"name": cleaned, "confirmed_at": None, "last_delivered_at": None}
    for field, value in fields.items():
        setattr(row, field, value)
    row.save()
    if is_new:
        at = database_clock()
        notice = NewContactMethod(what=f"Push on {row.name}", added_at=at)
        enqueue([person], notice, due_at=at, expires_at=at + REPORT_LIFETIME)
    return row


def _check_subscription(endpoint: str, *, p256dh: str, auth: str) -> str:
    """Return the host of the push service; raise InvalidInputError by field."""
    problems = {}
    service = ""
    try:
        service = check_endpoint(endpoint)
    except AddressError as error:
        problems["endpoint"] = [str(error)]
    try:
        check_keys(p256dh=p256dh, auth=auth)
    except KeyFormatError as error:
        problems["keys"] = [str(error)]
    if problems:
        raise InvalidInputError(problems)
    return service


@transaction.atomic
def rename_device(device: PushDevice, *, name: str) -> PushDevice:
    """Rename a device; raise InvalidInputError for an empty or long name."""
    device.name = clean_text(name, field="name", max_length=MAX_NAME_LENGTH, required="Enter a name.", is_line=True)
    device.save(update_fields=["name"])
    return device


@transaction.atomic
def remove_device(device: PushDevice) -> None:
    """Remove a device. Rules with push stay, and apply again once a device is added."""
    device.delete()


@transaction.atomic
def remove_signed_out_device(*, endpoint: str) -> None:
    """Remove the device of a browser in which a user signs out, even if another user turned on push there.

    Only the browser and its push service know the endpoint.
    """
    PushDevice.objects.filter(endpoint_digest=endpoint_digest(endpoint)).delete()


@transaction.atomic
def send_device_test(device: PushDevice) -> Message:
    """Enqueue a test message to one device; return it.

    Raises DomainError if it is turned off, or within a minute of the last one.
    """
    row = PushDevice.objects.select_for_update().select_related("person").get(pk=device.pk)
    if row.switched_off_at is not None:
        raise DomainError("Push is turned off on this device. Turn it on again there.")
    recent = Message.objects.filter(type=PushDeviceTest.name, recipient=row.person, context__device=row.pk)
    if recent.filter(created_at__gt=Now() - TEST_PAUSE).exists():
        raise DomainError("Wait a minute before you send another test message.")
    at = database_clock()
    test = PushDeviceTest(device=row.pk, device_name=row.name, requested_at=at)
    return Message.objects.create(
        type=test.name,
        dedup_key=test.dedup_key,
        context=test.context,
        recipient=row.person,
        channel=Message.Channel.PUSH,
        subject=subject_line(test, row.person),
        text=test.body(row.person),
        urgent=True,
        due_at=at,
        expires_at=at + TEST_LIFETIME,
    )


@transaction.atomic
def confirm_device(device: PushDevice, *, code: str) -> PushDevice:
    """Save that a test message arrived; raise InvalidInputError unless the code is of a test of this device of the last day."""
    try:
        key = signing.loads(code, salt=TEST_CODE_SALT, max_age=CODE_LIFETIME)
    except signing.BadSignature:
        key = None
    if key != device.pk:
        raise InvalidInputError(
            {"code": ["This test message has expired or belongs to another device. Send a new test."]}
        )
    PushDevice.objects.filter(pk=device.pk).update(confirmed_at=Now())
    device.refresh_from_db(fields=["confirmed_at"])
    return device


@transaction.atomic
def report_switched_off() -> int:
    """Enqueue an e-mail for each device that was turned off; return how many devices were reported.

    Devices of users who were deactivated and reactivated are turned off here; nothing was sent to them since.
    """
    devices_before_reactivation().update(switched_off_at=Now(), problem=DEACTIVATION_TEXT, retry_at=None)
    rows = unreported_devices().order_by("pk")
    devices = list(rows.select_for_update(skip_locked=True, of=("self",)).select_related("person")[:REPORT_BATCH_SIZE])
    at = database_clock() if devices else None
    for row in devices:
        assert row.switched_off_at is not None and at is not None  # noqa: PT018, S101  # nosec B101  # for mypy
        report = DisabledPushDevice(
            device=row.pk,
            device_name=row.name,
            switched_off_at=row.switched_off_at,
            problem=row.problem,
            others=PushDevice.objects.live().filter(person=row.person).count(),
        )
        enqueue([row.person], report, due_at=at, expires_at=at + REPORT_LIFETIME)
        row.reported_at = at
        row.save(update_fields=["reported_at"])
    return len(devices)
