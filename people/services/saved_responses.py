"""Responses to POST requests with an idempotency key or a form key, saved for a day (docs/api.md, Retry safely)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from common.crypto import DecryptionError
from common.db import advisory_lock
from common.exceptions import DomainError
from people.models import ApiToken, SavedResponse, User

RESPONSE_LIFETIME = dt.timedelta(days=1)
REPLAYED_HEADER = "Idempotency-Replayed"


class KeyReusedError(DomainError):
    """The key was used for another request."""

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for another request. Use a new key for each request.")


class UnreadableResponseError(DomainError):
    """The saved response was encrypted with a key of the site that is no longer known."""

    def __init__(self) -> None:
        super().__init__("This request was already processed, but its response can no longer be read.")


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A POST request with a key: whose it is, and a digest of what it asks for."""

    user: User
    token: ApiToken | None
    key: str
    fingerprint: str


def respond_once(
    request: KeyedRequest,
    *,
    respond: Callable[[], HttpResponseBase],
    is_worth_saving: Callable[[HttpResponseBase], bool],
    may_reuse_key: bool,
    at: dt.datetime,
) -> HttpResponseBase:
    """Return the saved response to a request, or call `respond` and save its response in the same transaction.

    The same request at the same time waits for the first one. Another request with the same key raises KeyReusedError, unless
    `may_reuse_key`. A response with a server error rolls everything back. Raise UnreadableResponseError if the saved response
    cannot be decrypted.
    """
    token_id = request.token.pk if request.token else None
    with transaction.atomic():
        advisory_lock(f"saved response {request.user.pk} {token_id} {request.key}")
        rows = SavedResponse.objects.filter(user=request.user, token=token_id, key=request.key)
        rows.filter(created_at__lte=at - RESPONSE_LIFETIME).delete()
        saved = rows.filter(fingerprint=request.fingerprint).first()
        if saved is not None:
            return _replay(saved)
        if not may_reuse_key and rows.exists():
            raise KeyReusedError
        response = respond()
        if response.status_code >= 500:
            transaction.set_rollback(True)
        elif is_worth_saving(response) and isinstance(response, HttpResponse):
            _save(request, response, at=at)
    return response


def _save(request: KeyedRequest, response: HttpResponse, *, at: dt.datetime) -> None:
    SavedResponse.objects.create(
        user=request.user,
        token=request.token,
        key=request.key,
        fingerprint=request.fingerprint,
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        location=response.headers.get("Location", ""),
        body=response.content.decode(),
        created_at=at,
    )


def _replay(saved: SavedResponse) -> HttpResponse:
    try:
        body, location = saved.body, saved.location
    except DecryptionError as error:
        raise UnreadableResponseError from error
    response = HttpResponse(body, status=saved.status, content_type=saved.content_type or None)
    if location:
        response.headers["Location"] = location
    response.headers[REPLAYED_HEADER] = "true"
    return response


def purge_responses(*, at: dt.datetime) -> int:
    """Delete responses older than a day; return their number."""
    return SavedResponse.objects.filter(created_at__lte=at - RESPONSE_LIFETIME).delete()[0]
