"""Signatures of requests from Slack (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

import datetime as dt
import hashlib
import hmac

SIGNATURE_VERSION = "v0"
MAX_REQUEST_AGE = dt.timedelta(minutes=5)
MAX_TIMESTAMP_DIGITS = 12


def signature(secret: str, *, timestamp: str, body: bytes) -> str:
    """Return the signature of a request: HMAC-SHA256 over version, timestamp and body."""
    text = f"{SIGNATURE_VERSION}:{timestamp}:".encode("utf-8", "replace") + body
    return f"{SIGNATURE_VERSION}={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


def is_signed(secret: str, *, timestamp: str, body: bytes, header: str) -> bool:
    """Return True if a request's X-Slack-Signature is right."""
    expected = signature(secret, timestamp=timestamp, body=body)
    return hmac.compare_digest(expected.encode(), header.encode("utf-8", "replace"))


def is_recent(timestamp: str, *, at: dt.datetime) -> bool:
    """Return True if a request's X-Slack-Request-Timestamp, in seconds, is within five minutes of `at`."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= MAX_TIMESTAMP_DIGITS):
        return False
    return abs(at.timestamp() - int(timestamp)) <= MAX_REQUEST_AGE.total_seconds()
