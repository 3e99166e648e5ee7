"""Reads about hand-off sheets: the handbook's topics, each with live data and what somebody wrote under it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from handoffs.engine.topics import About, about
from handoffs.models import ActionItem, Handoff, HandoffNote, HandoffTopic
from incidents.models import Incident
from incidents.queries import PipelineStatus, open_incidents, statuses
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import PipelineRotation, Rotation
from scheduling.queries import answers

# The handbook's topics, for a rotation whose handbook names none (Daily Onboarding Hand-Off).
USUAL_TOPICS = (
    "Active issues being resolved",
    "Known outages or delays",
    "Status of all pipelines",
    "Pending action items",
)


@dataclass(frozen=True, slots=True)
class Item:
    """A line of live data under a topic: its words, the page it is about, and whether that is `ok`, `warn` or `danger`."""

    text: str
    path: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a sheet, as the API answers it (product.md §10)."""

    title: str
    items: tuple[Item, ...]
    notes: str

    @property
    def heading(self) -> str:
        """The title without the full stop that ends a line of a handbook."""
        return self.title.removesuffix(".")

    def written(self) -> dict[str, Any]:
        """Return the topic as JSON, for the API and for the frozen sheet."""
        return {"title": self.title, "items": [asdict(item) for item in self.items], "notes": self.notes}


Live = Mapping[tuple[int, About], list[Item]]


def sheets_of(handoffs: Iterable[Handoff], *, at: dt.datetime) -> dict[int, list[Topic]]:
    """Return the sheets of hand-offs, by hand-off: as frozen where both have signed, live otherwise; in a fixed number of statements."""
    rows = list(handoffs)
    rotations = {row.rotation_id for row in rows}
    titles = topic_titles(rotations)
    notes: dict[int, dict[str, str]] = {}
    for handoff, title, text in HandoffNote.objects.filter(handoff__in=rows).values_list("handoff", "title", "text"):
        notes.setdefault(handoff, {})[title] = text
    live = live_items(rotations, at=at)
    return {
        row.pk: _thawed(row.frozen)
        if row.frozen is not None
        else _topics(titles[row.rotation_id], notes=notes.get(row.pk, {}), rotation=row.rotation_id, live=live)
        for row in rows
    }


def topic_titles(rotations: Iterable[int]) -> dict[int, list[str]]:
    """Return the topics of rotations' sheets in the handbook's order, by rotation."""
    titles: dict[int, list[str]] = {key: [] for key in rotations}
    rows = HandoffTopic.objects.filter(policy__rotation__in=titles).order_by("position")
    for rotation, title in rows.values_list("policy__rotation", "title"):
        titles[rotation].append(title)
    return {key: found or list(USUAL_TOPICS) for key, found in titles.items()}


def _topics(titles: list[str], *, notes: dict[str, str], rotation: int, live: Live) -> list[Topic]:
    # A note outlives its topic's place in the handbook.
    lost = [title for title, text in notes.items() if title not in titles and text]
    return [
        Topic(title, items_for(title, rotation=rotation, live=live), notes.get(title, "")) for title in (*titles, *lost)
    ]


def _thawed(frozen: list[dict[str, Any]]) -> list[Topic]:
    return [Topic(row["title"], tuple(Item(**item) for item in row["items"]), row["notes"]) for row in frozen]


def items_for(title: str, *, rotation: int, live: Live) -> tuple[Item, ...]:
    """Return the live data that belongs under a topic of a rotation's sheet, by what its title is about."""
    return tuple(live.get((rotation, about(title)), ()))


def live_items(rotations: Iterable[int], *, at: dt.datetime) -> Live:
    """Return what is to be said now of rotations, by rotation and what it is about, in a fixed number of statements."""
    keys = set(rotations)
    found: dict[tuple[int, About], list[Item]] = {}
    for row in open_items(keys):
        found.setdefault((row.rotation_id, About.ACTIONS), []).append(_action(row))
    placed = (
        PipelineRotation.objects.filter(rotation__in=keys).select_related("pipeline").order_by("pipeline__position")
    )
    rows = list(placed)
    for rotation, item in _statuses(rows, at=at):
        found.setdefault((rotation, About.STATUS), []).append(item)
    rotations_of = {row.pipeline_id: row.rotation_id for row in rows}
    for incident in open_incidents().filter(pipeline__in=rotations_of):
        topic = About.ISSUES if incident.kind == Incident.Kind.ISSUE else About.OUTAGES
        found.setdefault((rotations_of[incident.pipeline_id], topic), []).append(_incident(incident))
    return found


def _incident(row: Incident) -> Item:
    kind = f"{row.get_kind_display()} of {row.pipeline}: {row.title}"
    whose = f"{row.assignee} has it" if row.assignee else "nobody has it yet"
    path = reverse("incident", args=[row.pk])
    return Item(
        f"{kind}; since {row.opened_at:%Y-%m-%d %H:%M} UTC, {whose}", path, "warn" if row.assignee else "danger"
    )


def _action(row: ActionItem) -> Item:
    return Item(f"{row.text} ({row.pipeline})" if row.pipeline else row.text)


def _statuses(placed: list[PipelineRotation], *, at: dt.datetime) -> list[tuple[int, Item]]:
    chains = answers([row.pipeline for row in placed], at=at)
    people = {user.pk: str(user) for user in User.objects.filter(pk__in={one.responder for one in chains.values()})}
    words = statuses([row.pipeline for row in placed])
    return [
        (
            row.rotation_id,
            _status(
                row.pipeline,
                status=words[row.pipeline_id],
                responder=people.get(chains[row.pipeline_id].responder or 0),
            ),
        )
        for row in placed
    ]


def _status(pipeline: Pipeline, *, status: PipelineStatus, responder: str | None) -> Item:
    """Return a pipeline's line: its status in a word, and who answers for it."""
    path = reverse("pipeline", args=[pipeline.slug])
    if responder is None:
        return Item(f"{pipeline}: {status.word}; nobody answers for it", path, "danger")
    return Item(f"{pipeline}: {status.word}; {responder} answers for it", path, status.badge)


def all_items() -> QuerySet[ActionItem]:
    """Return every action item, open ones first, then those done, newest first."""
    rows = ActionItem.objects.select_related("rotation", "pipeline", "created_by", "done_by")
    return rows.order_by("-done_at", "created_at", "pk")


def open_items(rotations: Iterable[int] | None = None) -> QuerySet[ActionItem]:
    """Return the action items that are not done, oldest first; of these rotations only where they are given."""
    rows = ActionItem.objects.filter(done_at=None).select_related("rotation", "pipeline", "created_by")
    return (rows if rotations is None else rows.filter(rotation__in=list(rotations))).order_by("created_at", "pk")


def rotation_or_only(slug: str) -> Rotation | None:
    """Return the rotation of this slug, or, where none is named, the only one there is."""
    if slug:
        return Rotation.objects.filter(slug=slug.replace("\0", "")).first()
    rows = list(Rotation.objects.order_by("pk")[:2])
    return rows[0] if len(rows) == 1 else None
