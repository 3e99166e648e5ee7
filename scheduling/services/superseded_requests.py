"""Close cover requests whose time has changed hands."""

import datetime as dt

from scheduling.models import Rotation
from scheduling.notifications import notify_cover_request_closed
from scheduling.queries.cover_requests import invalidated_cover_requests
from scheduling.services.open_requests import void_request


def void_cover_requests(rotation: Rotation, *, at: dt.datetime) -> int:
    """Void the open cover requests of a rotation that are no longer possible, with the reason; return how many.

    The caller has locked the rotation.
    """
    invalid = invalidated_cover_requests(rotation, at=at)
    for request, reason in invalid:
        if void_request(request, reason=reason, at=at):
            notify_cover_request_closed(request, at=at)
    return len(invalid)
