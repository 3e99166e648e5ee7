"""Heartbeats of the worker and beat, and statistics of background tasks."""

from django.db import models
from django.db.models.functions import Now

from common.fields import LineField


class Heartbeat(models.Model):
    """When a process was last seen, by the database's clock: `beat`, or `worker` and its name."""

    part = LineField(max_length=200, primary_key=True)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["part"]

    def __str__(self) -> str:
        return f"{self.part}: {self.seen_at:%Y-%m-%d %H:%M:%S}Z"


class Sweep(models.Model):
    """Statistics of a background task: its last run, and the number and duration of all runs."""

    task = LineField(max_length=100, primary_key=True)
    worker = LineField(max_length=200, help_text="Worker of the last run.")
    ended_at = models.DateTimeField(db_default=Now(), help_text="End of the last run, successful or not.")
    seconds = models.FloatField(help_text="Duration of the last run.")
    error = LineField(max_length=300, blank=True, help_text="Error of the last run.")
    runs = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    total_seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["task"]

    def __str__(self) -> str:
        return f"{self.task}: {self.seconds:.2f} s"

    @property
    def average_seconds(self) -> float:
        """The average duration of a run."""
        return self.total_seconds / self.runs if self.runs else 0.0
