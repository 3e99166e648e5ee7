"""How callers of the API name instants, windows and people, and how lists that are not a table's are paged."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from people.instants import date_asked, instant_asked
from people.models import User
from people.pagination import Pages
from people.queries import all_people
from people.refusals import Invalid
from scheduling.engine.turns import Move

AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="The instant asked about; now where it is not given.")
FROM = OpenApiParameter("from", OpenApiTypes.STR, description="From when.")
TO = OpenApiParameter("to", OpenApiTypes.STR, description="Until when.")
LONGEST_WINDOW = dt.timedelta(days=5 * 366)


class Person(serializers.SlugRelatedField[User]):
    """Somebody, by user name."""

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options["queryset"] = all_people()
        super().__init__(slug_field="username", **options)


def paged(view: viewsets.GenericViewSet[Any], request: Request, rows: list[dict[str, Any]]) -> Response:
    """Return a page of rows that are not a table's."""
    pages = Pages()
    return pages.get_paginated_response(pages.paginate_queryset(rows, request, view=view) or [])


def instant_or_date(request: Request, *, name: str, default: dt.datetime) -> dt.datetime:
    """Return the instant of a parameter, the first of the day in UTC where it is a date."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if "T" in text:
        return instant_asked(request.query_params, name=name)
    return dt.datetime.combine(date_asked(request.query_params, name=name, default=default.date()), dt.time(), dt.UTC)


def check_window(first: dt.date, last: dt.date) -> None:
    if last < first:
        raise Invalid({"to": ["This comes before “from”."]})
    if last - first > LONGEST_WINDOW:
        raise Invalid({"to": ["At most five years at once."]})


class MoveSerializer(serializers.Serializer[Any]):
    """A week, by the date it starts on, that goes `from` one engineer `to` another."""

    week = serializers.DateField()
    to = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields with `from`, which Python keeps for itself."""
        return {**super().get_fields(), "from": serializers.CharField()}


def move_row(move: Move, *, names: Mapping[int, str]) -> dict[str, str]:
    """Return a move as the API answers it."""
    return {"week": move.week.isoformat(), "from": names[move.giver], "to": names[move.taker]}
