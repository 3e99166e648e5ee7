"""Tables of the handbook."""

import pghistory
from django.db import models

from common.fields import MultilineField
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation


@pghistory.track()
class HandbookPassage(models.Model):
    """A passage outside the known parts of the handbook, stored verbatim with its position."""

    position = models.PositiveSmallIntegerField(unique=True)
    place = MultilineField(help_text="The part of the file that precedes this passage.")
    markdown = MultilineField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.markdown.strip().partition("\n")[0][:60]


@pghistory.track()
class HandbookColumn(models.Model):
    """A column of the ownership table that only the handbook uses, with its place in the table, counted from 0."""

    place = models.PositiveSmallIntegerField(unique=True)
    title = MultilineField(blank=True)

    class Meta:
        ordering = ["place"]

    def __str__(self) -> str:
        return self.title


@pghistory.track()
class HandbookCell(models.Model):
    """A pipeline's text in an extra column of the ownership table."""

    column = models.ForeignKey(HandbookColumn, on_delete=models.CASCADE, related_name="cells")
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="handbook_cells")
    text = MultilineField(blank=True)

    class Meta:
        ordering = ["column", "pipeline"]
        constraints = [models.UniqueConstraint(fields=["column", "pipeline"], name="one_handbook_cell_per_column")]

    def __str__(self) -> str:
        return self.text


@pghistory.track()
class HandbookRotation(models.Model):
    """A rotation's place in the handbook, and the engineer of week 1 there, who need not take the roster's first shift."""

    rotation = models.OneToOneField(Rotation, on_delete=models.CASCADE, related_name="in_handbook")
    position = models.PositiveSmallIntegerField()
    first_engineer = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["position", "rotation"]

    def __str__(self) -> str:
        return str(self.rotation)
