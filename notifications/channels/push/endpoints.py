"""Endpoints of push services: which ones the site sends to."""

import hashlib

from django.conf import settings

from common.safe_http import UnreachableError, check_url
from notifications.channels.exceptions import AddressError


def check_endpoint(endpoint: str) -> str:
    """Return the host of an endpoint; raise AddressError unless it is an https URL of a known push service."""
    try:
        parts = check_url(endpoint)
    except UnreachableError as error:
        raise AddressError(str(error)) from error
    if parts.scheme != "https":
        raise AddressError("The endpoint must start with https://.")
    host = str(parts.hostname)
    if not any(host == known or (known.startswith(".") and host.endswith(known)) for known in settings.PUSH_HOSTS):
        raise AddressError(f"{host} is not one of the push services that this site sends to.")
    return host


def endpoint_digest(endpoint: str) -> str:
    """Return the digest by which an endpoint is found; the endpoint itself is a secret."""
    return hashlib.sha256(endpoint.encode()).hexdigest()
