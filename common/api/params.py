"""Query parameters shared by API views."""

import datetime as dt

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from common.datetimes import check_order
from common.exceptions import InvalidInputError

AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="Instant to look up; defaults to now.")
FROM = OpenApiParameter("from", OpenApiTypes.STR, description="Start of the window: a date or an instant.")
TO = OpenApiParameter("to", OpenApiTypes.STR, description="End of the window: a date or an instant.")
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="ETag of an earlier response."
)
# The answer's `at` is not part of its entity tag.
UNCHANGED = {304: OpenApiResponse(description="Nothing except `at` has changed since the response with this ETag.")}
MAX_WINDOW = dt.timedelta(days=5 * 366)


def check_window(first: dt.date, last: dt.date) -> None:
    """Raise InvalidInputError if the window ends before it starts or is longer than five years."""
    check_order(first, last)
    if last - first > MAX_WINDOW:
        raise InvalidInputError({"to": ["The window is longer than five years."]})
