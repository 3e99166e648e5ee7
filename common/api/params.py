"""Query parameters shared by API views."""

import datetime as dt

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from common.api.filters import BOOLEANS, NOT_A_FLAG
from common.datetimes import check_order, parse_date_param, parse_instant_param
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


def instant_or_date(request: Request, *, name: str, default: dt.datetime) -> dt.datetime:
    """Return the instant in a query parameter; a date means its first instant in UTC."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if "T" in text:
        return parse_instant_param(request.query_params, name=name)
    day = parse_date_param(request.query_params, name=name, default=default.date())
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def flag_param(request: Request, *, name: str) -> bool | None:
    """Return the yes or no in a query parameter, or None if it is absent; raise InvalidInputError for the parameter."""
    text = request.query_params.get(name, "")
    if text and text not in BOOLEANS:
        raise InvalidInputError({name: [NOT_A_FLAG]})
    return BOOLEANS[text] if text else None


def check_window(first: dt.date, last: dt.date) -> None:
    """Raise InvalidInputError if the window ends before it starts or is longer than five years."""
    check_order(first, last)
    if last - first > MAX_WINDOW:
        raise InvalidInputError({"to": ["The window is longer than five years."]})
