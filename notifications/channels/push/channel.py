"""Push channel: one message to all devices of a person (RFC 8030). It is sent if one push service accepts it."""

import base64
import datetime as dt
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from common.crypto import DecryptionError
from common.safe_http import PostResult, Rules, UnreachableError, post_bytes
from notifications.channels.exceptions import RetryLaterError, UndeliverableError, describe_error, problem_text
from notifications.channels.http import GONE_STATUSES, RETRYABLE_STATUSES, retry_after
from notifications.channels.push.encryption import MAX_PLAINTEXT_BYTES, KeyFormatError, encrypt_for_browser
from notifications.channels.push.site_key import find_site_key
from notifications.channels.push.vapid import SiteKey, VapidKeyError
from notifications.models import Message, PushDevice
from notifications.queries.outbox import absolute_url
from notifications.registry import load

# A push service drops a message that it could not deliver for four weeks at most (RFC 8030, section 5.2).
MAX_TTL_SECONDS = 28 * 24 * 3600
# At most 32 characters of base64url (RFC 8030, section 5.4).
MAX_TOPIC_LENGTH = 32
TOO_LARGE_STATUS = 413
# A push service that asks for a longer pause is tried again after this one.
MAX_PAUSE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Target:
    """A device with its secrets in plain text."""

    pk: int
    name: str
    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of a message on a device. `wait_seconds` is the pause that its push service asked for."""

    target: Target
    problem: str = ""
    is_gone: bool = False
    may_retry: bool = False
    wait_seconds: float = 0


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A message as it goes to every device: two payloads, the shorter one for a push service that refuses the first."""

    payloads: tuple[bytes, bytes]
    headers: dict[str, str]
    key: SiteKey
    at: dt.datetime


def send_push(message: Message, *, at: dt.datetime) -> None:
    """Send a message to the recipient's live devices and save the outcome on each.

    Raises UndeliverableError if no device can ever get it, RetryLaterError if one may later.
    """
    targets, waits, problem = _targets(message, at=at)
    if not targets and waits:
        raise RetryLaterError("The push service asked for a pause.", seconds=min(waits))
    if not targets:
        raise UndeliverableError(problem or f"{message.recipient} no longer has a device with push.")
    request = build_request(message, at=at)
    deliveries = fan_out(targets, lambda target: deliver(request, target), seconds=settings.MESSAGE_SEND_SECONDS)
    _save(deliveries)
    if any(not delivery.problem for delivery in deliveries):
        return
    text = " ".join(dict.fromkeys(delivery.problem for delivery in deliveries))
    waits += [delivery.wait_seconds for delivery in deliveries if delivery.may_retry]
    if waits:
        raise RetryLaterError(text, seconds=min(waits))
    raise UndeliverableError(text)


def _targets(message: Message, *, at: dt.datetime) -> tuple[list[Target], list[float], str]:
    """Return the devices to send to, for those whose push service asked for a pause the seconds left, and why others cannot be used."""
    notification = load(message.type, message.context)
    devices = PushDevice.objects.live().filter(person=message.recipient_id)
    if notification is not None and (only := notification.device_id()) is not None:
        devices = devices.filter(pk=only)
    targets: list[Target] = []
    waits: list[float] = []
    problem = ""
    for row in devices.order_by("pk"):
        if row.retry_at is not None and row.retry_at > at:
            waits.append((row.retry_at - at).total_seconds())
            continue
        try:
            targets.append(Target(row.pk, row.name, row.endpoint, row.p256dh, row.auth))
        except DecryptionError as error:
            problem = f"It cannot be used. {error}"
            PushDevice.objects.filter(pk=row.pk).update(problem=problem)
    return targets, waits, problem


def build_request(message: Message, *, at: dt.datetime) -> PushRequest:
    """Return the request for a message; raise UndeliverableError if the site has no usable key."""
    try:
        key = find_site_key()
    except (VapidKeyError, DecryptionError) as error:
        raise UndeliverableError(f"The site’s key for push cannot be used. {error}") from error
    if key is None:
        raise UndeliverableError("The site has no key for push. Turn push on again on your device.")
    topic = _topic(message)
    seconds = int((message.expires_at - at).total_seconds())
    headers = {
        "TTL": str(max(0, min(seconds, MAX_TTL_SECONDS))),
        "Urgency": "high" if message.urgent else "normal",
        "Topic": topic,
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
    }
    return PushRequest((payload(message, topic=topic), payload(message, topic=topic, text="")), headers, key, at)


