"""Pages of the API's lists."""

from typing import Any

from django.core.paginator import Page, Paginator
from rest_framework.pagination import PageNumberPagination


class SinglePageCountPaginator(Paginator[Any]):
    """Pages of a list whose first page tells how long it is, where that is all of it: no count is asked of the database."""

    def page(self, number: Any) -> Page[Any]:
        """Return one page, numbered from 1; raise InvalidPage where there is none."""
        if str(number) != "1":
            return super().page(number)
        beginning = list(self.object_list[: self.per_page + 1])
        if len(beginning) <= self.per_page:
            self.count = len(beginning)
        return Page(beginning[: self.per_page], 1, self)


class DefaultPagination(PageNumberPagination):
    """`count`, `next`, `previous`, `results`; `?page=` and `?page_size=`, up to 500."""

    django_paginator_class = SinglePageCountPaginator
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500
