"""Set the hand-off policy of a rotation."""

from dataclasses import dataclass

from django.db import transaction

from handoffs.models import HandoffPolicy, HandoffTopic
from scheduling.models import Rotation


@dataclass(frozen=True, slots=True)
class HandoffRules:
    """Hand-off rules of a rotation: the meeting's name, description, length in minutes and topics in order."""

    name: str
    instruction: str
    minutes_min: int
    minutes_max: int
    topics_label: str
    topics: tuple[str, ...]


@transaction.atomic
def set_handoff_rules(rotation: Rotation, *, rules: HandoffRules) -> list[str]:
    """Set a rotation's hand-off rules; return the changes, or all rules if it had none.

    Raise django.core.exceptions.ValidationError by field.
    """
    Rotation.objects.select_for_update().get(pk=rotation.pk)
    policy = HandoffPolicy.objects.filter(rotation=rotation).first() or HandoffPolicy(rotation=rotation)
    fields = ("name", "instruction", "minutes_min", "minutes_max", "topics_label")
    is_new = policy.pk is None
    changed = [field for field in fields if is_new or getattr(policy, field) != getattr(rules, field)]
    for field in changed:
        setattr(policy, field, getattr(rules, field))
    if changed:
        policy.full_clean()
        policy.save()
    if list(policy.topics.values_list("title", flat=True)) != list(rules.topics):
        policy.topics.all().delete()
        HandoffTopic.objects.bulk_create(
            HandoffTopic(policy=policy, position=place, title=title) for place, title in enumerate(rules.topics)
        )
        changed.append("topics")
    return changed
