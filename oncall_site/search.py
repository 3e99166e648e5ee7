"""Search over the whole site: pages, pipelines, people, rotations, incidents, checks and runbooks.

Everyone who is signed in may read all of these, so results need no filter by user.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.safestring import SafeString

from common.highlights import highlight
from incidents.queries.incidents import all_incidents
from oncall_site.navigation import ACTIONS, SECTIONS
from people.queries import all_users
from pipelines.queries import ownership
from runbooks.queries import search_sections
from scheduling.models import Rotation
from validation.queries.checks import checks
from validation.queries.external import external_checks

MAX_QUERY_LENGTH = 200
# Words as short as this match only the beginning of a word: “c” finds “Engineer C”, not every name with a c in it.
SHORT_WORD_LENGTH = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result. `title` and `detail` have matches in `<mark>`."""

    url: str
    title: SafeString
    detail: SafeString


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The results of one kind; `more_url` is a page with all of them, or ""."""

    label: str
    hits: list[Hit]
    more_url: str


def search(words: str, *, limit: int) -> list[HitGroup]:
    """Return results that contain every word, grouped by kind, at most `limit` of each; kinds without any are left out."""
    words = " ".join(words.split())
    if not words:
        return []
    query = urlencode({"q": words})
    groups = []
    for label, find, url_name in KINDS:
        # One more than is shown says whether there are more.
        hits = find(words, limit + 1)
        if hits:
            more = f"{reverse(url_name)}?{query}" if url_name and len(hits) > limit else ""
            groups.append(HitGroup(label, hits[:limit], more))
    return groups


def _hit(url: str, title: str, detail: str, words: str) -> Hit:
    return Hit(url, highlight(title, words), highlight(detail, words))


def _pages(words: str, limit: int) -> list[Hit]:
    pages = [
        (label, name, section if section != label else "") for section, rows in SECTIONS for label, name, _ in rows
    ]
    pages += [(label, name, "Action") for label, name in ACTIONS]
    matches = [page for page in pages if all(word.casefold() in page[0].casefold() for word in words.split())]
    return [_hit(reverse(name), label, section, words) for label, name, section in matches[:limit]]


def _pipelines(words: str, limit: int) -> list[Hit]:
    rows = _matching(ownership(), words, "name", "audience", "slug")[:limit]
    return [
        _hit(reverse("pipeline", args=[row.slug]), row.full_name, f"{row.primary_owner}, {row.secondary_owner}", words)
        for row in rows
    ]


def _people(words: str, limit: int) -> list[Hit]:
    rows = _matching(all_users().active(), words, "display_name", "username", "email")[:limit]
    return [_hit(reverse("person", args=[row.username]), row.display_name, f"@{row.username}", words) for row in rows]


def _rotations(words: str, limit: int) -> list[Hit]:
    rows = _matching(Rotation.objects.filter(archived_at=None), words, "name", "slug")[:limit]
    return [_hit(f"{reverse('schedule')}?rotation={row.slug}", row.name, row.time_zone, words) for row in rows]


def _incidents(words: str, limit: int) -> list[Hit]:
    rows = _matching(all_incidents(), words, "title", "pipeline__name", "pipeline__audience")[:limit]
    return [
        _hit(reverse("incident", args=[row.pk]), row.title, f"{row.get_state_display()} · {row.pipeline}", words)
        for row in rows
    ]


def _checks(words: str, limit: int) -> list[Hit]:
    rows = _matching(checks(), words, "name", "pipeline__name", "pipeline__audience")[:limit]
    hits = [_hit(reverse("check", args=[row.pk]), row.name, str(row.pipeline), words) for row in rows]
    external = _matching(external_checks(), words, "name", "subject", "pipeline__name")[: limit - len(hits)]
    hits += [
        _hit(reverse("external-check", args=[row.pk]), row.name, row.get_tool_display(), words) for row in external
    ]
    return hits


def _runbooks(words: str, limit: int) -> list[Hit]:
    sections = search_sections(words, limit=limit)
    return [Hit(row.url, highlight(f"{row.title} – {row.within}", words), row.snippet) for row in sections]


KINDS: tuple[tuple[str, Callable[[str, int], list[Hit]], str], ...] = (
    ("Pages", _pages, ""),
    ("Pipelines", _pipelines, "pipelines"),
    ("People", _people, ""),
    ("Rotations", _rotations, ""),
    ("Incidents", _incidents, ""),
    ("Checks", _checks, ""),
    ("Runbooks", _runbooks, ""),
)


def _matching(rows: QuerySet[Any], words: str, *fields: str) -> QuerySet[Any]:
    """Return the rows that have every word in one of the fields; first those whose first field has the whole phrase."""
    for word in words.split():
        rows = rows.filter(_any_field(fields, word))
    is_phrase = When(**{f"{fields[0]}__icontains": words}, then=Value(0))
    return rows.order_by(Case(is_phrase, default=Value(1)), *rows.query.order_by)


def _any_field(fields: Iterable[str], word: str) -> Q:
    if len(word) <= SHORT_WORD_LENGTH and word.isascii() and word.isalnum():
        return reduce(or_, (Q(**{f"{field}__iregex": rf"\m{re.escape(word)}"}) for field in fields))
    return reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields))
