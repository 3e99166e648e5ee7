"""Tables of the site itself: the heartbeats by which a silent worker or beat is noticed, and how long sweeps take."""

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """When a part of the machinery last showed life, by the database's clock: `beat`, or `worker` and its name."""

    part = models.CharField(max_length=200, primary_key=True)
    beaten_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["part"]

    def __str__(self) -> str:
        return f"{self.part}: {self.beaten_at:%Y-%m-%d %H:%M:%S}Z"


class Sweep(models.Model):
    """What is known of a task that beat kicks: how it went the last time, and how often and how long in all."""

    task = models.CharField(max_length=100, primary_key=True)
    worker = models.CharField(max_length=200, help_text="Who ran it last.")
    ended_at = models.DateTimeField(db_default=Now(), help_text="When it last ended, well or not.")
    seconds = models.FloatField(help_text="How long it took then.")
    problem = models.CharField(max_length=300, blank=True, help_text="What it failed with then.")
    runs = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    seconds_in_all = models.FloatField(default=0)

    class Meta:
        ordering = ["task"]

    def __str__(self) -> str:
        return f"{self.task}: {self.seconds:.2f} s"

    @property
    def average_seconds(self) -> float:
        """How long it takes on average."""
        return self.seconds_in_all / self.runs if self.runs else 0.0
