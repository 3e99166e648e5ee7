"""Whether the numbers of pipelines can be used."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Count, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from incidents.models import EscalationStep
from lineage.queries import parents
from pipelines.models import Pipeline
from readiness.domain.verdict import Readiness, decide
from readiness.loaders import DayRows, load_day_rows, load_fact_index, load_facts
from readiness.models import ReaderNotification, Restatement


def upstream_pipelines(pipelines: Iterable[Pipeline], *, at: dt.datetime) -> dict[int, Sequence[Pipeline]]:
    """Return the pipelines that each pipeline reads from, by its primary key."""
    keys = parents([pipeline.pk for pipeline in pipelines], at=at)
    rows = Pipeline.objects.in_bulk({key for group in keys.values() for key in group})
    return {key: [rows[one] for one in sorted(group)] for key, group in keys.items()}


def readiness_by_pipeline(
    pipelines: Iterable[Pipeline], *, at: dt.datetime, day: dt.date | None = None, rows: DayRows | None = None
) -> dict[int, Readiness]:
    """Return the verdict on a business day of each pipeline, by default its newest due day.

    For several days of the same pipelines, pass their `day_rows` as `rows`.
    """
    asked = list(pipelines)
    if not asked:
        return {}
    facts = load_facts(asked, at=at, day=day, rows=rows or day_rows(asked, at=at))
    return {key: decide(one, at=at) for key, one in facts.items()}


def day_rows(pipelines: Sequence[Pipeline], *, at: dt.datetime) -> DayRows:
    """Return the rows that the verdict on any day of the pipelines needs."""
    index = load_fact_index(pipelines)
    upstream = upstream_pipelines([row for row in pipelines if row.pk in index.edge], at=at)
    return load_day_rows(index=index, parents=upstream)


def restatements(*, pipeline: Pipeline | None = None) -> QuerySet[Restatement]:
    """Return the restatements of a pipeline, or all, with metric, incident, people and `notified_readers`, newest first.

    `notified_readers` is the number of readers who were notified from the change, or the incident behind it, until the day was safe
    again.
    """
    steps = EscalationStep.objects.select_related("engineer").order_by("pk")
    related = ("publication__pipeline", "metric__pipeline", "incident", "commented_by")
    rows = Restatement.objects.select_related(*related).prefetch_related(
        Prefetch("incident__escalation_steps", queryset=steps)
    )
    notified = ReaderNotification.objects.filter(
        pipeline=OuterRef("publication__pipeline"),
        at__gte=Least(OuterRef("changed_at"), OuterRef("incident__opened_at")),
        at__lte=Coalesce(OuterRef("settled_at"), F("at")),
    )
    readers = notified.order_by().values("pipeline").annotate(readers=Count("subscriber", distinct=True))
    rows = rows.annotate(notified_readers=Coalesce(Subquery(readers.values("readers")), 0))
    if pipeline is not None:
        rows = rows.filter(publication__pipeline=pipeline)
    return rows.order_by("-changed_at", "-pk")
