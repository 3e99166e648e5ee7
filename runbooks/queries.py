"""Queries for runbooks, and full-text search over their sections."""

import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank
from django.db.models import F, Func, Prefetch, Q, QuerySet, TextField, Value
from django.urls import reverse
from django.utils.safestring import SafeString

from common.highlights import CLOSE, OPEN, highlight, mark_highlights
from people.models import User
from pipelines.models import Pipeline
from pipelines.queries import ownership
from runbooks.models import Runbook, RunbookRevision, RunbookSection

MAX_HITS = 50


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A section: its URL, title, pipeline, and a snippet with matches in `<mark>`."""

    url: str
    title: str
    within: str
    snippet: SafeString


def runbooks(*, deleted: bool = False) -> QuerySet[Runbook]:
    """Return all runbooks, or the deleted ones, with pipeline, owners, sections and current text, in ownership table order."""
    owners = ("pipeline", "pipeline__primary_owner", "pipeline__secondary_owner")
    newest = RunbookRevision.objects.filter(number=F("runbook__revision")).select_related("author")
    rows = deleted_runbooks() if deleted else Runbook.objects.all()
    rows = rows.select_related("deleted_by", *owners).order_by("pipeline__position", "pk")
    return rows.prefetch_related("sections", Prefetch("revisions", queryset=newest, to_attr="newest"))


def current_revision(runbook: Runbook) -> RunbookRevision:
    """Return the current revision of a runbook from `runbooks`."""
    newest: list[RunbookRevision] = runbook.newest  # type: ignore[attr-defined]  # prefetched by `runbooks`
    return newest[0]


def has_read(runbook: Runbook, *, person: User) -> bool:
    """Return True if a person has marked the current revision of a runbook as read."""
    return runbook.reads.filter(person=person, revision__gte=runbook.revision).exists()


def pipelines_without_runbook() -> QuerySet[Pipeline]:
    """Return the pipelines without a runbook."""
    return ownership().exclude(pk__in=Runbook.objects.values("pipeline"))


def deleted_runbooks() -> QuerySet[Runbook]:
    """Return the runbooks that can be restored, latest deletion first."""
    rows = Runbook.all_objects.filter(deleted_at__isnull=False).select_related("pipeline", "deleted_by")
    return rows.order_by("-deleted_at", "-pk")


def revision_markdown(runbook: Runbook, *, number: int) -> str:
    """Return the text of a revision. Raise RunbookRevision.DoesNotExist if there is none."""
    return RunbookRevision.objects.values_list("markdown", flat=True).get(runbook=runbook, number=number)


def revision_html(runbook: Runbook, *, number: int) -> str:
    """Return the rendered text of a revision. Raise RunbookRevision.DoesNotExist if there is none."""
    return RunbookRevision.objects.values_list("html", flat=True).get(runbook=runbook, number=number)


def find_revision(runbook: Runbook, *, number: int) -> RunbookRevision | None:
    """Return a revision with its author, or None if it does not exist."""
    return runbook.revisions.select_related("author").filter(number=number).first()


def list_revisions(runbook: Runbook) -> QuerySet[RunbookRevision]:
    """Return a runbook's revisions with authors but without texts, newest first."""
    return runbook.revisions.select_related("author").defer("markdown", "html").order_by("-number")


def search_sections(words: str, *, limit: int = MAX_HITS) -> list[SearchHit]:
    """Return the runbook sections that contain every word, best match first."""
    terms = re.findall(r"\w+", words)
    if not terms:
        return []
    query = _query(terms)
    plain = Q(text__icontains=words.strip()) | Q(title__icontains=words.strip())
    # The first line is what people read; queries come after it.
    words_read = Func(F("text"), Value("\n"), Value(1), function="split_part", output_field=TextField())
    headline = SearchHeadline(
        words_read, query, config="english", start_sel=OPEN, stop_sel=CLOSE, max_words=30, min_words=12, max_fragments=2
    )
    rows = (
        RunbookSection.objects.filter(Q(search=query) | plain, runbook__deleted_at=None)
        .select_related("runbook__pipeline")
        .annotate(rank=SearchRank(F("search"), query), headline=headline)
        .order_by("-rank", "runbook__pipeline__position", "position")
    )
    return [
        SearchHit(
            url=f"{reverse('runbook', args=[row.runbook.pipeline.slug])}#{row.anchor}",
            title=row.title or row.runbook.title,
            within=row.runbook.pipeline.full_name,
            snippet=mark_highlights(row.headline) if OPEN in row.headline else highlight(row.headline, words),
        )
        for row in rows[:limit]
    ]


def _query(words: list[str]) -> SearchQuery:
    """Return a query that matches every word, in any inflected form or as a prefix."""
    forms = SearchQuery(" & ".join(f"'{word}'" for word in words), search_type="raw", config="english")
    beginnings = SearchQuery(" & ".join(f"'{word}':*" for word in words), search_type="raw", config="simple")
    return forms | beginnings
