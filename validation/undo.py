"""What the Undo buttons of checks and known events do."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model
from django.urls import reverse

from common.exceptions import DomainError
from common.formatting import format_instant
from people.models import User
from people.undo import Undo, UndoResult, register
from pipelines.models import Pipeline
from validation.models import Check, CheckResult, KnownEvent, Metric
from validation.services.checks import delete_check, mute_check, restore_check, unmute_check, update_check
from validation.services.known_events import Event, add_known_event, delete_known_event, withdraw_expected
from validation.services.metrics import delete_unused_metric, save_metric


@register
@dataclass(frozen=True, slots=True)
class UndoCreateCheck(Undo):
    """Delete a check that was created."""

    name: ClassVar[str] = "check.create"

    check: int
    saved: dict[str, Any]

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Delete it, unless it has since changed or been deleted."""
        check = _unchanged_check(self.check, saved=self.saved)
        delete_check(check, by=by, at=at)
        return UndoResult(f"Check “{check.name}” deleted.", reverse("checks"))


@register
@dataclass(frozen=True, slots=True)
class UndoSaveCheck(Undo):
    """Restore the settings of a check."""

    name: ClassVar[str] = "check.save"

    check: int
    before: dict[str, Any]
    saved: dict[str, Any]

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore them, unless the check has since changed or been deleted."""
        check = _unchanged_check(self.check, saved=self.saved)
        update_check(check, fields={name: _setting(name, value) for name, value in self.before.items()}, by=by, at=at)
        return UndoResult("Earlier settings restored.", reverse("check", args=[check.pk]))


def _unchanged_check(pk: int, *, saved: Mapping[str, Any]) -> Check:
    """Lock and return a check; raise DomainError if its settings are not as they were saved."""
    check: Check | None = Check.objects.select_for_update().filter(pk=pk).first()
    if check is None:
        raise DomainError("This check has since been deleted.")
    if setting_values(check, saved) != saved:
        raise DomainError("The settings of this check have since changed.")
    return check


@register
@dataclass(frozen=True, slots=True)
class UndoCreateMetric(Undo):
    """Delete a metric that was created."""

    name: ClassVar[str] = "metric.create"

    metric: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Delete it unless it now has data points or checks."""
        metric = Metric.objects.select_related("pipeline").filter(pk=self.metric).first()
        if metric is None:
            raise DomainError("This metric has since been deleted.")
        delete_unused_metric(metric, by=by)
        return UndoResult(f"Metric “{metric.name}” deleted.", reverse("pipeline", args=[metric.pipeline.slug]))


@register
@dataclass(frozen=True, slots=True)
class UndoSaveMetric(Undo):
    """Restore the settings of a metric."""

    name: ClassVar[str] = "metric.save"

    metric: int
    before: dict[str, Any]
    saved: dict[str, Any]

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore them unless the metric has since changed or been deleted."""
        metric = (
            Metric.objects.select_for_update(of=("self",)).select_related("pipeline").filter(pk=self.metric).first()
        )
        if metric is None:
            raise DomainError("This metric has since been deleted.")
        if setting_values(metric, self.saved) != self.saved:
            raise DomainError("The settings of this metric have since changed.")
        for name, value in self.before.items():
            setattr(metric, name, _setting(name, value, model=Metric))
        save_metric(metric, by=by)
        return UndoResult("Earlier settings restored.", reverse("edit_metric", args=[metric.pk]))


def setting_values(row: Check | Metric, names: Iterable[str]) -> dict[str, Any]:
    """Return settings of a check or metric as JSON values."""
    values = {name: getattr(row, name) for name in names}
    return {name: value.pk if isinstance(value, Model) else value for name, value in values.items()}


def _setting(name: str, value: Any, *, model: type[Check | Metric] = Check) -> Any:
    """Return a JSON value as the setting; raise DomainError if its metric or data source is gone."""
    related = model._meta.get_field(name).related_model  # noqa: SLF001  # _meta is documented API of Django
    if value is None or not isinstance(related, type):
        return value
    row = related._default_manager.filter(pk=value).first()  # noqa: SLF001  # as above
    if row is None:
        raise DomainError("A metric or data source in the earlier settings has since been deleted.")
    return row


@register
@dataclass(frozen=True, slots=True)
class UndoDeleteCheck(Undo):
    """Restore a deleted check."""

    name: ClassVar[str] = "check.delete"

    check: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore it, unless somebody else has since deleted it."""
        row = Check.all_objects.get(pk=self.check)
        if row.deleted_at is not None and row.deleted_by_id != by.pk:
            raise DomainError("Somebody else has since deleted this check.")
        check = restore_check(row, by=by, at=at)
        return UndoResult(f"Check “{check.name}” restored.", reverse("check", args=[check.pk]))


@register
@dataclass(frozen=True, slots=True)
class UndoMute(Undo):
    """Restore when the mute of a check ends."""

    name: ClassVar[str] = "check.mute"

    check: int
    before: dt.datetime | None
    saved: dt.datetime | None

    @transaction.atomic
    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Restore it, unless someone has muted or unmuted the check since."""
        check = Check.objects.select_for_update().filter(pk=self.check).first()
        if check is None:
            raise DomainError("This check has since been deleted.")
        if check.muted_until != self.saved:
            raise DomainError("The check has since been muted or unmuted again.")
        page = reverse("check", args=[self.check])
        if self.before is None or self.before <= at:
            unmute_check(check)
            return UndoResult(f"Alerts for “{check.name}” unmuted.", page, "mute")
        mute_check(check, until=self.before, at=at)
        return UndoResult(
            f"Alerts for “{check.name}” muted until {format_instant(self.before, by.zone, brief=True)}.", page, "mute"
        )


@register
@dataclass(frozen=True, slots=True)
class UndoExpected(Undo):
    """Remove the mark that a result was expected."""

    name: ClassVar[str] = "check.expected"

    result: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Remove it, unless somebody else has since marked the result; the check is evaluated again."""
        result = CheckResult.objects.filter(pk=self.result).first()
        if result is None:
            raise DomainError("This result has since been deleted.")
        withdraw_expected(result, by=by, at=at)
        return UndoResult("No longer marked as expected.", part=f"result-{self.result}")


@register
@dataclass(frozen=True, slots=True)
class UndoAddEvent(Undo):
    """Delete a known event that was added."""

    name: ClassVar[str] = "event.add"

    event: int

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Delete it, unless it no longer exists."""
        event = KnownEvent.objects.select_related("metric").filter(pk=self.event).first()
        if event is None:
            raise DomainError("This event has since been deleted.")
        delete_known_event(event, at=at)
        return UndoResult(f"Event deleted: {event}. Affected results are being re-evaluated.", part="events")


@register
@dataclass(frozen=True, slots=True)
class UndoDeleteEvent(Undo):
    """Add a known event again that was deleted."""

    name: ClassVar[str] = "event.delete"

    pipeline: int
    metric: int | None
    event: Event

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Add it, unless it already exists again."""
        pipeline = Pipeline.objects.get(pk=self.pipeline)
        metric = Metric.objects.filter(pk=self.metric).first() if self.metric else None
        if self.metric and metric is None:
            raise DomainError("The metric of this event has since been deleted.")
        same = {"starts_on": self.event.starts_on, "ends_on": self.event.ends_on, "name": self.event.name}
        if KnownEvent.objects.filter(pipeline=pipeline, metric=metric, **same).exists():
            raise DomainError("The same event has since been added.")
        event = add_known_event(pipeline, metric=metric, event=self.event, by=by, at=at)
        return UndoResult(f"Event added again: {event}. Affected results are being re-evaluated.", part="events")
