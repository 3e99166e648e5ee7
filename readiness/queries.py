"""Whether the numbers of pipelines can be used."""

import datetime as dt
from collections.abc import Iterable, Sequence

from pipelines.models import Pipeline
from readiness.domain.verdict import Readiness, decide
from readiness.loaders import load_facts


def upstream_pipelines(pipelines: Iterable[Pipeline]) -> dict[int, Sequence[Pipeline]]:
    """Return the pipelines that each pipeline reads from."""
    return {pipeline.pk: () for pipeline in pipelines}


def readiness_by_pipeline(
    pipelines: Iterable[Pipeline], *, at: dt.datetime, day: dt.date | None = None
) -> dict[int, Readiness]:
    """Return the verdict on a business day of each pipeline, by default its newest due day."""
    rows = list(pipelines)
    if not rows:
        return {}
    facts = load_facts(rows, at=at, day=day, parents=upstream_pipelines(rows))
    return {key: decide(one, at=at) for key, one in facts.items()}
