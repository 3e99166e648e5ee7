"""Models for lineage: edges between pipelines, and the dbt projects and OpenLineage jobs behind them."""

import datetime as dt
from typing import Self

import pghistory
from django.db import models
from django.db.models import F, Q

from common.fields import LineField, MultilineField
from people.models import User
from pipelines.models import Pipeline

# An edge that its tool has not reported for this long is faded (docs/data.md). An admin's edge never fades.
EDGE_FADES_AFTER = dt.timedelta(days=30)


class Source(models.TextChoices):
    """Where an edge comes from."""

    DBT = "dbt", "dbt"
    OPENLINEAGE = "openlineage", "OpenLineage"
    ADMIN = "admin", "Admin"


class EdgeQuerySet(models.QuerySet["Edge"]):
    """Filters for edges."""

    def current(self, at: dt.datetime) -> Self:
        """Return the edges that count at an instant: not cut, still reported, and not faded."""
        return self.present().filter(Q(source=Source.ADMIN) | Q(last_seen_at__gt=at - EDGE_FADES_AFTER))

    def present(self) -> Self:
        """Return the edges that are neither cut nor dropped by their tool; they may have faded."""
        return self.filter(cut_at=None, removed_at=None)


@pghistory.track(exclude=["last_seen_at"])
class Edge(models.Model):
    """A pipeline reads another's data, as one source reports it. `project` is the dbt project, empty for other sources.

    `removed_at` is set while the source no longer reports the edge. `cut_at` is set while an admin has cut it: then the source
    cannot bring it back.
    """

    upstream = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="downstream_edges")
    downstream = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="upstream_edges")
    source = models.CharField(max_length=20, choices=Source)
    project = LineField(max_length=200, blank=True, help_text="The dbt project that reports the edge.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True, help_text="When the source stopped reporting the edge.")
    cut_at = models.DateTimeField(null=True, blank=True, help_text="When an admin cut the edge.")
    cut_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = EdgeQuerySet.as_manager()

    class Meta:
        ordering = ["upstream__position", "upstream_id", "downstream__position", "downstream_id", "source", "project"]
        constraints = [
            models.UniqueConstraint(fields=["upstream", "downstream", "source", "project"], name="edge_is_unique"),
            models.CheckConstraint(
                condition=~Q(upstream=F("downstream")),
                name="edge_joins_two_pipelines",
                violation_error_message="A pipeline cannot be upstream of itself.",
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="edge_has_a_source"),
            models.CheckConstraint(
                condition=Q(last_seen_at__gte=F("first_seen_at")), name="edge_is_first_seen_before_last"
            ),
        ]
        indexes = [models.Index(fields=["downstream"], condition=Q(cut_at=None, removed_at=None), name="edge_present")]

    def __str__(self) -> str:
        return f"{self.upstream} → {self.downstream} ({self.get_source_display()})"

    def is_faded(self, at: dt.datetime) -> bool:
        """Return True if the source has not reported the edge for `EDGE_FADES_AFTER`."""
        return self.source != Source.ADMIN and self.last_seen_at <= at - EDGE_FADES_AFTER

    def state(self, at: dt.datetime) -> str:
        """Return `cut`, `removed`, `faded` or `current`."""
        if self.cut_at:
            return "cut"
        if self.removed_at:
            return "removed"
        return "faded" if self.is_faded(at) else "current"


class DbtProject(models.Model):
    """A dbt project, with its last manifest. Another project's nodes never change this one's."""

    name = LineField(max_length=200, unique=True)
    schema = models.PositiveSmallIntegerField(help_text="Version of the manifest's schema, such as 12.")
    dbt_version = LineField(max_length=50, blank=True)
    generated_at = models.DateTimeField(help_text="When dbt wrote the manifest.")
    imported_at = models.DateTimeField(help_text="When it was imported last.")

    class Meta:
        verbose_name = "project from dbt"
        verbose_name_plural = "projects from dbt"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CodeOwnerFields(models.Model):
    """The owner that the code names: `owner` of a group or an exposure, `meta.owner` of a node."""

    owner_name = LineField(max_length=200, blank=True)
    owner_email = LineField(max_length=200, blank=True)

    class Meta:
        abstract = True


class DbtGroup(CodeOwnerFields):
    """A group of a dbt project with its owner."""

    project = models.ForeignKey(DbtProject, on_delete=models.CASCADE, related_name="groups")
    key = LineField(max_length=250, help_text="Unique id, such as group.shop.core.")
    name = LineField(max_length=200)
    meta_pipeline = LineField(max_length=200, blank=True)

    class Meta:
        verbose_name = "group from dbt"
        verbose_name_plural = "groups from dbt"
        ordering = ["project", "name"]
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="dbt_group_key_is_unique")]

    def __str__(self) -> str:
        return self.name


