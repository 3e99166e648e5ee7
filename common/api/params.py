"""How callers of the API name instants, windows and people, and how lists that are not a table's are paged."""

import datetime as dt
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import DefaultPagination
from common.datetimes import parse_date_param, parse_instant_param
from common.exceptions import InvalidInputError

AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="The instant asked about; now where it is not given.")
FROM = OpenApiParameter("from", OpenApiTypes.STR, description="From when.")
TO = OpenApiParameter("to", OpenApiTypes.STR, description="Until when.")
LONGEST_WINDOW = dt.timedelta(days=5 * 366)


def paginate_list(view: viewsets.GenericViewSet[Any], request: Request, rows: list[dict[str, Any]]) -> Response:
    """Return a page of rows that are not a table's."""
    pages = DefaultPagination()
    return pages.get_paginated_response(pages.paginate_queryset(rows, request, view=view) or [])


def instant_or_date(request: Request, *, name: str, default: dt.datetime) -> dt.datetime:
    """Return the instant of a parameter, the first of the day in UTC where it is a date."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if "T" in text:
        return parse_instant_param(request.query_params, name=name)
    return dt.datetime.combine(
        parse_date_param(request.query_params, name=name, default=default.date()), dt.time(), dt.UTC
    )


def check_window(first: dt.date, last: dt.date) -> None:
    if last < first:
        raise InvalidInputError({"to": ["This comes before “from”."]})
    if last - first > LONGEST_WINDOW:
        raise InvalidInputError({"to": ["At most five years at once."]})
