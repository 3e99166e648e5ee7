"""Published days and their restatements."""

import datetime as dt
import math
import sys

import pghistory
from django.db import models
from django.db.models import Q

from common.fields import LineField, MultilineField
from common.formatting import format_value
from incidents.models import Incident
from people.models import User
from pipelines.models import Pipeline
from readiness.domain.ledger import differs
from validation.models import Metric

MAX_COMMENT_LENGTH = 2000


class Publication(models.Model):
    """A pipeline's day whose numbers were published: its verdict became safe.

    The published values are those of its points at that moment; a value that arrives later was not published. Pushes to a metric happen
    one after another, so the rows with a higher ID than `last_point` and `last_revision` came later, whatever clocks say.
    """

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="publications")
    day = models.DateField()
    published_at = models.DateTimeField()
    last_point = models.PositiveBigIntegerField(default=0, editable=False)
    last_revision = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-day", "pipeline"]
        constraints = [models.UniqueConstraint(fields=["pipeline", "day"], name="day_is_published_once")]

    def __str__(self) -> str:
        return f"{self.pipeline}, {self.day}"


class SweepCursor(models.Model):
    """Until when changes of points have been compared with published values: one row."""

    compared_until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_sweep_cursor")]

    def __str__(self) -> str:
        return f"{self.compared_until:%Y-%m-%d %H:%M}Z"


@pghistory.track()
class Restatement(models.Model):
    """A published value that changed: what it was, what it is, and why.

    It is open until the day is safe again. A number that was published right, then changed and came back is a restatement too: readers
    saw `farthest_value` in between.
    """

    class Cause(models.TextChoices):
        """Why the value changed."""

        INCIDENT = "incident", "Incident"
        BACKFILL = "backfill", "Backfill"

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="restatements")
    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="restatements")
    segment = LineField(max_length=120, blank=True)
    bucket = models.DateTimeField()
    from_value = models.FloatField("from")
    to_value = models.FloatField("to")
    farthest_value = models.FloatField("farthest", help_text="The value in between that differed most.")
    published_at = models.DateTimeField(help_text="When the value in “from” was published.")
    changed_at = models.DateTimeField(help_text="When the value first differed.")
    restated_at = models.DateTimeField(help_text="When the value in “to” was stored.")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When the day was safe again.")
    last_revision = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="The newest change it includes."
    )
    cause = models.CharField(max_length=8, choices=Cause, default=Cause.BACKFILL)
    incident = models.ForeignKey(
        Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="restatements"
    )
    comment = MultilineField(blank=True, max_length=MAX_COMMENT_LENGTH)
    commented_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-changed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "segment", "bucket"],
                condition=Q(settled_at=None),
                name="one_open_restatement_per_value",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.from_text} → {self.to_text}"

    @property
    def has_returned(self) -> bool:
        """Return True if the value is again the one that was published."""
        return not differs(self.to_value, self.from_value)

    @property
    def wrong_since(self) -> dt.datetime:
        """When readers first saw a wrong number: when it changed if it came back, else when it was published."""
        return self.changed_at if self.has_returned else self.published_at

    @property
    def change(self) -> float:
        """By how much the published value changed, as far as a number can be."""
        return max(-sys.float_info.max, min(self.to_value - self.from_value, sys.float_info.max))

    @property
    def percent(self) -> float | None:
        """The change in percent of the published value; None if that was zero, or too small for the percentage to be a number."""
        percent = 100 * (self.change / abs(self.from_value)) if self.from_value else math.inf
        return percent if math.isfinite(percent) else None

    @property
    def bucket_time(self) -> dt.date | dt.datetime:
        """The day or hour of the value."""
        return self.metric.bucket_time(self.bucket)

    @property
    def notified_people(self) -> list[User]:
        """The engineers whom the incident notified, in order; reads prefetched rows."""
        steps = self.incident.escalation_steps.all() if self.incident else ()
        return list(dict.fromkeys(step.engineer for step in steps))

    @property
    def notified(self) -> list[str]:
        """The user names of those whom the incident notified."""
        return [person.username for person in self.notified_people]

    @property
    def from_text(self) -> str:
        return format_value(self.from_value, unit=self.metric.unit)

    @property
    def to_text(self) -> str:
        return format_value(self.to_value, unit=self.metric.unit)

    @property
    def farthest_text(self) -> str:
        return format_value(self.farthest_value, unit=self.metric.unit)
