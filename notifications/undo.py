"""Undo of changes to contact methods and notification rules."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction
from django.urls import reverse

from common.exceptions import DomainError, InvalidInputError
from notifications.domain.rules import Step
from notifications.models import ContactMethod, NotificationRule
from notifications.services.contact_methods import RemovedMethod, remove_contact_method, restore_contact_method
from notifications.services.preferences import update_rules
from people.models import User
from people.undo import Undo, UndoResult, register


@register
@dataclass(frozen=True, slots=True)
class UndoAddMethod(Undo):
    """Remove a contact method that was added."""

    name: ClassVar[str] = "contact-method.add"

    method: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Remove it unless it was already removed."""
        method = ContactMethod.objects.filter(pk=self.method, person=by).first()
        if method is None:
            raise DomainError("This contact method has since been removed.")
        remove_contact_method(method, by=by)
        return UndoResult("Contact method removed.", reverse("notifications"), "contact-methods")


@register
@dataclass(frozen=True, slots=True)
class UndoRemoveMethod(Undo):
    """Restore a contact method that was removed."""

    name: ClassVar[str] = "contact-method.remove"

    removed: RemovedMethod

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore it with its rules, unless it has since been added again."""
        method = restore_contact_method(by, removed=self.removed)
        return UndoResult(f"{method.get_channel_display()} restored.", reverse("notifications"), "contact-methods")


@dataclass(frozen=True, slots=True)
class SavedRules:
    """A person's steps by urgency; no steps mean the default."""

    high: tuple[Step, ...]
    low: tuple[Step, ...]


@register
@dataclass(frozen=True, slots=True)
class UndoSaveRules(Undo):
    """Restore notification rules."""

    name: ClassVar[str] = "rules.save"

    before: SavedRules
    saved: SavedRules

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore them unless they have since changed or use a removed contact method."""
        # One at a time per person.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        if saved_rules(by) != self.saved:
            raise DomainError("Your notification rules have changed since then.")
        rules = {NotificationRule.Urgency.HIGH: self.before.high, NotificationRule.Urgency.LOW: self.before.low}
        try:
            update_rules(by, rules={urgency.value: steps for urgency, steps in rules.items()})
        except InvalidInputError as error:
            raise DomainError("Your earlier rules use a contact method that was removed.") from error
        return UndoResult("Earlier rules restored.", reverse("notifications"), "rules")


def saved_rules(person: User) -> SavedRules:
    """Return a person's rules as they are stored."""
    steps: dict[str, list[Step]] = {urgency: [] for urgency in NotificationRule.Urgency.values}
    for rule in person.notification_rules.order_by("delay_minutes", "channel"):
        steps[rule.urgency].append(Step(rule.delay_minutes, rule.channel))
    return SavedRules(tuple(steps[NotificationRule.Urgency.HIGH]), tuple(steps[NotificationRule.Urgency.LOW]))