class DbtNode(CodeOwnerFields):
    """A model, seed, snapshot, source, test or metric of a dbt project. Its pipeline comes from its `meta`, group, path or a mapping rule."""

    project = models.ForeignKey(DbtProject, on_delete=models.CASCADE, related_name="nodes")
    key = LineField(max_length=250, help_text="Unique id, such as model.shop.orders.")
    kind = LineField(max_length=50)
    name = LineField(max_length=200)
    path = LineField(max_length=400, blank=True)
    package = LineField(max_length=200, blank=True)
    group = LineField(max_length=200, blank=True)
    meta_pipeline = LineField(max_length=200, blank=True)
    tested = LineField(max_length=250, blank=True, help_text="Of a test: unique id of the node it is attached to.")
    pipeline = models.ForeignKey(Pipeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="dbt_nodes")
    reason = LineField(max_length=1000, blank=True, help_text="Where the pipeline comes from, or why there is none.")
    parents = models.ManyToManyField("self", symmetrical=False, related_name="children", blank=True)

    class Meta:
        verbose_name = "node from dbt"
        verbose_name_plural = "nodes from dbt"
        ordering = ["project", "key"]
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="dbt_node_key_is_unique")]
        indexes = [models.Index(fields=["key"], name="dbt_node_key")]

    def __str__(self) -> str:
        return self.key


class DbtExposure(CodeOwnerFields):
    """A dashboard, report or application that reads nodes of a dbt project, and so pipelines."""

    project = models.ForeignKey(DbtProject, on_delete=models.CASCADE, related_name="exposures")
    key = LineField(max_length=250)
    name = LineField(max_length=200)
    kind = LineField(max_length=50, blank=True)
    url = LineField(max_length=2000, blank=True)
    description = MultilineField(blank=True)
    parents = models.ManyToManyField(DbtNode, related_name="exposures", blank=True)
    pipelines = models.ManyToManyField(Pipeline, related_name="exposures", blank=True)

    class Meta:
        verbose_name = "exposure from dbt"
        verbose_name_plural = "exposures from dbt"
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="dbt_exposure_key_is_unique")]

    def __str__(self) -> str:
        return self.name


class OpenLineageNode(models.Model):
    """A job or a dataset that OpenLineage events name. Its key is `job/<namespace>/<name>` or `dataset/<namespace>/<name>`."""

    class Kind(models.TextChoices):
        JOB = "job"
        DATASET = "dataset"

    key = LineField(max_length=250, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="openlineage_nodes"
    )
    last_seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "OpenLineage node"
        verbose_name_plural = "OpenLineage nodes"
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["job", "dataset"]), name="openlineage_node_has_a_kind")
        ]

    def __str__(self) -> str:
        return self.key


class OpenLineageUse(models.Model):
    """A job reads a dataset, or a dataset is written by a job: `reader` reads `read`, as a run event last said."""

    reader = models.ForeignKey(OpenLineageNode, on_delete=models.CASCADE, related_name="reads")
    read = models.ForeignKey(OpenLineageNode, on_delete=models.CASCADE, related_name="readers")
    last_seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "OpenLineage use"
        verbose_name_plural = "OpenLineage uses"
        constraints = [models.UniqueConstraint(fields=["reader", "read"], name="openlineage_use_is_unique")]

    def __str__(self) -> str:
        return f"{self.reader_id} reads {self.read_id}"


@pghistory.track()
class OwnerDecision(CodeOwnerFields):
    """An admin confirmed a pipeline's owners here against this owner in the code. Another owner in the code is listed again."""

    pipeline = models.OneToOneField(Pipeline, on_delete=models.CASCADE, related_name="owner_decision")
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pipeline)
