"""Import handbook files into the tables of every app."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

import pghistory
from django.conf import settings
from django.db import transaction

from common.db import advisory_lock
from common.exceptions import DomainError
from handbook.format.reader import read_handbook
from handbook.models import HandbookPassage
from handoffs.queries.policy import handoff_policy
from handoffs.services.policy import HandoffRules, set_handoff_rules
from people.domain.names import match_key
from people.models import User, time_zones
from people.services.accounts import engineers_named
from pipelines.models import Pipeline
from pipelines.queries import ownership
from pipelines.services import Owners, create_pipeline, order_pipelines, update_pipeline
from runbooks.domain.handbook_model import Handbook, HandbookError, HandbookErrors
from runbooks.models import Runbook
from runbooks.services import create_runbook, rename_runbook, save_revision
from scheduling.models import Rotation
from scheduling.services.rosters import apply_roster
from scheduling.services.rotations import RotationText, change_rotation_text, import_rotation, join_rotation
from scheduling.services.weeks import update_hours
from validation.domain.suggestions import SECTION, suggest_checks
from validation.services.checks import create_suggested_checks

REVISION_SUMMARY = "Handbook import"


@dataclass(slots=True)
class Report:
    """The outcome of an import: what was created, changed and unchanged."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def note(self, subject: str, *, created: bool = False, changed: Iterable[str] = ()) -> None:
        """Record the outcome for one object. `changed` names the changed fields."""
        fields = [name.replace("_", " ") for name in changed]
        if created:
            self.created.append(subject)
        elif fields:
            self.changed.append(f"{subject}: {', '.join(fields)}")
        else:
            self.unchanged.append(subject)

    def lines(self) -> list[str]:
        """Return the report as lines. If nothing changed, a single line says so."""
        if not (self.created or self.changed):
            return [f"nothing changed (unchanged: {len(self.unchanged)})"]
        return [
            *(f"created {what}" for what in self.created),
            *(f"changed {what}" for what in self.changed),
            f"unchanged: {len(self.unchanged)}",
        ]


def import_handbook(
    data: bytes, *, at: dt.datetime, starting: dt.date | None = None, time_zone: str | None = None
) -> Report:
    """Create and update what the handbook describes, in one transaction. Return a report.

    `starting` is the first date of week 1 for a new rotation, or the first week of a changed roster.

    Raise HandbookErrors if the file has errors, or DomainError if the current data or the other arguments do not allow
    the import. Both errors leave the database unchanged.
    """
    handbook = read_handbook(data)
    if time_zone is not None and time_zone not in time_zones():
        raise DomainError(f"Unknown time zone “{time_zone}”. Use an IANA name such as Europe/Berlin.")
    report = Report()
    with transaction.atomic(), pghistory.context(by="handbook import"):
        # Without a lock, two concurrent imports would both find nothing and both create everything.
        advisory_lock("import_handbook")
        engineers = _import_engineers(handbook, report, time_zone=time_zone or settings.TIME_ZONE)
        # An existing pipeline outside every rotation stays outside; the first rotation gets every pipeline.
        left_out = set(Pipeline.objects.values_list("pk", flat=True)) if Rotation.objects.exists() else set()
        pipelines = _import_pipelines(handbook, report, engineers=engineers)
        rotation = _import_rotation(handbook, report, time_zone=time_zone, at=at)
        _import_roster(handbook, report, rotation=rotation, engineers=engineers, starting=starting, at=at)
        joined = join_rotation(rotation, pipelines=[row for row in pipelines.values() if row.pk not in left_out])
        report.note(f"pipelines of {rotation}", changed=[str(row) for row in joined])
        _import_handoff(handbook, report, rotation=rotation)
        _import_runbooks(handbook, report, pipelines=pipelines)
        _import_checks(handbook, report, pipelines=pipelines)
        _import_passages(handbook, report)
    return report


def preview_handbook(
    data: bytes, *, at: dt.datetime, starting: dt.date | None = None, time_zone: str | None = None
) -> Report:
    """Return the report of an import without changing anything. Raise the same errors as `import_handbook`."""
    with transaction.atomic():
        report = import_handbook(data, at=at, starting=starting, time_zone=time_zone)
        transaction.set_rollback(True)
    return report


def _import_engineers(handbook: Handbook, report: Report, *, time_zone: str) -> dict[str, User]:
    """Return engineers by name match key. Raise HandbookErrors with line numbers for inactive engineers."""
    engineers, created = engineers_named(list(handbook.engineers), time_zone=time_zone)
    lines = [(name, row.line) for row in handbook.pipelines for name in (row.primary, row.secondary)]
    lines += [(turn.engineer, turn.line) for turn in handbook.rotation.turns]
    errors = [
        HandbookError(line, f"“{name}” is deactivated", "an active engineer: reactivate them, or name somebody else")
        for name, line in lines
        if not engineers[match_key(name)].is_active
    ]
    if errors:
        raise HandbookErrors(errors)
    for user in engineers.values():
        report.note(f"engineer {user} ({user.username})", created=user in created)
    return engineers


