"""Known devices: a browser on which a user has signed in has its own limit of sign-in attempts (OWASP's device cookies).

Its sign-in page is filled in with the name of the last user who signed in, until they sign out.
"""

import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "known_device"
LAST_USER_COOKIE = "last_user"
MAX_AGE_SECONDS = 365 * 24 * 3600
MAX_USERS_PER_DEVICE = 5
SALT = "people.devices"
LAST_USER_SALT = "people.devices.last_user"


def known_device(request: HttpRequest, username: str) -> str:
    """Return the ID of the device if this user has signed in on it, else an empty string."""
    device, users = _read(request)
    return device if _user_digest(username) in users else ""


def remember_device(request: HttpRequest, response: HttpResponse, *, username: str) -> None:
    """Set the cookie by which the device is known for this user from now on."""
    device, users = _read(request)
    digest = _user_digest(username)
    users = [digest, *(user for user in users if user != digest)][:MAX_USERS_PER_DEVICE]
    values = {
        COOKIE: signing.dumps([device or secrets.token_hex(16), users], salt=SALT),
        LAST_USER_COOKIE: signing.dumps(username, salt=LAST_USER_SALT),
    }
    for cookie, value in values.items():
        response.set_cookie(
            cookie, value, max_age=MAX_AGE_SECONDS, secure=request.is_secure(), httponly=True, samesite="Lax"
        )


def last_user(request: HttpRequest) -> str:
    """Return the name of the user who signed in last on this device, or "" if they signed out."""
    try:
        return str(
            signing.loads(request.COOKIES.get(LAST_USER_COOKIE, ""), salt=LAST_USER_SALT, max_age=MAX_AGE_SECONDS)
        )
    except signing.BadSignature:
        return ""


def forget_last_user(response: HttpResponse) -> None:
    """Delete the name of the last user from the device: after a sign-out, others may use it."""
    response.delete_cookie(LAST_USER_COOKIE, samesite="Lax")


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        device, users = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=MAX_AGE_SECONDS)
    except signing.BadSignature:
        return "", []
    return str(device), [str(user) for user in users]


def _user_digest(username: str) -> str:
    return salted_hmac("people.devices.user", username.strip().casefold(), algorithm="sha256").hexdigest()[:32]
