"""Checks that the handbook's lines ask for, drafted and switched off until somebody sets them up."""

from collections.abc import Sequence

from django.db import transaction

from pipelines.models import Pipeline
from validation.models import Check
from validation.verdicts.proposals import Proposal

LINE_LENGTH = 500


@transaction.atomic
def propose_checks(pipeline: Pipeline, *, proposals: Sequence[Proposal]) -> list[Check]:
    """Add a check, switched off, for each proposal whose line has none yet; return those added.

    A check that somebody set up, renamed or switched on is left alone: its line is known. So is one of the same name.
    """
    there = Check.objects.filter(pipeline=pipeline).values_list("proposed_from", "name")
    lines, names = {line for line, _ in there}, {name for _, name in there}
    added = []
    for proposal in proposals:
        line = proposal.line[:LINE_LENGTH]
        if line in lines or proposal.name in names:
            continue
        lines.add(line)
        names.add(proposal.name)
        added.append(
            Check(
                pipeline=pipeline,
                name=proposal.name,
                check_type=proposal.check_type,
                parameters=dict(proposal.parameters),
                is_active=False,
                proposed_from=line,
            )
        )
    return Check.objects.bulk_create(added)
