"""Tables of the handbook."""

import pghistory
from django.db import models

from common.fields import MultilineField


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
