"""Status, open incidents and maintenance of each pipeline, in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass

from common.db import PreparedStatement
from incidents.domain.status import pipeline_status
from pipelines.models import Pipeline

# Written by hand because every page with pipelines runs it: Django takes longer to build four querysets, and PostgreSQL to
# plan them, than to run them. The columns are: fact, pipeline, kind or result, count or staleness.
STATUS_SQL = """
SELECT 'incidents', pipeline_id, kind, count(*) FROM incidents_incident
 WHERE pipeline_id = ANY($1) AND state <> 'resolved' AND source <> 'drill'
 GROUP BY pipeline_id, kind
UNION ALL
SELECT DISTINCT 'result', pipeline_id, last_status, 0 FROM validation_check
 WHERE pipeline_id = ANY($1) AND is_active
UNION ALL
SELECT DISTINCT 'result', pipeline_id, status, is_stale::int FROM validation_externalcheck
 WHERE pipeline_id = ANY($1)
UNION ALL
SELECT DISTINCT 'maintenance', pipeline_id, '', 0 FROM incidents_maintenancewindow
 WHERE pipeline_id = ANY($1) AND starts_at <= statement_timestamp() AND ends_at > statement_timestamp()
"""
STATUS_STATEMENT = PreparedStatement("find_statuses", types=("bigint[]",), sql=lambda: STATUS_SQL)


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A pipeline's status, one of `incidents.domain.status.STATUSES`, its number of unresolved incidents, and maintenance."""

    name: str
    open_incidents: int
    in_maintenance: bool

    @property
    def badge(self) -> str:
        """The badge's CSS class: ok, warn, danger or none."""
        return {"ok": "ok", "unknown": "", "warn": "warn", "delayed": "warn", "stale": "warn"}.get(self.name, "danger")

    @property
    def label(self) -> str:
        """The name as people read it."""
        return "OK" if self.name == "ok" else self.name


def statuses(pipelines: Iterable[Pipeline]) -> dict[int, PipelineStatus]:
    """Return the status by pipeline, in one query for any number of pipelines.

    A pipeline's checks are its enabled checks and those of external tools.
    """
    keys = [row.pk for row in pipelines]
    if not keys:
        return {}
    counts: dict[int, dict[str, int]] = {key: {} for key in keys}
    results: dict[int, set[str]] = {key: set() for key in keys}
    in_maintenance = set()
    for fact, pipeline, text, number in STATUS_STATEMENT.fetch_all(keys):
        if fact == "incidents":
            counts[pipeline][text] = number
        elif fact == "result":
            # A check whose last run was skipped because something upstream failed counts as stale in addition to
            # its last result.
            results[pipeline] |= {text, "stale"} if number else {text}
        else:
            in_maintenance.add(pipeline)
    return {
        key: PipelineStatus(
            name=pipeline_status(kinds=kinds, results=results[key]),
            open_incidents=sum(kinds.values()),
            in_maintenance=key in in_maintenance,
        )
        for key, kinds in counts.items()
    }