def _topic(message: Message) -> str:
    notification = load(message.type, message.context)
    text = f"message:{message.pk}" if notification is None else notification.topic()
    # A recipient's topics differ from another's, in case two people share a push service's subscription.
    digest = hashlib.sha256(f"{message.recipient_id}:{text}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:MAX_TOPIC_LENGTH]


def payload(message: Message, *, topic: str, text: str | None = None) -> bytes:
    """Return the JSON that the service worker reads; the text is cut to fit into one record."""
    notification = load(message.type, message.context)
    fields = {
        "id": message.pk,
        "title": message.subject,
        "text": message.text if text is None else text,
        "link": absolute_url(notification.delivery_link()) if notification is not None else "",
        "tag": topic,
        "urgent": message.urgent,
    }
    data, short = _json(fields), str(fields["text"])
    while len(data) > MAX_PLAINTEXT_BYTES and short:
        # A character has six bytes at most in JSON, so that this ends after a few rounds and cuts little too much.
        short = short[: -((len(data) - MAX_PLAINTEXT_BYTES) // 6 + 2)].rstrip()
        data = _json({**fields, "text": f"{short}…" if short else ""})
    return data


def _json(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def fan_out(targets: Iterable[Target], send: Callable[[Target], Delivery], *, seconds: float) -> list[Delivery]:
    """Send to all devices at once and return the outcome on each within the time limit."""
    devices = list(targets)
    results: dict[int, Delivery] = {}

    def run(target: Target) -> None:
        try:
            results[target.pk] = send(target)
        except Exception as error:  # noqa: BLE001  # one device must not keep the message from the others
            results[target.pk] = Delivery(target, problem=describe_error(error), may_retry=True)

    threads = [threading.Thread(target=run, args=(target,), daemon=True, name="push") for target in devices]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    # The results of this moment: a thread that ends later changes nothing.
    in_time = dict(results)
    late = f"No answer within {seconds:g} s."
    return [in_time.get(target.pk) or Delivery(target, problem=late, may_retry=True) for target in devices]


def deliver(request: PushRequest, target: Target) -> Delivery:
    """Post a message to one device's push service, a shorter one if it says that it is too large."""
    host = urlsplit(target.endpoint).hostname
    for number, plaintext in enumerate(request.payloads):
        try:
            answer = _post(request, target, plaintext)
        except UnreachableError as error:
            return Delivery(target, problem=f"{host}: {error}", may_retry=True)
        except KeyFormatError as error:
            return Delivery(target, problem=f"The device’s keys cannot be used. {error}", is_gone=True)
        if answer.status != TOO_LARGE_STATUS or number == len(request.payloads) - 1:
            break
    return _delivery(target, answer, host=str(host), at=request.at)


def _post(request: PushRequest, target: Target, plaintext: bytes) -> PostResult:
    body = encrypt_for_browser(plaintext, p256dh=target.p256dh, auth=target.auth)
    authorization = request.key.authorization(target.endpoint, contact=settings.VAPID_CONTACT, at=request.at)
    headers = {**request.headers, "Authorization": authorization}
    return post_bytes(target.endpoint, body=body, headers=headers, rules=push_rules())


def _delivery(target: Target, answer: PostResult, *, host: str, at: dt.datetime) -> Delivery:
    """Return what an answer means (RFC 8030, sections 5 and 7.3)."""
    status = answer.status
    if 200 <= status < 300:
        return Delivery(target)
    text = f"{host} returned status {status}."
    if status in GONE_STATUSES:
        return Delivery(target, problem=f"{text} Push was removed on this device.", is_gone=True)
    if status in RETRYABLE_STATUSES or status >= 500:
        return Delivery(target, problem=text, may_retry=True, wait_seconds=retry_after(answer, at=at))
    if status in (401, 403):
        text = f"{text} It does not accept the site’s key: turn push off and on again on this device."
    return Delivery(target, problem=text)


@transaction.atomic
def _save(deliveries: Iterable[Delivery]) -> None:
    """Save the health of each device that still exists."""
    for delivery in sorted(deliveries, key=lambda one: one.target.pk):
        row = PushDevice.objects.filter(pk=delivery.target.pk)
        problem = problem_text(delivery.problem)
        if not problem:
            row.update(last_delivered_at=Now(), problem="", retry_at=None)
        elif delivery.is_gone:
            row.live().update(switched_off_at=Now(), problem=problem, retry_at=None)
        else:
            pause = dt.timedelta(seconds=min(delivery.wait_seconds, MAX_PAUSE_SECONDS))
            row.update(problem=problem, retry_at=Now() + pause if pause else None)


def push_rules() -> Rules:
    """Return the limits of a request; tests permit a server on this machine."""
    return Rules(seconds=settings.MESSAGE_SEND_SECONDS)
