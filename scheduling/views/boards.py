"""The boards of the timeline as HTML, cached for all readers until a fact or the time changes them (docs/adr/0046)."""

import datetime as dt
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from sys import getsizeof

from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.version_cache import ValidityPeriod, VersionCache
from people.models import User
from people.queries import page_version
from scheduling.domain.timeline_layout import Axis, row_height, ticks
from scheduling.models import Rotation
from scheduling.presenters import TimelineBoard, timeline_boards
from scheduling.queries.timeline import rotation_timelines

# About five hundred boards of twelve weeks.
MAX_BYTES = 16 * 1024 * 1024
NOW_LINE = SafeString("<!--now-->")
BOARD_OVERHEAD_BYTES = 1_000
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class BoardText:
    """A board as HTML: its chart before and after the line for now, and its table."""

    chart: tuple[str, str]
    table: str


@dataclass(frozen=True, slots=True)
class BoardLayout:
    """The number of a board's rows, and the primary keys of the engineers with bars, which are marked for them."""

    rows: int
    people: frozenset[int]


@dataclass(frozen=True, slots=True)
class ShownBoard:
    """A rotation with its chart and its table, as a reader sees them."""

    rotation: Rotation
    chart: SafeString
    table: SafeString


TEXTS: VersionCache[BoardText] = VersionCache(
    max_bytes=MAX_BYTES,
    size=lambda text: sum(map(getsizeof, (*text.chart, text.table))) + BOARD_OVERHEAD_BYTES,
)
LAYOUTS: VersionCache[BoardLayout] = VersionCache(
    max_bytes=MAX_BYTES // 16, size=lambda layout: getsizeof(layout.people) + BOARD_OVERHEAD_BYTES
)


def shown_boards(
    rotations: Iterable[Rotation], *, reader: User, axis: Axis, weeks: int, query: QueryDict, at: dt.datetime
) -> list[ShownBoard]:
    """Return the boards of rotations as a reader sees them, in one statement if all are in memory."""
    page = _Page(list(rotations), reader=reader, axis=axis, weeks=weeks, query=query, at=at)
    band = axis.band(at, at) if axis.includes(at, at) else None
    line = format_html('<line class="now" x1="{x}" x2="{x}" y1="0" y2="100%"></line>', x=band.x) if band else ""
    # Both were rendered by templates, which escape every value.
    return [
        ShownBoard(rotation, SafeString(line.join(text.chart)), SafeString(text.table))  # nosec B703
        for rotation, text in page.texts()
    ]


class _Page:
    """The boards on a page. The height of a row depends on how many rows all of them have."""

    def __init__(
        self,
        rotations: Sequence[Rotation],
        *,
        reader: User,
        axis: Axis,
        weeks: int,
        query: QueryDict,
        at: dt.datetime,
    ) -> None:
        self.rotations, self.reader, self.axis, self.weeks, self.at = rotations, reader, axis, weeks, at
        self.zone = timezone.get_current_timezone()
        self.today = at.astimezone(self.zone).date()
        self.query = query.copy()
        # The link on a board's name sets its own rotation, on the first page.
        for name in ("page", "rotation"):
            self.query.pop(name, None)
        self.version = page_version()
        self.same_for_all = (axis.dates[0], weeks, str(self.zone), self.today, self.query.urlencode())

    def texts(self) -> list[tuple[Rotation, BoardText]]:
        """Return each rotation with its board, in order."""
        layouts = {row.pk: self._layout(row) for row in self.rotations}
        missing = [row for row in self.rotations if layouts[row.pk] is None]
        texts: dict[int, BoardText] = {}
        # New boards may change the height of all rows. Then a second turn renders the other boards too.
        while True:
            if missing:
                others = {key: layout for key, layout in layouts.items() if key not in {row.pk for row in missing}}
                for board in self._boards(missing, other_rows=sum(layout.rows for layout in others.values() if layout)):
                    layouts[board.rotation.pk], texts[board.rotation.pk] = self._store(board)
            height = row_height(sum(layout.rows for layout in layouts.values() if layout))
            missing = []
            for row in self.rotations:
                layout = layouts[row.pk]
                text = texts.get(row.pk) or (layout and self._text(row, layout, height=height))
                if text:
                    texts[row.pk] = text
                else:
                    missing.append(row)
            if not missing:
                return [(row, texts[row.pk]) for row in self.rotations]

    def _layout(self, rotation: Rotation) -> BoardLayout | None:
        return LAYOUTS.find((rotation.pk, *self.same_for_all), version=self.version, at=self.at)

    def _text(self, rotation: Rotation, layout: BoardLayout, *, height: int) -> BoardText | None:
        return TEXTS.find(self._text_key(rotation, layout, height=height), version=self.version, at=self.at)

    def _text_key(self, rotation: Rotation, layout: BoardLayout, *, height: int) -> Hashable:
        """Return the key of a board. Admins share one text, an engineer with bars has their own, and all others share one."""
        reader = ADMIN if self.reader.is_staff else self.reader.pk if self.reader.pk in layout.people else None
        return (rotation.pk, *self.same_for_all, height, reader)

    def _boards(self, rotations: Sequence[Rotation], *, other_rows: int) -> list[TimelineBoard]:
        timelines = rotation_timelines(rotations, axis=self.axis, at=self.at, today=self.today, other_rows=other_rows)
        return timeline_boards(timelines, reader=self.reader, zone=self.zone, at=self.at)

    def _store(self, board: TimelineBoard) -> tuple[BoardLayout, BoardText]:
        layout = BoardLayout(len(board.rows) + bool(board.board.gaps), board.people)
        text, until = self._render(board), board.next_change(at=self.at)
        period = ValidityPeriod(self.at, until or self.axis.ends_at + dt.timedelta(days=1))
        LAYOUTS.store((board.rotation.pk, *self.same_for_all), layout, version=self.version, period=period)
        key = self._text_key(board.rotation, layout, height=board.board.row_height)
        TEXTS.store(key, text, version=self.version, period=period)
        return layout, text

    def _render(self, board: TimelineBoard) -> BoardText:
        """Render a board without the request and the reader, so that it cannot contain anything private to them."""
        context = {
            "board": board,
            "grid": self.grid,
            "now": self.at,
            "now_line": NOW_LINE,
            "query": self.query,
            "is_staff": self.reader.is_staff,
        }
        before, after = render_to_string("scheduling/_timeline_board.html", context).split(NOW_LINE)
        return BoardText((before, after), render_to_string("scheduling/_timeline_table.html", context))

    @cached_property
    def grid(self) -> SafeString:
        """The weekends and ticks behind the bars, the same on all boards."""
        lines = ticks(self.axis, weeks=self.weeks)
        return render_to_string("scheduling/_timeline_grid.html", {"weekends": self.axis.weekends(), "ticks": lines})
