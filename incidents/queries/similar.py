"""Similar past incidents and their fixes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from incidents.domain.similarity import MIN_SIMILARITY, IncidentTraits, similarity
from incidents.models import Failure, Incident, RunStep, TimelineEntry

MAX_SIMILAR = 3
# The newest resolved incidents that share a check or the pipeline.
MAX_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A past incident with the runbook step that fixed it and its resolution comment. Both may be empty."""

    incident: Incident
    fixed_by: str
    comment: str


def similar_incidents(incident: Incident) -> list[SimilarIncident]:
    """Return the resolved incidents most similar to an incident, best match first, newest first if equal, in five queries."""
    own = _checks([incident])[incident.pk]
    ids = [int(key.removeprefix("check ")) for key in own if key.startswith("check ")]
    prints = [key for key in own if not key.startswith("check ")]
    same_check = Failure.objects.filter(Q(check_id__in=ids) | Q(fingerprint__in=prints)).values("incident")
    rows = Incident.objects.without_drills().filter(state=Incident.State.RESOLVED).exclude(pk=incident.pk)
    rows = rows.filter(Q(pipeline=incident.pipeline_id) | Q(pk__in=same_check)).select_related("pipeline")
    candidates = list(rows.order_by("-opened_at", "-pk")[:MAX_CANDIDATES])
    checks = _checks(candidates)
    traits = _traits(incident, own)
    scored = [(similarity(traits, _traits(row, checks[row.pk])), row) for row in candidates]
    alike = sorted((pair for pair in scored if pair[0] >= MIN_SIMILARITY), key=lambda pair: -pair[0])[:MAX_SIMILAR]
    incidents = [row for _, row in alike]
    steps = dict(
        RunStep.objects.filter(run__incident__in=incidents, fixed_incident=True).values_list("run__incident", "text")
    )
    resolved = TimelineEntry.objects.filter(incident__in=incidents, kind=TimelineEntry.Kind.RESOLVED).exclude(text="")
    comments = dict(resolved.order_by("pk").values_list("incident", "text"))
    return [SimilarIncident(row, steps.get(row.pk, ""), comments.get(row.pk, "")) for row in incidents]


def _traits(incident: Incident, checks: Iterable[str]) -> IncidentTraits:
    return IncidentTraits(incident.pipeline_id, incident.kind, incident.title, frozenset(checks))


def _checks(incidents: Iterable[Incident]) -> dict[int, set[str]]:
    """Return what identifies the failing checks and alerts of each incident."""
    rows = list(incidents)
    checks: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.check_id is not None:
            checks[row.pk].add(f"check {row.check_id}")
        if row.fingerprint:
            checks[row.pk].add(row.fingerprint)
    failures = Failure.objects.filter(incident__in=rows).order_by()
    for key, check_id, fingerprint in failures.values_list("incident", "check_id", "fingerprint"):
        checks[key].add(fingerprint or f"check {check_id}")
    return checks
