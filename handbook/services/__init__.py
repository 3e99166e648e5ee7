"""Import handbook files into the tables of every app."""

import datetime as dt
from collections.abc import Collection

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from common.db import advisory_lock
from common.exceptions import DomainError
from handbook.format.reader import parse_handbook
from handbook.queries.questions import Answers, person_questions, rotation_questions
from handbook.services.contents import (
    collect_queries,
    import_checks,
    import_columns,
    import_passages,
    import_pipelines,
    import_runbooks,
)
from handbook.services.people import import_engineers, people_errors
from handbook.services.report import ImportErrors, Report
from handbook.services.schedule import (
    import_memberships,
    import_places,
    import_roster,
    import_rotations,
    rotation_errors,
)
from incidents.services.evidence import approve_query
from people.domain.names import match_key
from people.models import NAMES_LOCK, User, time_zones
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import Handbook, HandbookError
from scheduling.models import Rotation


def import_handbook(
    data: bytes,
    *,
    at: dt.datetime,
    starting: dt.date | None = None,
    time_zone: str | None = None,
    answers: Answers | None = None,
) -> Report:
    """Create and update what the handbook describes, in one transaction. Return a report.

    `starting` is the first date of week 1 for a new rotation, or the first week of a changed roster. `answers` say who new
    names mean, and which rotation a new title means.

    Raise HandbookErrors if the file has errors or leaves a question open, or DomainError if the current data or the other
    arguments do not allow the import. Both errors leave the database unchanged.
    """
    answers = answers or Answers()
    handbook, errors = parse_handbook(data)
    if time_zone is not None and time_zone not in time_zones():
        raise DomainError(f"Unknown time zone “{time_zone}”. Use an IANA name such as Europe/Berlin.")
    try:
        return _import(handbook, errors, at=at, starting=starting, time_zone=time_zone, answers=answers)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages)) from error


def _import(
    handbook: Handbook,
    errors: list[HandbookError],
    *,
    at: dt.datetime,
    starting: dt.date | None,
    time_zone: str | None,
    answers: Answers,
) -> Report:
    report = Report()
    with transaction.atomic(), pghistory.context(by="handbook import"):
        # Without a lock, two concurrent imports would both find nothing and both create everything.
        advisory_lock("import_handbook")
        advisory_lock(NAMES_LOCK)
        report.people, report.rotations = person_questions(handbook), rotation_questions(handbook)
        errors += people_errors(handbook, report.people, answers=answers)
        errors += rotation_errors(report.rotations, answers=answers)
        if errors:
            raise ImportErrors(errors, people=report.people, rotations=report.rotations)
        engineers = import_engineers(handbook, report, answers=answers, time_zone=time_zone or settings.TIME_ZONE)
        # An existing pipeline outside every rotation stays outside; the first rotation gets every pipeline.
        left_out = set(Pipeline.objects.values_list("pk", flat=True)) if Rotation.objects.exists() else set()
        pipelines = import_pipelines(handbook, report, engineers=engineers)
        rotations = import_rotations(handbook, report, answers=answers, time_zone=time_zone, at=at)
        for part, rotation in zip(handbook.rotations, rotations, strict=True):
            members = [engineers[match_key(name)] for name in part.engineers]
            import_roster(part, report, rotation=rotation, engineers=members, starting=starting, at=at)
        import_places(rotations, handbook, report, engineers=engineers)
        new = [row for row in pipelines.values() if row.pk not in left_out]
        import_memberships(handbook, report, pipelines=pipelines, rotations=rotations, new=new)
        import_runbooks(handbook, report, pipelines=pipelines)
        import_checks(handbook, report, pipelines=pipelines)
        collect_queries(handbook, report, pipelines=pipelines)
        import_columns(handbook, report, pipelines=pipelines)
        import_passages(handbook, report)
    return report


def approve_queries(
    report: Report, *, keys: Collection[str], by: User, at: dt.datetime, rows_for_engineers: bool
) -> int:
    """Approve the queries of an import that an admin chose in its preview, by their keys; return their number."""
    chosen = [query.state for query in report.queries if query.state.block.key in keys]
    for state in chosen:
        if state.source is not None:
            approve_query(state.source, query=state.block.query, by=by, at=at, rows_for_engineers=rows_for_engineers)
    return len(chosen)


def preview_handbook(
    data: bytes,
    *,
    at: dt.datetime,
    starting: dt.date | None = None,
    time_zone: str | None = None,
    answers: Answers | None = None,
) -> Report:
    """Return the report of an import without changing anything. Raise the same errors as `import_handbook`."""
    with transaction.atomic():
        report = import_handbook(data, at=at, starting=starting, time_zone=time_zone, answers=answers)
        transaction.set_rollback(True)
    return report
