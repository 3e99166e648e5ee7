"""Coordinates of the lineage picture: a box per pipeline and a curve per edge."""

from collections.abc import Mapping
from dataclasses import dataclass

from lineage.domain.graph import Link
from lineage.domain.layout import Layout

# The widest letters of a name take 10 pixels each.
BOX_WIDTH, BOX_HEIGHT = 228, 52
COLUMN_GAP, ROW_GAP, MARGIN = 64, 16, 12
BEND_HEIGHT = 12
NAME_CHARACTERS, LINE_CHARACTERS = 21, 28


@dataclass(frozen=True, slots=True)
class BoxText:
    """The text of a box: full and short name, link target, status with its badge class, and responder."""

    name: str
    short_name: str
    url: str
    status: str
    badge: str
    responder: str


@dataclass(frozen=True, slots=True)
class Box:
    """A pipeline in the picture; `x` and `y` are its upper left corner."""

    x: float
    y: float
    text: BoxText
    is_focus: bool

    @property
    def name(self) -> str:
        """The short name, truncated to the width of the box."""
        return _shorten(self.text.short_name, NAME_CHARACTERS)

    @property
    def line(self) -> str:
        """Status and responder, cut to the width of the box."""
        return _shorten(f"{self.text.status} · {self.text.responder or 'uncovered'}", LINE_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge in the picture, as the path of a curve."""

    path: str
    is_faded: bool
    title: str


@dataclass(frozen=True, slots=True)
class LineagePlot:
    """A picture with its size."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


def lineage_plot(layout: Layout, *, texts: Mapping[int, BoxText], focus: int | None, current: set[Link]) -> LineagePlot:
    """Return the picture of a layout; links that are not in `current` are faded."""
    heights = {
        pipeline: BOX_HEIGHT if pipeline > 0 else BEND_HEIGHT for column in layout.columns for pipeline in column
    }
    lengths = [sum(heights[pipeline] + ROW_GAP for pipeline in column) - ROW_GAP for column in layout.columns]
    height = 2 * MARGIN + max(lengths, default=BOX_HEIGHT)
    corners: dict[int, tuple[float, float]] = {}
    for number, column in enumerate(layout.columns):
        x, y = MARGIN + number * (BOX_WIDTH + COLUMN_GAP), (height - lengths[number]) / 2
        for pipeline in column:
            corners[pipeline] = (x, y)
            y += heights[pipeline] + ROW_GAP
    return LineagePlot(
        width=2 * MARGIN + len(layout.columns) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP,
        height=height,
        boxes=tuple(Box(*corners[key], texts[key], key == focus) for key in corners if key > 0),
        curves=tuple(
            Curve(
                _path([(*corners[key], heights[key]) for key in route]),
                is_faded=link not in current,
                title=f"{texts[link.upstream].name} → {texts[link.downstream].name}",
            )
            for link, route in layout.routes.items()
        ),
    )


def _path(boxes: list[tuple[float, float, int]]) -> str:
    """Return the path from the right side of the first box through the bends to the left side of the last one."""
    first_x, first_y, first_height = boxes[0]
    x, y = first_x + BOX_WIDTH, first_y + first_height / 2
    parts = [f"M {x:.0f} {y:.0f}"]
    for left, top, tall in boxes[1:]:
        end, middle = left, top + tall / 2
        bend = (end - x) / 2
        parts.append(f"C {x + bend:.0f} {y:.0f} {end - bend:.0f} {middle:.0f} {end:.0f} {middle:.0f}")
        x, y = left + BOX_WIDTH, middle
        if (left, top, tall) != boxes[-1]:
            parts.append(f"L {x:.0f} {y:.0f}")
    return " ".join(parts)


def _shorten(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"
