"""Tables of runbooks: what to do when a pipeline fails, with all revisions."""

import datetime as dt

import pghistory
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from common.datetimes import RESTORE_WINDOW
from common.fields import LineField, MultilineField
from people.models import User
from pipelines.models import Pipeline


class RunbookManager(models.Manager["Runbook"]):
    """Manager of the runbooks that are not deleted."""

    def get_queryset(self) -> models.QuerySet["Runbook"]:
        return super().get_queryset().filter(deleted_at=None)


@pghistory.track()
class Runbook(models.Model):
    """The runbook of a pipeline. `revision` is the number of its current revision."""

    pipeline = models.OneToOneField(Pipeline, on_delete=models.CASCADE, related_name="runbook")
    title = LineField(max_length=330, help_text="As spelled in the handbook.")
    revision = models.PositiveIntegerField(default=1, help_text="Number of the current revision.")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    objects = RunbookManager()
    all_objects = models.Manager["Runbook"]()

    class Meta:
        ordering = ["pipeline__position", "pk"]
        base_manager_name = "all_objects"
        constraints = [
            models.UniqueConstraint(fields=["title"], condition=Q(deleted_at=None), name="runbook_title_unique"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="runbook_revision_positive"),
            models.CheckConstraint(condition=~Q(title=""), name="runbook_title_not_empty"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def restorable_until(self) -> dt.datetime | None:
        """When a deleted runbook is deleted for good."""
        return self.deleted_at and self.deleted_at + RESTORE_WINDOW


class RunbookRevision(models.Model):
    """An immutable full text of a runbook."""

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    markdown = MultilineField(blank=True)
    html = MultilineField(blank=True)
    author = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    summary = LineField(max_length=200, blank=True, help_text="Summary of the change.")
    restored_from = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["runbook", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["runbook", "number"], name="runbook_revision_unique_number"),
        ]

    def __str__(self) -> str:
        return f"{self.runbook}, revision {self.number}"


class RunbookRead(models.Model):
    """The newest revision of a runbook that a person has marked as read."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="reads")
    revision = models.PositiveIntegerField()
    read_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["runbook", "person"]
        constraints = [models.UniqueConstraint(fields=["person", "runbook"], name="runbook_read_once_per_person")]

    def __str__(self) -> str:
        return f"{self.person}: {self.runbook}, revision {self.revision}"


class RunbookSection(models.Model):
    """A section of the current revision, rendered and indexed for search when the revision is saved."""

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="sections")
    position = models.PositiveSmallIntegerField()
    title = LineField(max_length=400, blank=True)
    anchor = LineField(max_length=200, blank=True)
    html = MultilineField(blank=True)
    text = MultilineField(blank=True)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("text", weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["runbook", "position"]
        constraints = [
            models.UniqueConstraint(fields=["runbook", "position"], name="runbook_section_unique_position"),
        ]
        indexes = [GinIndex(fields=["search"], name="section_search")]

    def __str__(self) -> str:
        return self.title or "Introduction"
