"""Post requests to channels, and what the response means."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from common.safe_http import (
    DEFAULT_PORTS,
    WEB_PORTS,
    Address,
    PostResult,
    Rules,
    UnreachableError,
    is_public,
    post_bytes,
)
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import GoneError, RetryLaterError, UndeliverableError
from notifications.models import PrivateHost

GONE_STATUSES = frozenset({404, 410})
# Request Timeout, Too Early and Too Many Requests: the request may succeed later.
RETRYABLE_STATUSES = frozenset({408, 425, 429})
# Private networks (RFC 1918 and RFC 4193), and the metadata addresses in them (AWS, Google Cloud).
PRIVATE_NETWORKS = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "fd20:ce::254")))
# Enough to see why a service refused a message.
ANSWER_BYTES = 500


@dataclass(frozen=True, slots=True)
class Request:
    """A POST of JSON."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    rules: Rules


def post_request(request: Request, *, deadline: Deadline) -> PostResult:
    """Post a request and return the response, whatever its status; raise ConnectionError if there is none."""
    deadline.check()
    headers = {"Content-Type": "application/json", **request.headers}
    try:
        return post_bytes(
            request.url, body=request.body, headers=headers, rules=request.rules, answer_bytes=ANSWER_BYTES
        )
    except UnreachableError as error:
        raise ConnectionError(str(error)) from error


def check_answer(answer: PostResult, *, url: str, is_gone: bool = False) -> None:
    """Raise the error that a response stands for, unless it is a success.

    `gone` is True if its body says that the address no longer exists.

    Raises GoneError for 404 and 410, RetryLaterError with Retry-After, ConnectionError if a retry may succeed, else
    UndeliverableError.
    """
    if 200 <= answer.status < 300:
        return
    text = f"{urlsplit(url).hostname} returned status {answer.status}."
    if answer.status in GONE_STATUSES or is_gone:
        raise GoneError(text)
    if answer.status >= 500 or answer.status in RETRYABLE_STATUSES:
        if seconds := retry_after(answer, at=dt.datetime.now(dt.UTC)):
            raise RetryLaterError(text, seconds=seconds)
        raise ConnectionError(text)
    raise UndeliverableError(text)


def retry_after(answer: PostResult, *, at: dt.datetime) -> float:
    """Return the seconds of the Retry-After header, 0 without one (RFC 9110, section 10.2.3)."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        # Discord also sends fractions.
        return float(value[:12])
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return 0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or dt.UTC) - at).total_seconds())


def http_rules(url: str) -> Rules:
    """Return the limits of a request to a URL: public addresses, or private ones if an admin allows its host.

    Tests permit a server on this machine.
    """
    if not is_private_host_allowed(url):
        return Rules(seconds=settings.MESSAGE_SEND_SECONDS)
    return Rules(seconds=settings.MESSAGE_SEND_SECONDS, ports=None, permitted=_is_public_or_private)


def is_private_host_allowed(url: str) -> bool:
    """Return True if an admin allows the host and port of a URL."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    rows = PrivateHost.objects.filter(host=(parts.hostname or "").lower())
    return any(row.port == port or (row.port is None and port in WEB_PORTS) for row in rows)


def _is_public_or_private(address: Address) -> bool:
    """Return True for public addresses and those of private networks, never for this machine or a cloud's metadata service."""
    if address in METADATA:
        return False
    return is_public(address) or any(address in network for network in PRIVATE_NETWORKS)
