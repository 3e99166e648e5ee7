"""Reads about coverage gaps."""

import datetime as dt
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from common.db import without_history_context
from people.domain.person import Person
from scheduling.domain.responder_chain import coverage_gaps
from scheduling.loaders import load_schedules
from scheduling.models import CoverageGap, Rotation

GAP_LOOKAHEAD = dt.timedelta(weeks=8)


# Compares each owner's absences by hash joins: a subquery for each pipeline takes the database five times as long.
WITHOUT_OWNER_SQL = """
WITH away AS MATERIALIZED (
  SELECT engineer_id, starts_at, ends_at FROM scheduling_holidayblock
   WHERE ends_at > %(starts_at)s AND starts_at < %(ends_at)s
  UNION ALL
  SELECT id, %(starts_at)s, %(ends_at)s FROM people_user WHERE NOT is_active
)
SELECT DISTINCT pipeline.position, pipeline.id, membership.rotation_id, pipeline.primary_owner_id, pipeline.secondary_owner_id
  FROM pipelines_pipeline pipeline
  JOIN away ON away.engineer_id = pipeline.primary_owner_id
  JOIN away other ON other.engineer_id = pipeline.secondary_owner_id
   AND other.starts_at < away.ends_at AND other.ends_at > away.starts_at
  LEFT JOIN scheduling_pipelinerotation membership ON membership.pipeline_id = pipeline.id
 ORDER BY pipeline.position, pipeline.id
"""


class OwnedPipeline(NamedTuple):
    """The primary keys of a pipeline, of its rotation and of its owners."""

    pipeline: int
    rotation: int | None
    primary_owner: int
    secondary_owner: int


def find_coverage_gaps(*, at: dt.datetime) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the coverage gaps of the next eight weeks, computed from the schedule, as (pipeline, start, end)."""
    window: dict[str, Any] = {"starts_at": at, "ends_at": at + GAP_LOOKAHEAD}
    rows = without_available_owner(**window)
    rotations = Rotation.objects.filter(pk__in={row.rotation for row in rows if row.rotation is not None})
    snapshot = load_schedules(rotations, **window)
    owners: dict[int | None, dict[int, tuple[Person, Person]]] = {}
    for row in rows:
        pair = (snapshot.people[row.primary_owner], snapshot.people[row.secondary_owner])
        owners.setdefault(row.rotation, {})[row.pipeline] = pair
    return [
        gap for key, pairs in owners.items() for gap in coverage_gaps(snapshot.schedule(key), owners=pairs, **window)
    ]


def without_available_owner(*, starts_at: dt.datetime, ends_at: dt.datetime) -> list[OwnedPipeline]:
    """Return the pipelines of which both owners may be unavailable at some instant of a window, in order.

    No other pipeline can be uncovered in it, so the rest need no further look, however many there are.
    """
    with connection.cursor() as cursor, without_history_context():
        cursor.execute(WITHOUT_OWNER_SQL, {"starts_at": starts_at, "ends_at": ends_at})
        return [OwnedPipeline(*row) for _, *row in cursor.fetchall()]


def upcoming_gaps(*, at: dt.datetime) -> QuerySet[CoverageGap]:
    """Return the stored current and upcoming coverage gaps, with their pipelines."""
    return CoverageGap.objects.filter(ends_at__gt=at).select_related("pipeline").order_by("starts_at", "pipeline")
