"""Twilio's REST API, and the signatures of its requests (https://www.twilio.com/docs/usage/security)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import urlencode

from django.conf import settings

from common.safe_http import PostResult, Rules, UnreachableError, post_bytes
from notifications.channels.exceptions import GoneError, RetryLaterError, UndeliverableError
from notifications.queries.phone_account import Account

API_VERSION = "2010-04-01"
MAX_ANSWER_BYTES = 64 * 1024
# Errors after which a number never gets a message (https://www.twilio.com/docs/api/errors): invalid, unroutable, not a mobile
# phone, unsubscribed by STOP, unknown, and a landline.
GONE_CODES = frozenset({21211, 21214, 21217, 21610, 21614, 30005, 30006})
OPTED_OUT_CODE = 21610
STOP_TEXT = "Turned off by the reply STOP. Reply START to turn it on again."
RETRYABLE_STATUSES = frozenset({401, 403, 408, 425})
TOO_MANY_STATUS = 429
DEFAULT_PAUSE_SECONDS = 10.0


def create(account: Account, resource: str, fields: Mapping[str, str]) -> str:
    """Create a message or a call ("Messages", "Calls"); return its SID.

    Raises GoneError if the number never gets one, UndeliverableError if Twilio refuses this one, RetryLaterError and
    ConnectionError if it may succeed later.
    """
    address = f"{settings.TWILIO_API_URL}/{API_VERSION}/Accounts/{account.sid}/{resource}.json"
    secret = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"From": account.number, **fields}).encode()
    try:
        answer = post_bytes(address, body=body, headers=headers, rules=phone_rules(), answer_bytes=MAX_ANSWER_BYTES)
    except UnreachableError as error:
        raise ConnectionError(str(error)) from error
    document = _document(answer)
    if 200 <= answer.status < 300:
        return str(document.get("sid", ""))[:64]
    text = f"Twilio returned status {answer.status}: {document.get('message') or 'no reason given'}"
    if answer.status == TOO_MANY_STATUS:
        raise RetryLaterError(text, seconds=_pause(answer))
    if answer.status >= 500 or answer.status in RETRYABLE_STATUSES:
        raise ConnectionError(text)
    if document.get("code") in GONE_CODES:
        raise GoneError(text, reason=STOP_TEXT if document.get("code") == OPTED_OUT_CODE else "")
    raise UndeliverableError(text)


def _document(answer: PostResult) -> Mapping[str, object]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _pause(answer: PostResult) -> float:
    value = answer.headers.get("retry-after", "")
    return float(value[:6]) if value.isascii() and value.isdigit() else DEFAULT_PAUSE_SECONDS


def signature(token: str, *, url: str, fields: Mapping[str, str]) -> str:
    """Return the signature of a request: HMAC-SHA1 over its URL and its fields in order, each name followed by its value."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def is_signed(token: str, *, url: str, fields: Mapping[str, str], header: str) -> bool:
    """Return True if a request's X-Twilio-Signature is right."""
    expected = signature(token, url=url, fields=fields)
    return hmac.compare_digest(expected.encode(), header.encode("utf-8", "replace"))


def phone_rules() -> Rules:
    """Return the limits of a request; tests permit a server on this machine."""
    return Rules(seconds=settings.MESSAGE_SEND_SECONDS)
