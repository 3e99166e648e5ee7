"""Tables of the site itself: the heartbeat by which a silent worker or beat is noticed."""

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """When a part of the machinery last showed life, by the database's clock."""

    part = models.CharField(max_length=40, primary_key=True)
    beaten_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["part"]

    def __str__(self) -> str:
        return f"{self.part}: {self.beaten_at:%Y-%m-%d %H:%M:%S}Z"
