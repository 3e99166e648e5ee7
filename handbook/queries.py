"""Build the handbook file from the database."""

from common.exceptions import DomainError
from handbook.format.reader import read_handbook
from handbook.format.writer import write_handbook
from handbook.models import HandbookPassage
from handoffs.queries.policy import handoff_policy
from people.domain.names import split_audience
from pipelines.queries import ownership
from runbooks.domain.handbook_model import (
    Handbook,
    HandbookErrors,
    HandoffPart,
    HolidayPolicyPart,
    Passage,
    PipelineRow,
    RosterEntry,
    RotationPart,
    RunbookPart,
)
from runbooks.domain.runbook_text import split_sections
from runbooks.models import Runbook
from runbooks.queries import current_revision, runbooks
from scheduling.models import Rotation
from scheduling.queries.rosters import newest_roster, roster_engineers


def export_handbook() -> str:
    """Return the current handbook file, with the most recently saved roster.

    Raise DomainError if there is no rotation with a roster and a hand-off policy: a handbook requires both.
    """
    rotation = Rotation.objects.order_by("pk").first()
    roster = newest_roster(rotation) if rotation else None
    policy = handoff_policy(rotation) if rotation else None
    if rotation is None or roster is None or policy is None:
        raise DomainError(
            "There is nothing to export: no rotation has both a roster and hand-off settings. Import a handbook first."
        )
    handbook = Handbook(
        pipelines=tuple(
            PipelineRow(
                name=row.name,
                audience=row.audience,
                primary=row.primary_owner.display_name,
                secondary=row.secondary_owner.display_name,
            )
            for row in ownership()
        ),
        rotation=RotationPart(
            title=rotation.name,
            intro=rotation.description,
            turns=tuple(RosterEntry(engineer.display_name) for engineer in roster_engineers(roster)),
        ),
        holiday_policy=HolidayPolicyPart(
            title=rotation.policy_name, intro=rotation.policy_introduction, rules=tuple(rotation.policy_rules)
        ),
        handoff=HandoffPart(
            title=policy.name,
            meeting=policy.instruction,
            minutes_min=policy.minutes_min,
            minutes_max=policy.minutes_max,
            topics_label=policy.topics_label,
            topics=tuple(topic.title for topic in policy.topics.all()),
        ),
        runbooks=tuple(_runbook_part(row) for row in runbooks()),
        extras=tuple(Passage(row.place, row.markdown) for row in HandbookPassage.objects.order_by("position")),
    )
    return _readable(handbook)


def _readable(handbook: Handbook) -> str:
    """Return the file of a handbook. Raise DomainError if the file would not parse back to the same handbook."""
    text = write_handbook(handbook)
    try:
        same = read_handbook(text.encode()) == handbook
    except HandbookErrors as error:
        raise DomainError(f"Some changes on the site cannot be written as a handbook:\n{error}") from error
    if not same:
        raise DomainError(
            "Some changes on the site cannot be written as a handbook: the hand-off text names another length than its "
            "minutes, or a text contains extra line breaks."
        )
    return text


def _runbook_part(runbook: Runbook) -> RunbookPart:
    name, audience = split_audience(runbook.title)
    return RunbookPart(name=name, audience=audience, sections=split_sections(current_revision(runbook).markdown))
