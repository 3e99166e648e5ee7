"""Paginated responses for API views that are not list views."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import DefaultPagination


def paginate_list(
    view: viewsets.GenericViewSet[Any],
    request: Request,
    rows: Sequence[Any] | QuerySet[Any],
    *,
    serializer: type[serializers.BaseSerializer[Any]] | None = None,
    serialize: Callable[[Sequence[Any]], list[Any]] | None = None,
    paginator: DefaultPagination | None = None,
) -> Response:
    """Return one page of rows, serialized by `serializer` or `serialize`, or as they are without one."""
    paginator = paginator or DefaultPagination()
    page: Sequence[Any] = paginator.paginate_queryset(rows, request, view=view) or []
    if serializer is not None:
        page = serializer(page, many=True).data
    return paginator.get_paginated_response(page if serialize is None else serialize(page))