def _import_pipelines(handbook: Handbook, report: Report, *, engineers: dict[str, User]) -> dict[str, Pipeline]:
    known = {row.match_key: row for row in ownership()}
    named: dict[str, Pipeline] = {}
    for row in handbook.pipelines:
        owners = Owners(primary=engineers[match_key(row.primary)], secondary=engineers[match_key(row.secondary)])
        key = match_key(row.full_name)
        if key not in known:
            named[key] = create_pipeline(row.full_name, owners=owners, position=len(known) + len(named))
            report.note(f"pipeline {named[key]}", created=True)
            continue
        named[key] = known.pop(key)
        fields = {
            "name": row.name,
            "audience": row.audience,
            "primary_owner": owners.primary,
            "secondary_owner": owners.secondary,
        }
        report.note(f"pipeline {row.full_name}", changed=update_pipeline(named[key], fields=fields))
    moved = order_pipelines([*named.values(), *known.values()])
    report.note("order of the pipelines", changed=[str(row) for row in moved])
    return named


def _import_rotation(handbook: Handbook, report: Report, *, time_zone: str | None, at: dt.datetime) -> Rotation:
    """Return the handbook's rotation: the one with its name, else the only existing rotation, else a new one."""
    part, policy = handbook.rotation, handbook.holiday_policy
    text = RotationText(
        name=part.title,
        description=part.intro,
        policy_name=policy.title,
        policy_introduction=policy.intro,
        policy_rules=policy.rules,
    )
    known = list(Rotation.objects.active())
    found = [row for row in known if match_key(row.name) == match_key(part.title)] or known[: len(known) == 1]
    if not found:
        rotation = import_rotation(text, time_zone=time_zone or settings.TIME_ZONE)
        report.note(f"rotation {rotation}", created=True)
        return rotation
    rotation = found[0]
    changed = change_rotation_text(rotation, text=text)
    if time_zone is not None:
        changed += update_hours(rotation, time_zone=time_zone, at=at)
    report.note(f"rotation {text.name}", changed=changed)
    rotation.refresh_from_db()
    return rotation


def _import_roster(  # passes the import's arguments through
    handbook: Handbook,
    report: Report,
    *,
    rotation: Rotation,
    engineers: dict[str, User],
    starting: dt.date | None,
    at: dt.datetime,
) -> None:
    members = [engineers[match_key(name)] for name in handbook.rotation.engineers]
    first = not rotation.rosters.exists()
    roster = apply_roster(rotation, engineers=members, at=at, starting=starting)
    changed = [f"holds from {roster.starts_on}"] if roster else []
    report.note(f"roster of {rotation}", created=first, changed=changed)


def _import_handoff(handbook: Handbook, report: Report, *, rotation: Rotation) -> None:
    part = handbook.handoff
    rules = HandoffRules(
        name=part.title,
        instruction=part.meeting,
        minutes_min=part.minutes_min,
        minutes_max=part.minutes_max,
        topics_label=part.topics_label,
        topics=part.topics,
    )
    first = handoff_policy(rotation) is None
    report.note(f"hand-off of {rotation}", created=first, changed=set_handoff_rules(rotation, rules=rules))


def _import_runbooks(handbook: Handbook, report: Report, *, pipelines: dict[str, Pipeline]) -> None:
    known = {row.pipeline_id: row for row in Runbook.objects.all()}
    for part in handbook.runbooks:
        pipeline = pipelines[match_key(part.full_name)]
        runbook = known.get(pipeline.pk)
        if runbook is None:
            create_runbook(
                pipeline, title=part.full_name, markdown=part.markdown, author=None, summary=REVISION_SUMMARY
            )
            report.note(f"runbook {part.full_name}", created=True)
            continue
        before = runbook.revision
        saved = save_revision(runbook, markdown=part.markdown, based_on=before, author=None, summary=REVISION_SUMMARY)
        changed = ["text"] if saved.number != before else []
        if runbook.title != part.full_name:
            rename_runbook(runbook, title=part.full_name)
            changed.append("title")
        report.note(f"runbook {part.full_name}", changed=changed)


def _import_checks(handbook: Handbook, report: Report, *, pipelines: dict[str, Pipeline]) -> None:
    """Create a disabled check for every line under "Metrics Validation" that has none yet."""
    for part in handbook.runbooks:
        pipeline = pipelines[match_key(part.full_name)]
        sections = [section.markdown for section in part.sections if match_key(section.title) == match_key(SECTION)]
        proposals = [one for markdown in sections for one in suggest_checks(markdown, pipeline=part.name)]
        if proposals:
            added = create_suggested_checks(pipeline, suggestions=proposals)
            report.note(f"checks proposed for {pipeline} (disabled)", changed=[str(check) for check in added])


def _import_passages(handbook: Handbook, report: Report) -> None:
    passages = [
        HandbookPassage(position=place, place=passage.place, markdown=passage.markdown)
        for place, passage in enumerate(handbook.extras)
    ]
    changed = replace_passages(passages)
    if passages or changed:
        report.note("other text of the handbook", changed=["text"] if changed else [])


@transaction.atomic
def replace_passages(passages: list[HandbookPassage]) -> bool:
    """Replace all handbook passages. Return True if anything changed."""
    kept = list(HandbookPassage.objects.values_list("position", "place", "markdown").order_by("position"))
    if kept == [(p.position, p.place, p.markdown) for p in passages]:
        return False
    HandbookPassage.objects.all().delete()
    HandbookPassage.objects.bulk_create(passages)
    return True
