"""Models of external checks: the results of other tools, and the rules that map them to pipelines."""

import datetime as dt
from typing import Self

import pghistory
from django.db import models
from django.db.models import Q

from common.fields import LineField, MultilineField
from pipelines.models import Pipeline
from validation.importers.files import KINDS
from validation.importers.results import ResultStatus
from validation.models.checks import STATUSES

TOOLS = [(kind.tool, kind.label) for kind in KINDS.values()]


@pghistory.track()
class MappingRule(models.Model):
    """A pattern for the keys of one tool or of all, mapped to a pipeline. The most specific pattern wins."""

    tool = models.CharField(max_length=30, blank=True, choices=TOOLS, help_text="Default: any tool.")
    pattern = LineField(
        max_length=250, help_text="Key of a result, in any case; * matches anything, as in model.shop.*"
    )
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="external_rules")

    class Meta:
        ordering = ["tool", "pattern"]
        constraints = [
            models.UniqueConstraint(
                fields=["tool", "pattern"],
                name="rule_pattern_is_unique",
                violation_error_message="This tool and pattern already have a rule. Edit that rule instead.",
            ),
            models.CheckConstraint(condition=~Q(pattern=""), name="rule_has_a_pattern"),
        ]

    def __str__(self) -> str:
        return f"{self.get_tool_display() if self.tool else 'any tool'}: {self.pattern} → {self.pipeline}"


class ExternalCheckQuerySet(models.QuerySet["ExternalCheck"]):
    def unmapped(self) -> Self:
        """Return external checks that no rule maps to a pipeline."""
        return self.filter(pipeline=None)


class ExternalCheck(models.Model):
    """A check of another tool, with its last result."""

    tool = models.CharField(max_length=30, choices=TOOLS)
    key = LineField(max_length=250)
    name = LineField(max_length=250)
    subject = LineField(max_length=250, blank=True, help_text="Table, model, source or DAG.")
    column = LineField(max_length=250, blank=True)
    measure = LineField(max_length=250, blank=True)
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="external_checks"
    )
    status = models.CharField(max_length=10, choices=STATUSES)
    value = models.FloatField(null=True, blank=True)
    message = MultilineField(blank=True)
    at = models.DateTimeField(help_text="Time of the last result.")
    period_at = models.DateTimeField(
        null=True, blank=True, help_text="Logical date of the last result, if the tool has one."
    )
    is_stale = models.BooleanField(
        "stale",
        default=False,
        db_default=False,
        help_text="The last run made no updates because something upstream failed.",
    )
    created_at = models.DateTimeField()

    objects = ExternalCheckQuerySet.as_manager()

    class Meta:
        ordering = ["tool", "key"]
        constraints = [
            models.UniqueConstraint(fields=["tool", "key"], name="external_check_key_is_unique"),
            models.CheckConstraint(condition=~Q(key=""), name="external_check_has_a_key"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in ResultStatus]), name="external_check_has_a_status"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExternalFinding(models.Model):
    """One result of an external check. It never changes, so that the history stays complete."""

    external_check = models.ForeignKey(ExternalCheck, on_delete=models.CASCADE, related_name="findings")
    at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=STATUSES)
    value = models.FloatField(null=True, blank=True)
    message = MultilineField(blank=True)
    digest = LineField(max_length=64, help_text="Hash of the result, so that the same result is stored once.")
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["external_check", "at", "digest"], name="finding_is_unique")]

    def __str__(self) -> str:
        return f"{self.status} at {self.at.astimezone(dt.UTC):%Y-%m-%d %H:%M}Z"


class ImportedFile(models.Model):
    """A file in a folder that is watched, as it was imported last."""

    path = LineField(max_length=1000, unique=True)
    version = LineField(max_length=60, help_text="Time of change and size of the file.")
    imported_at = models.DateTimeField()
    error = MultilineField(blank=True, help_text="Why the file could not be imported.")

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return self.path
