"""The on-call load of each engineer, as a page and as a CSV file."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.csv import csv_response
from common.http import query_param
from incidents.queries.night_pages import night_pages
from people.domain.person import Person
from people.requests import SignedInRequest
from scheduling.models import Rotation
from scheduling.queries.weeks import rotations_for
from scheduling.queries.workloads import PAST, rotation_workloads

ROTATIONS_PER_PAGE = 10
CSV_COLUMNS = (
    "rotation", "engineer", "past_weeks", "next_weeks", "past_weekend_days", "next_weekend_days",
    "past_public_holidays", "next_public_holidays", "past_night_pages",
)  # fmt: skip

# The values of ?sort=. Counts are sorted largest first; a minus reverses the order.
SORT_KEYS = ("engineer", *CSV_COLUMNS[2:])


@dataclass(frozen=True, slots=True)
class SortLink:
    """The sort link of a column: its value of ?sort=, and the current order as ARIA names it, or ""."""

    label: str
    value: str
    order: str


@dataclass(frozen=True, slots=True)
class LoadRow:
    """An engineer's counts, in the order of the columns."""

    engineer: Person
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LoadBoard:
    """A rotation's engineers, the largest count of each column, which scales its bars, and the averages."""

    rotation: Rotation
    rows: tuple[LoadRow, ...]

    @property
    def columns(self) -> list[tuple[int, ...]]:
        """The counts by column."""
        return list(zip(*(row.counts for row in self.rows), strict=True))

    @property
    def tops(self) -> list[int]:
        """The largest count of each column."""
        return [max(column) for column in self.columns]

    @property
    def averages(self) -> list[float]:
        """The average of each column."""
        return [sum(column) / len(column) for column in self.columns]

    @property
    def scaled_rows(self) -> list[tuple[Person, list[tuple[int, int]]]]:
        """Each engineer with the count and the largest count of each column."""
        return [(row.engineer, list(zip(row.counts, self.tops, strict=True))) for row in self.rows]


@require_safe
def fairness(request: SignedInRequest) -> HttpResponse:
    """Show each engineer's load for the past 52 weeks and the next 26: shifts, weekend days, public holidays, and night pages."""
    page = Paginator(rotations_for(request.user), ROTATIONS_PER_PAGE).get_page(request.GET.get("page"))
    sort = query_param(request, "sort")
    boards = [_sort_board(board, sort) for board in _boards(page.object_list, at=timezone.now())]
    names, *counts = [_sort_link(key, sort=sort) for key in SORT_KEYS]
    context = {"boards": boards, "page": page, "name_link": names, "count_links": counts}
    return render(request, "scheduling/fairness.html", context)


def _sort_link(key: str, *, sort: str) -> SortLink:
    """Return the sort link of a column. It reverses the order if the table is already sorted by the column."""
    label = "Engineer" if key == "engineer" else key.partition("_")[0]
    if sort == key:
        return SortLink(label, f"-{key}", "ascending" if key == "engineer" else "descending")
    return SortLink(label, key, ("descending" if key == "engineer" else "ascending") if sort == f"-{key}" else "")


def _sort_board(board: LoadBoard, sort: str) -> LoadBoard:
    """Return a board sorted by a `sort` parameter, or unchanged if it is unknown. Equal counts are sorted by name."""
    key = sort.removeprefix("-")
    if key not in SORT_KEYS:
        return board
    if key == "engineer":
        return replace(board, rows=board.rows[::-1] if sort.startswith("-") else board.rows)
    column, sign = SORT_KEYS.index(key) - 1, 1 if sort.startswith("-") else -1
    return replace(board, rows=tuple(sorted(board.rows, key=lambda row: sign * row.counts[column])))


@require_safe
def fairness_csv(request: SignedInRequest) -> HttpResponse:
    """Return the same counts for all rotations."""
    boards = _boards(rotations_for(request.user), at=timezone.now())
    rows = [(board.rotation.slug, row.engineer.username, *row.counts) for board in boards for row in board.rows]
    return csv_response("fairness.csv", columns=CSV_COLUMNS, rows=rows)


def _boards(rotations: Iterable[Rotation], *, at: dt.datetime) -> Iterator[LoadBoard]:
    listed = list(rotations)
    pages = night_pages(listed, since=at - PAST)
    for rotation, rows in rotation_workloads(listed, at=at):
        loads = tuple(
            LoadRow(
                row.engineer,
                (
                    *(count for pair in zip(astuple(row.past), astuple(row.upcoming), strict=True) for count in pair),
                    pages.get((rotation.pk, row.engineer.id), 0),
                ),
            )
            for row in rows
        )
        if loads:
            yield LoadBoard(rotation, loads)
