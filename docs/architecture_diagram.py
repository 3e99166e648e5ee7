# ruff: noqa: INP001  # a script beside the documentation, not a package
"""Draw docs/architecture.svg from the real imports between the apps: python docs/architecture_diagram.py [--check].

The rows are the layers of the contract "apps" in .importlinter. An arrow is a direct import that no chain of other arrows implies.
"""

import argparse
import configparser
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from operator import itemgetter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "architecture.svg"
CONTRACT = "importlinter:contract:apps"

CAPTIONS = {
    "oncall_site": "settings, URLs, Now, API, health",
    "handbook": "the handbook file: import, export",
    "calendar_feeds": "iCalendar feeds",
    "handoffs": "meetings, sheets, action items",
    "readiness": "verdicts, restatements, readers",
    "incidents": "escalation, alerts, runbook runs",
    "team_channels": "messages to Teams, Discord, …",
    "scheduling": "shifts, time off, swaps, covers",
    "validation": "metrics, checks, data sources",
    "runbooks": "revisions, rendering, search",
    "lineage": "edges between pipelines",
    "pipelines": "pipelines and owners",
    "notifications": "outbox, delivery, preferences",
    "people": "users, sign-in, tokens",
    "common": "shared helpers, no models",
}

WIDTH, MARGIN = 860, 30
BOX_WIDTH, BOX_HEIGHT = 232, 54
COLUMN_GAP, ROW_GAP = 36, 50
ARROW_ROOM = 7  # an arrow ends this far above its box, so that its head does not touch the border
GUTTER = 14  # how far outside the boxes an arrow runs that has to go around them, and how far from the next such arrow
PORT_GAP = 34  # between arrows that meet at one side of a box

STYLE = """
    svg { --ground: #ffffff; --box: #f5f7fa; --edge: #8593a6; --text: #17202c; --quiet: #526072; --arrow: #65758b; }
    @media (prefers-color-scheme: dark) {
      svg { --ground: #12171e; --box: #1d2530; --edge: #5c6b7f; --text: #eef2f7; --quiet: #a9b6c6; --arrow: #8fa0b5; }
    }
    .ground { fill: var(--ground); }
    .box { fill: var(--box); stroke: var(--edge); stroke-width: 1.25; }
    .name { fill: var(--text); font: 600 15px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
    .caption { fill: var(--quiet); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    .arrow { fill: none; stroke: var(--arrow); stroke-width: 1.5; }
    .head { fill: var(--arrow); }
    text { text-anchor: middle; }"""


@dataclass(frozen=True, slots=True)
class Box:
    """An app in the picture: the row it is in, and its upper left corner."""

    app: str
    row: int
    x: float
    y: float

    @property
    def center(self) -> float:
        return self.x + BOX_WIDTH / 2

    @property
    def bottom(self) -> float:
        return self.y + BOX_HEIGHT


@dataclass(frozen=True, slots=True)
class Arrow:
    """An import, from one app to another below it."""

    importer: str
    imported: str


def read_layers(config: Path, *, root: Path) -> list[list[str]]:
    """Return the apps of each layer, top to bottom, leaving out those that are not there."""
    parser = configparser.ConfigParser()
    parser.read(config, encoding="utf-8")
    lines = parser.get(CONTRACT, "layers").split("\n")
    named = [[app.strip(" ()") for app in line.replace(":", "|").split("|")] for line in lines if line.strip()]
    present = [[app for app in layer if (root / app / "__init__.py").exists()] for layer in named]
    return [layer for layer in present if layer]


def read_imports(apps: Sequence[str]) -> set[Arrow]:
    """Return which app imports which, from the source of all their modules."""
    import grimp  # noqa: PLC0415  # installed with import-linter, and only needed here

    graph = grimp.build_graph(*apps, cache_dir=None)
    pairs = ((one, other) for one in apps for other in apps if one != other)
    return {
        Arrow(one, other)
        for one, other in pairs
        if graph.direct_import_exists(importer=one, imported=other, as_packages=True)
    }


def reduced(arrows: Iterable[Arrow]) -> list[Arrow]:
    """Return the arrows that no chain of others implies, in order."""
    below: dict[str, set[str]] = {}
    for arrow in arrows:
        below.setdefault(arrow.importer, set()).add(arrow.imported)

    def reaches(start: str, end: str, *, seen: frozenset[str] = frozenset()) -> bool:
        following = below.get(start, set()) - seen
        return end in following or any(reaches(one, end, seen=seen | {start}) for one in following)

    direct = [
        Arrow(importer, imported)
        for importer, targets in below.items()
        for imported in targets
        if not any(reaches(other, imported, seen=frozenset({importer})) for other in targets - {imported})
    ]
    return sorted(direct, key=lambda arrow: (arrow.importer, arrow.imported))


def lay_out(layers: Sequence[Sequence[str]]) -> dict[str, Box]:
    """Return the box of each app: rows from top to bottom, centred, in the order of the contract."""
    boxes: dict[str, Box] = {}
    for row, layer in enumerate(layers):
        width = len(layer) * BOX_WIDTH + (len(layer) - 1) * COLUMN_GAP
        left = (WIDTH - width) / 2
        for place, app in enumerate(layer):
            x = left + place * (BOX_WIDTH + COLUMN_GAP)
            boxes[app] = Box(app, row, x, MARGIN + row * (BOX_HEIGHT + ROW_GAP))
    return boxes


