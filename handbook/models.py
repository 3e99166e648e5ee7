"""TODO."""

import pghistory
from django.db import models


@pghistory.track()
class HandbookPassage(models.Model):
    """A passage of the handbook that is no pipeline, rotation, hand-off or runbook: kept word for word, in its place."""

    position = models.PositiveSmallIntegerField(unique=True)
    place = models.TextField(help_text="After which part of the file it stands.")
    markdown = models.TextField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.markdown.strip().partition("\n")[0][:60]
