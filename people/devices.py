"""Known devices: a browser on which a user has signed in has its own limit of sign-in attempts (OWASP's device cookies)."""

import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "known_device"
MAX_AGE_SECONDS = 365 * 24 * 3600
MAX_USERS_PER_DEVICE = 5
SALT = "people.devices"


def known_device(request: HttpRequest, username: str) -> str:
    """Return the ID of the device if this user has signed in on it, else an empty string."""
    device, users = _read(request)
    return device if _user_digest(username) in users else ""


def remember_device(request: HttpRequest, response: HttpResponse, *, username: str) -> None:
    """Set the cookie by which the device is known for this user from now on."""
    device, users = _read(request)
    digest = _user_digest(username)
    users = [digest, *(user for user in users if user != digest)][:MAX_USERS_PER_DEVICE]
    value = signing.dumps([device or secrets.token_hex(16), users], salt=SALT)
    response.set_cookie(
        COOKIE, value, max_age=MAX_AGE_SECONDS, secure=request.is_secure(), httponly=True, samesite="Lax"
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        device, users = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=MAX_AGE_SECONDS)
    except signing.BadSignature:
        return "", []
    return str(device), [str(user) for user in users]


def _user_digest(username: str) -> str:
    return salted_hmac("people.devices.user", username.strip().casefold(), algorithm="sha256").hexdigest()[:32]
