"""What a reader page shows: numbers and verdicts, without names of people, check names, incidents or SQL."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from common.formatting import format_day, format_value
from people.queries import secret_digest
from pipelines.models import Pipeline
from readiness.domain.calendar import MetricCalendar
from readiness.domain.verdict import Readiness, ReasonKind, Verdict
from readiness.models import Publication, ReaderNote, ReadersLink, Restatement
from readiness.queries.readiness import readiness_by_pipeline
from validation.models import Metric, MetricPoint

MAX_METRICS = 200
MAX_RESTATEMENTS = 10
# Why, for readers: a check's or an incident's name may hold what is not for them.
REASON_SENTENCES = {
    ReasonKind.FAILED: "A check failed.",
    ReasonKind.NOT_SETTLED: "The data is not final yet.",
    ReasonKind.NOT_UPDATED: "The last update did not run because something upstream failed.",
    ReasonKind.NOT_CHECKED: "The data has not been checked yet.",
    ReasonKind.WARNED: "A check has a warning.",
    ReasonKind.UPSTREAM: "Upstream data has problems.",
    ReasonKind.INCIDENT: "An incident is in progress.",
}


@dataclass(frozen=True, slots=True)
class ReaderNumber:
    """A number of the day: its name and its value, "" if there is none."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ReaderRestatement:
    """A published number that changed."""

    name: str
    day: str
    published: str
    current: str
    meanwhile: str
    wrong_since: dt.datetime
    restated_at: dt.datetime
    is_settled: bool
    why: str


@dataclass(frozen=True, slots=True)
class ReaderPipeline:
    """A pipeline of the page: the verdict on its newest day, the numbers of that day, and its last restatements."""

    slug: str
    name: str
    audience: str
    readiness: Readiness
    reasons: Sequence[str]
    expected_by: dt.datetime | None
    note: str
    note_at: dt.datetime | None
    numbers: Sequence[ReaderNumber]
    restatements: Sequence[ReaderRestatement]


def link_by_secret(secret: str) -> ReadersLink | None:
    """Return the link with this secret, or None if it is unknown or revoked."""
    return ReadersLink.objects.usable().filter(digest=secret_digest(secret)).first()


def link_url(secret: str) -> str:
    """Return the URL of the page with this secret."""
    return f"{settings.SITE_URL}{reverse('readers_page', args=[secret])}"


def readers_links() -> QuerySet[ReadersLink]:
    """Return the links that are not revoked, newest first, with their pipelines."""
    return ReadersLink.objects.usable().select_related("created_by").prefetch_related("pipelines").defer("html")


def page_pipelines(link: ReadersLink, *, at: dt.datetime) -> list[ReaderPipeline]:
    """Return the pipelines of a reader page, in the order of the ownership table."""
    rows = list(link.pipelines.order_by("position", "pk"))
    verdicts = readiness_by_pipeline(rows, at=at)
    notes = {note.pipeline_id: note for note in ReaderNote.objects.filter(pipeline__in=rows)}
    numbers = _numbers(rows, verdicts={row.pk: verdicts[row.pk].day for row in rows})
    restatements = _restatements(rows)
    return [
        ReaderPipeline(
            slug=row.slug,
            name=row.name,
            audience=row.audience,
            readiness=verdicts[row.pk],
            reasons=list(dict.fromkeys(REASON_SENTENCES[reason.kind] for reason in verdicts[row.pk].reasons)),
            expected_by=verdicts[row.pk].until if verdicts[row.pk].verdict is Verdict.NOT_YET else None,
            note=notes[row.pk].text if row.pk in notes else "",
            note_at=notes[row.pk].written_at if row.pk in notes else None,
            numbers=numbers[row.pk],
            restatements=restatements[row.pk],
        )
        for row in rows
    ]


def _numbers(pipelines: Sequence[Pipeline], *, verdicts: dict[int, dt.date]) -> dict[int, list[ReaderNumber]]:
    """Return the total of each metric for its pipeline's day; for hourly metrics, that of the last hour."""
    metrics = list(
        Metric.objects.filter(pipeline__in=pipelines).order_by("pipeline", "name", "pk").defer("query")[:MAX_METRICS]
    )
    wanted = {
        metric.pk: MetricCalendar(metric.pk, metric.zone, metric.step).buckets(verdicts[metric.pipeline_id])[-1]
        for metric in metrics
    }
    points = MetricPoint.objects.filter(metric__in=wanted, segment="", bucket__in=set(wanted.values())).order_by()
    values = {(key, bucket): value for key, bucket, value in points.values_list("metric", "bucket", "value")}
    numbers: dict[int, list[ReaderNumber]] = defaultdict(list)
    for metric in metrics:
        value = values.get((metric.pk, wanted[metric.pk]))
        text = "" if value is None else format_value(value, unit=metric.unit)
        numbers[metric.pipeline_id].append(ReaderNumber(metric.name, text))
    return numbers


def _restatements(pipelines: Sequence[Pipeline]) -> dict[int, list[ReaderRestatement]]:
    """Return the newest restatements by pipeline."""
    rows = Restatement.objects.filter(publication__pipeline__in=pipelines).select_related("metric", "publication")
    by_pipeline: dict[int, list[ReaderRestatement]] = defaultdict(list)
    for row in rows.order_by("-changed_at", "-pk")[: MAX_RESTATEMENTS * max(len(pipelines), 1)]:
        group = by_pipeline[row.publication.pipeline_id]
        if len(group) < MAX_RESTATEMENTS:
            group.append(_restatement(row))
    return by_pipeline


def _restatement(row: Restatement) -> ReaderRestatement:
    return ReaderRestatement(
        name=f"{row.metric.name} ({row.segment})" if row.segment else row.metric.name,
        day=format_day(row.publication.day),
        published=row.from_text,
        current=row.to_text,
        meanwhile=row.farthest_text if row.farthest_value != row.to_value else "",
        wrong_since=row.wrong_since,
        restated_at=row.restated_at,
        is_settled=row.settled_at is not None,
        why=row.get_cause_display(),
    )


def pipelines_with_problems(pipelines: Sequence[Pipeline], *, at: dt.datetime, days: int) -> dict[int, Readiness]:
    """Return the pipelines with a published day, among the newest `days`, that is doubtful or wrong, with its verdict."""
    published: dict[dt.date, list[Pipeline]] = defaultdict(list)
    by_key = {row.pk: row for row in pipelines}
    since = at.date() - dt.timedelta(days=days)
    for key, day in Publication.objects.filter(pipeline__in=by_key, day__gte=since).values_list("pipeline", "day"):
        published[day].append(by_key[key])
    troubled: dict[int, Readiness] = {}
    for day in sorted(published):
        verdicts = readiness_by_pipeline(published[day], at=at, day=day)
        troubled |= {key: one for key, one in verdicts.items() if one.verdict in (Verdict.DOUBTFUL, Verdict.WRONG)}
    return troubled
