"""Tables of hand-offs: how long the meeting is and what it goes through (handbook: Daily Onboarding Hand-Off)."""

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from scheduling.models import Rotation

LONGEST_MEETING = 240


@pghistory.track()
class HandoffPolicy(models.Model):
    """How a rotation hands over: the meeting's length in minutes, from shortest to longest, and the handbook's words."""

    rotation = models.OneToOneField(Rotation, on_delete=models.CASCADE, related_name="handoff_policy")
    name = models.CharField(max_length=120, default="Hand-Off")
    instruction = models.TextField(blank=True, help_text="The handbook's sentence about the meeting, in Markdown.")
    minutes_min = models.PositiveSmallIntegerField(
        "shortest meeting (minutes)", default=20, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MEETING)]
    )
    minutes_max = models.PositiveSmallIntegerField(
        "longest meeting (minutes)", default=30, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MEETING)]
    )
    topics_label = models.CharField(max_length=120, default="Topics to discuss")

    class Meta:
        verbose_name = "hand-off policy"
        verbose_name_plural = "hand-off policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes_min__gte=1, minutes_min__lte=F("minutes_max"), minutes_max__lte=LONGEST_MEETING),
                name="meeting_has_a_length",
                violation_error_message="The shortest meeting cannot be longer than the longest, nor than four hours.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.rotation})"


@pghistory.track()
class HandoffTopic(models.Model):
    """A topic of the hand-off meeting, in the handbook's order: one list for a rotation."""

    policy = models.ForeignKey(HandoffPolicy, on_delete=models.CASCADE, related_name="topics")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=400)

    class Meta:
        ordering = ["policy", "position"]
        verbose_name = "hand-off topic"
        constraints = [
            models.UniqueConstraint(fields=["policy", "position"], name="one_topic_a_place"),
            models.UniqueConstraint(fields=["policy", "title"], name="one_place_a_topic"),
            models.CheckConstraint(condition=~Q(title=""), name="topic_has_a_title"),
        ]

    def __str__(self) -> str:
        return self.title
