"""Pagination of the API's lists."""

import re
from typing import Any

from django.core.paginator import Page, Paginator
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from common.exceptions import InvalidInputError

# As many digits as no list has rows; a longer number would take long to read.
PAGE_SIZE = re.compile("0*[1-9][0-9]{0,14}")


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

    def get_page_size(self, request: Request) -> int:
        """Return the rows of a page; raise InvalidInputError for a `page_size` that is no number of rows, such as 0."""
        text = request.query_params.get("page_size") or str(self.page_size)
        if not PAGE_SIZE.fullmatch(text):
            raise InvalidInputError({"page_size": [f"Enter a number from 1 to {self.max_page_size}."]})
        return min(int(text), self.max_page_size)


class LongPagination(DefaultPagination):
    """Pages of 5,000 small rows, up to 10,000: reading them in parts would compute all of them for each part."""

    page_size = 5_000
    max_page_size = 10_000
