"""Pagination of the API's lists."""

from typing import Any

from django.core.paginator import Page, Paginator
from rest_framework.pagination import PageNumberPagination


class SinglePageCountPaginator(Paginator[Any]):
    """Paginator that skips the COUNT query if the whole list fits on the first page."""

    def page(self, number: Any) -> Page[Any]:
        """Return one page, numbered from 1; raise InvalidPage if there is no such page."""
        if str(number) != "1":
            return super().page(number)
        rows = list(self.object_list[: self.per_page + 1])
        if len(rows) <= self.per_page:
            self.count = len(rows)
        return Page(rows[: self.per_page], 1, self)


class DefaultPagination(PageNumberPagination):
    """Pages of 100 rows: `count`, `next`, `previous`, `results`; `?page=` and `?page_size=`, up to 500."""

    django_paginator_class = SinglePageCountPaginator
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500


class LongPagination(DefaultPagination):
    """Pages of 5,000 small rows, up to 10,000: reading them in parts would compute all of them for each part."""

    page_size = 5_000
    max_page_size = 10_000
