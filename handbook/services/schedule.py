"""Import the rotations of a handbook with their rosters, policies, hand-offs and pipelines."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from common.formatting import format_day
from handbook.models import HandbookRotation
from handbook.queries.questions import NEW, Answers, RotationQuestion
from handbook.queries.rosters import RosterEffect, RosterPlan, is_handbook_order, roster_plan
from handbook.services.report import Report
from handoffs.queries.policy import handoff_policy
from handoffs.services.policy import HandoffRules, set_handoff_rules
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import Handbook, HandbookError, HandoffPart, RotationPart
from scheduling.domain.weeks import current_week
from scheduling.loaders import rotation_hours
from scheduling.models import PipelineRotation, Rotation
from scheduling.queries.rosters import newest_roster, roster_change
from scheduling.services.rosters import apply_roster, set_roster
from scheduling.services.rotations import (
    RotationText,
    change_rotation_text,
    import_rotation,
    join_rotation,
    move_pipeline,
)
from scheduling.services.weeks import update_hours


def rotation_errors(questions: list[RotationQuestion], *, answers: Answers) -> list[HandbookError]:
    errors, taken = [], set()
    for question in questions:
        answer = answers.rotation(question)
        names = " or ".join(f"“{option.label}” under its new name" for option in question.options)
        wrong = f"the site has no rotation “{question.title}”"
        if not answer:
            errors.append(HandbookError(question.line, wrong, f"a choice: a new rotation, or {names}"))
        elif answer != NEW and (answer in taken or answer not in {option.value for option in question.options}):
            wrong = f"“{answer}” cannot be the rotation “{question.title}”"
            errors.append(HandbookError(question.line, wrong, f"“{NEW}”, or one of {_values(question)}, each once"))
        taken.add(answer)
    return errors


def _values(question: RotationQuestion) -> str:
    return ", ".join(f"“{option.value}”" for option in question.options)


def import_rotations(
    handbook: Handbook, report: Report, *, answers: Answers, time_zone: str | None, at: dt.datetime
) -> list[Rotation]:
    """Return the rotations of the handbook: those with its names, those whom answers name, and new ones."""
    active = {match_key(row.name): row for row in Rotation.objects.active()}
    for question in report.rotations:
        slug = answers.rotation(question)
        if slug != NEW:
            active[question.key] = next(row for row in active.values() if row.slug == slug)
    rows = [active.get(match_key(part.title)) for part in handbook.rotations]
    if rows:
        named = {row.pk for row in rows if row}
        others = {row.pk: row for row in active.values()}
        report.absent += [f"rotation {row}" for row in others.values() if row.pk not in named]
    shared = [_shares_policies(row, rows[0]) for row in rows]
    return [
        _import_rotation(
            part, report, row=row, first=handbook.rotations[0], shared=with_first, time_zone=time_zone, at=at
        )
        for part, row, with_first in zip(handbook.rotations, rows, shared, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Shared:
    """Whether a rotation has the holiday policy and the hand-off of the first one."""

    policy: bool = True
    handoff: bool = True


def _shares_policies(row: Rotation | None, first: Rotation | None) -> Shared:
    """Return what a rotation shares with the first one now; a new one shares both."""
    if row is None or row == first:
        return Shared()
    if first is None:
        return Shared(policy=False, handoff=False)
    policies = [(one.policy_name, one.policy_introduction, one.policy_rules) for one in (row, first)]
    return Shared(policy=policies[0] == policies[1], handoff=_handoff_rules(row) == _handoff_rules(first))


def _handoff_rules(rotation: Rotation) -> HandoffRules | None:
    policy = handoff_policy(rotation)
    if policy is None:
        return None
    return HandoffRules(
        name=policy.name,
        instruction=policy.instruction,
        minutes_min=policy.minutes_min,
        minutes_max=policy.minutes_max,
        topics_label=policy.topics_label,
        topics=tuple(topic.title for topic in policy.topics.all()),
    )


def _import_rotation(
    part: RotationPart,
    report: Report,
    *,
    row: Rotation | None,
    first: RotationPart,
    shared: Shared,
    time_zone: str | None,
    at: dt.datetime,
) -> Rotation:
    policy = part.holiday_policy or (first.holiday_policy if shared.policy else None)
    text = RotationText(
        name=part.title,
        description=part.intro,
        policy_name=policy.title if policy else None,
        policy_introduction=policy.intro if policy else None,
        policy_rules=policy.rules if policy else None,
    )
    if row is None:
        rotation = import_rotation(text, time_zone=time_zone or settings.TIME_ZONE)
        report.note(f"rotation {rotation}", created=True)
    else:
        rotation = row
        changed = change_rotation_text(rotation, text=text)
        if match_key(row.name) != match_key(part.title):
            changed = [f"name was “{row.name}”", *(field for field in changed if field != "name")]
        if time_zone is not None:
            changed += update_hours(rotation, time_zone=time_zone, at=at)
        report.note(f"rotation {text.name}", changed=changed)
        rotation.refresh_from_db()
    import_handoff(part.handoff or (first.handoff if shared.handoff else None), report, rotation=rotation)
    return rotation


def import_roster(  # passes the import's arguments through
    part: RotationPart,
    report: Report,
    *,
    rotation: Rotation,
    engineers: list[User],
    starting: dt.date | None,
    at: dt.datetime,
) -> None:
    is_new = newest_roster(rotation) is None
    if starting is not None:
        plan: RosterPlan | None = RosterPlan(tuple(engineers), starting)
    else:
        plan = roster_plan(part, rotation, engineers=engineers, at=at)
    change = None
    if plan is not None and not is_new and plan.starts_on > current_week(rotation_hours(rotation), at=at):
        change = roster_change(rotation, engineers=list(plan.engineers), starts_on=plan.starts_on)
    if starting is not None:
        roster = apply_roster(rotation, engineers=engineers, at=at, starting=starting)
    elif plan is not None:
        roster = set_roster(rotation, engineers=plan.engineers, starts_on=plan.starts_on, at=at)
    else:
        roster = None
    if roster is not None and plan is not None:
        report.rosters.append(RosterEffect(rotation.name, plan, change))
    changed = [f"starts on {format_day(roster.starts_on)}"] if roster else []
    if not is_new and not is_handbook_order(rotation, engineers=engineers):
        changed.append("order in the handbook")
    report.note(f"roster of {rotation}", created=is_new, changed=changed)


def import_places(rotations: list[Rotation], handbook: Handbook, report: Report, *, engineers: dict[str, User]) -> None:
    """Store the order of the rotations in the handbook, and who is first in each."""
    wanted = {
        rotation.pk: (position, engineers[match_key(part.engineers[0])].pk)
        for position, (rotation, part) in enumerate(zip(rotations, handbook.rotations, strict=True))
    }
    rows = HandbookRotation.objects.all() if wanted else HandbookRotation.objects.none()
    if {row.rotation_id: (row.position, row.first_engineer_id) for row in rows} == wanted:
        return
    rows.delete()
    HandbookRotation.objects.bulk_create(
        HandbookRotation(rotation_id=key, position=position, first_engineer_id=engineer)
        for key, (position, engineer) in wanted.items()
    )


def import_memberships(
    handbook: Handbook,
    report: Report,
    *,
    pipelines: dict[str, Pipeline],
    rotations: list[Rotation],
    new: list[Pipeline],
) -> None:
    """Put each pipeline into the rotation that its row names. Without such a column, new ones join the first rotation."""
    by_title = {match_key(part.title): row for part, row in zip(handbook.rotations, rotations, strict=True)}
    current = dict(PipelineRotation.objects.values_list("pipeline", "rotation"))
    with_column = [row for row in handbook.pipelines if row.rotation is not None]
    for row in with_column:
        pipeline = pipelines[match_key(row.full_name)]
        rotation = by_title.get(match_key(row.rotation or ""))
        is_same = current.get(pipeline.pk) == (rotation.pk if rotation else None)
        if not is_same:
            move_pipeline(pipeline, rotation=rotation)
        changed = [] if is_same else [str(rotation) if rotation else "none"]
        report.note(f"rotation of {pipeline}", changed=changed)
    if rotations and not with_column:
        joined = join_rotation(rotations[0], pipelines=new)
        report.note(f"pipelines of {rotations[0]}", changed=[str(row) for row in joined])


def import_handoff(part: HandoffPart | None, report: Report, *, rotation: Rotation) -> None:
    if part is None:
        return
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
