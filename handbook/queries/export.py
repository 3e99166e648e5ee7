"""Build the handbook file from the database."""

from dataclasses import replace

from django.db.models import F

from common.exceptions import DomainError
from handbook.format.reader import read_handbook
from handbook.format.writer import write_handbook
from handbook.models import HandbookCell, HandbookColumn, HandbookPassage
from handoffs.models import HandoffPolicy
from handoffs.queries.policy import handoff_policies
from people.domain.names import split_audience
from people.models import User
from pipelines.models import Pipeline
from pipelines.queries import ownership
from runbooks.domain.handbook_model import (
    HOLIDAY_POLICY,
    POLICY_TITLE,
    ExtraColumn,
    Handbook,
    HandbookErrors,
    HandoffPart,
    HolidayPolicyPart,
    Passage,
    PipelineRow,
    RosterEntry,
    RotationPart,
    RunbookPart,
    place_in_group,
)
from runbooks.domain.runbook_text import split_sections
from runbooks.models import Runbook
from runbooks.queries import current_revision, runbooks
from scheduling.models import PipelineRotation, Roster, Rotation
from scheduling.queries.rosters import newest_rosters, roster_engineers


def export_handbook() -> str:
    """Return the current handbook file, with the most recently saved roster of each rotation.

    Raise DomainError if there is no pipeline: a handbook has at least one.
    """
    pipelines = list(ownership())
    if not pipelines:
        raise DomainError("There is nothing to export: no pipelines yet. Import a handbook first.")
    extras = tuple(Passage(row.place, row.markdown) for row in HandbookPassage.objects.order_by("position"))
    rotations = _rotations(extras)
    handbook = Handbook(
        pipelines=_pipeline_rows(pipelines, with_rotations=len(rotations) > 1),
        rotations=rotations,
        runbooks=tuple(_runbook_part(row) for row in runbooks()),
        extras=extras,
        columns=tuple(ExtraColumn(row.place, row.title) for row in HandbookColumn.objects.order_by("place")),
    )
    return _readable(handbook)


def handbook_engineers(rotation: Rotation, roster: Roster) -> list[User]:
    """Return a roster's engineers in the handbook's order: from its first engineer, if they are on the roster."""
    engineers = roster_engineers(roster)
    place = getattr(rotation, "in_handbook", None)
    keys = [engineer.pk for engineer in engineers]
    turn = keys.index(place.first_engineer_id) if place and place.first_engineer_id in keys else 0
    return [*engineers[turn:], *engineers[:turn]]


def _pipeline_rows(pipelines: list[Pipeline], *, with_rotations: bool) -> tuple[PipelineRow, ...]:
    cells = {(cell.pipeline_id, cell.column_id): cell.text for cell in HandbookCell.objects.all()}
    columns = [column.pk for column in HandbookColumn.objects.order_by("place")]
    titles = dict(PipelineRotation.objects.values_list("pipeline", "rotation__name")) if with_rotations else {}
    return tuple(
        PipelineRow(
            name=row.name,
            audience=row.audience,
            primary=row.primary_owner.handbook_name,
            secondary=row.secondary_owner.handbook_name,
            rotation=titles.get(row.pk, "") if with_rotations else None,
            extra=tuple(cells.get((row.pk, column), "") for column in columns),
        )
        for row in pipelines
    )


def _rotations(extras: tuple[Passage, ...]) -> tuple[RotationPart, ...]:
    rows = Rotation.objects.active().select_related("in_handbook")
    rotations = list(rows.order_by(F("in_handbook__position").asc(nulls_last=True), "pk"))
    rosters, policies = newest_rosters(rotations), handoff_policies(rotations)
    parts: list[RotationPart] = []
    for rotation in rotations:
        roster = rosters.get(rotation.pk)
        if roster is None:
            continue
        has_text = any(passage.place == place_in_group(HOLIDAY_POLICY, len(parts)) for passage in extras)
        part = RotationPart(
            title=rotation.name,
            intro=rotation.description,
            turns=tuple(RosterEntry(engineer.handbook_name) for engineer in handbook_engineers(rotation, roster)),
            holiday_policy=_holiday_policy(rotation, has_text=has_text),
            handoff=_handoff(policies.get(rotation.pk)),
        )
        # Later rotations share what they have in common with the first.
        if parts and part.holiday_policy == parts[0].holiday_policy:
            part = replace(part, holiday_policy=None)
        if parts and part.handoff == parts[0].handoff:
            part = replace(part, handoff=None)
        parts.append(part)
    return tuple(parts)


def _holiday_policy(rotation: Rotation, *, has_text: bool) -> HolidayPolicyPart | None:
    """Return a rotation's holiday policy, or None if it says nothing and no text of the handbook follows it."""
    is_empty = rotation.policy_name == POLICY_TITLE and not (rotation.policy_introduction or rotation.policy_rules)
    if is_empty and not has_text:
        return None
    return HolidayPolicyPart(
        title=rotation.policy_name, intro=rotation.policy_introduction, rules=tuple(rotation.policy_rules)
    )


def _handoff(policy: HandoffPolicy | None) -> HandoffPart | None:
    if policy is None:
        return None
    return HandoffPart(
        title=policy.name,
        meeting=policy.instruction,
        minutes_min=policy.minutes_min,
        minutes_max=policy.minutes_max,
        topics_label=policy.topics_label,
        topics=tuple(topic.title for topic in policy.topics.all()),
    )


def _readable(handbook: Handbook) -> str:
    """Return the file of a handbook. Raise DomainError if the file would not parse back to the same handbook."""
    text = write_handbook(handbook)
    try:
        parsed = read_handbook(text.encode())
    except HandbookErrors as error:
        raise DomainError(f"Some changes on the site cannot be written as a handbook:\n{error}") from error
    # A text whose neighbour is gone has another place when it is read again.
    if _remove_places(parsed) != _remove_places(handbook):
        raise DomainError(
            "Some changes on the site cannot be written as a handbook: the hand-off text names another length than its "
            "minutes, or a text contains extra line breaks."
        )
    return text


def _remove_places(handbook: Handbook) -> tuple[Handbook, list[str]]:
    return replace(handbook, extras=()), sorted(passage.markdown for passage in handbook.extras)


def _runbook_part(runbook: Runbook) -> RunbookPart:
    name, audience = split_audience(runbook.title)
    return RunbookPart(name=name, audience=audience, sections=split_sections(current_revision(runbook).markdown))