def ports(arrows: Sequence[Arrow], *, boxes: Mapping[str, Box]) -> dict[tuple[Arrow, str], float]:
    """Return where each arrow leaves its importer ("out") and meets its imported app ("in"), side by side, left to right."""
    places: dict[tuple[Arrow, str], float] = {}
    for app, box in boxes.items():
        for side, own, other in (("out", "importer", "imported"), ("in", "imported", "importer")):
            meeting = [(boxes[getattr(arrow, other)].center, arrow) for arrow in arrows if getattr(arrow, own) == app]
            meeting.sort(key=itemgetter(0))
            first = box.center - PORT_GAP * (len(meeting) - 1) / 2
            places |= {(arrow, side): first + PORT_GAP * place for place, (_, arrow) in enumerate(meeting)}
    return places


def arrow_path(arrow: Arrow, *, boxes: Mapping[str, Box], at: Mapping[tuple[Arrow, str], float], lane: int) -> str:
    """Return the SVG path of an arrow: a gentle curve, or around the boxes in between, in a lane beside earlier ones."""
    start, end = boxes[arrow.importer], boxes[arrow.imported]
    x1, y1 = at[arrow, "out"], start.bottom
    x2, y2 = at[arrow, "in"], end.y - ARROW_ROOM
    middle = (y1 + y2) / 2
    if not goes_around(arrow, boxes=boxes, at=at):
        if abs(x1 - x2) < 1:
            return f"M{x1:g} {y1:g} V{y2:g}"
        return f"M{x1:g} {y1:g} C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"
    between = [box for box in boxes.values() if start.row < box.row < end.row]
    room = GUTTER * (lane + 1)
    left, right = min(box.x for box in between) - room, max(box.x for box in between) + BOX_WIDTH + room
    side = left if abs(x1 - left) + abs(x2 - left) < abs(x1 - right) + abs(x2 - right) else right
    turn = ROW_GAP * 0.6
    return (
        f"M{x1:g} {y1:g} C{x1:g} {y1 + turn:g} {side:g} {y1:g} {side:g} {y1 + ROW_GAP:g} "
        f"V{y2 - ROW_GAP:g} C{side:g} {y2:g} {x2:g} {y2 - turn:g} {x2:g} {y2:g}"
    )


def goes_around(arrow: Arrow, *, boxes: Mapping[str, Box], at: Mapping[tuple[Arrow, str], float]) -> bool:
    """Return True if boxes of rows in between are in the way of a direct curve."""
    start, end = boxes[arrow.importer], boxes[arrow.imported]
    ends = (at[arrow, "out"], at[arrow, "in"])
    low, high = min(ends) - GUTTER, max(ends) + GUTTER
    between = (box for box in boxes.values() if start.row < box.row < end.row)
    return any(box.x < high and box.x + BOX_WIDTH > low for box in between)


def draw(layers: Sequence[Sequence[str]], arrows: Sequence[Arrow]) -> str:
    """Return the picture as SVG text."""
    boxes = lay_out(layers)
    at = ports(arrows, boxes=boxes)
    height = 2 * MARGIN + len(layers) * BOX_HEIGHT + (len(layers) - 1) * ROW_GAP
    rows = "; ".join(" and ".join(layer) for layer in layers)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        '  <title id="title">Apps and their imports</title>',
        f'  <desc id="desc">Each app imports only apps in rows below it. From top to bottom: {escape(rows)}.</desc>',
        f"  <style>{STYLE}\n  </style>",
        '  <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '    <path class="head" d="M0 0.5 L8 4 L0 7.5 Z"/>',
        "  </marker>",
        f'  <rect class="ground" width="{WIDTH}" height="{height}" rx="12"/>',
    ]
    around = [arrow for arrow in arrows if goes_around(arrow, boxes=boxes, at=at)]
    for arrow in arrows:
        lane = around.index(arrow) if arrow in around else 0
        path = arrow_path(arrow, boxes=boxes, at=at, lane=lane)
        lines.append(f'  <path class="arrow" marker-end="url(#head)" d="{path}"/>')
    for box in boxes.values():
        lines.append(
            f'  <rect class="box" x="{box.x:g}" y="{box.y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="9"/>'
        )
        lines.append(f'  <text class="name" x="{box.center:g}" y="{box.y + 23:g}">{escape(box.app)}</text>')
        caption = CAPTIONS.get(box.app, "")
        if caption:
            lines.append(f'  <text class="caption" x="{box.center:g}" y="{box.y + 41:g}">{escape(caption)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def upward(layers: Sequence[Sequence[str]], arrows: Iterable[Arrow]) -> list[Arrow]:
    """Return the imports that do not go down a row; the contract in .importlinter is broken where there are any."""
    row = {app: number for number, layer in enumerate(layers) for app in layer}
    return sorted(
        (arrow for arrow in arrows if row[arrow.importer] >= row[arrow.imported]),
        key=lambda arrow: (arrow.importer, arrow.imported),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw docs/architecture.svg from the imports between the apps.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the picture is out of date")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    layers = read_layers(ROOT / ".importlinter", root=ROOT)
    imports = read_imports([app for layer in layers for app in layer])
    wrong = upward(layers, imports)
    for arrow in wrong:
        sys.stderr.write(f"{arrow.importer} imports {arrow.imported}, which is not below it: not drawn\n")
    picture = draw(layers, reduced(imports.difference(wrong)))
    if options.check:
        if PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == picture:
            return 0
        sys.stderr.write("docs/architecture.svg is out of date: run python docs/architecture_diagram.py\n")
        return 1
    PICTURE.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
