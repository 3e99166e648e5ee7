"""Pipelines and their owners."""

from typing import Self

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from common.db import on_call_version_trigger
from common.fields import LineField
from common.identifiers import validate_slug
from people.domain.names import match_key
from people.models import User

MAX_ESCALATION_MINUTES = 24 * 60


class PipelineQuerySet(models.QuerySet["Pipeline"]):
    """Filters for pipelines."""

    def with_owners(self) -> Self:
        """Return the pipelines joined with their owners, in the order of the ownership table."""
        return self.select_related("primary_owner", "secondary_owner").order_by("position", "pk")

    def owned_by(self, user: User) -> Self:
        """Return the pipelines whose primary or secondary owner is the user."""
        return self.filter(Q(primary_owner=user) | Q(secondary_owner=user))


@pghistory.track()
class Pipeline(models.Model):
    """A data pipeline with a primary and a secondary owner (handbook: Ownership of Pipelines)."""

    slug = LineField(max_length=80, unique=True, validators=[validate_slug])
    name = LineField(max_length=200, help_text="As in the ownership table, without the audience.")
    audience = LineField(max_length=120, blank=True, help_text="Who uses the numbers, e.g. “investor reporting”.")
    match_key = LineField(
        max_length=400, unique=True, editable=False, help_text="Full name without case and punctuation."
    )
    position = models.PositiveIntegerField(default=0, help_text="Sort order.")
    primary_owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="primary_of")
    secondary_owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="secondary_of")
    escalate_after_minutes = models.PositiveSmallIntegerField(
        "escalate after (minutes)",
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ESCALATION_MINUTES)],
        help_text="Minutes before an unacknowledged incident escalates.",
    )
    escalate_critical_after_minutes = models.PositiveSmallIntegerField(
        "escalate critical after (minutes)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ESCALATION_MINUTES)],
        help_text="For critical incidents. Leave empty to use the default time.",
    )
    escalate_low_after_minutes = models.PositiveSmallIntegerField(
        "escalate low after (minutes)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ESCALATION_MINUTES)],
        help_text="For low-severity incidents. Leave empty to use the default time.",
    )

    objects = PipelineQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        triggers = [on_call_version_trigger()]
        constraints = [
            models.CheckConstraint(
                condition=~Q(primary_owner=F("secondary_owner")),
                name="pipeline_owners_differ",
                violation_error_message="Primary and secondary owner must be two people.",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="pipeline_has_a_name"),
            models.CheckConstraint(
                condition=Q(escalate_after_minutes__gte=1, escalate_after_minutes__lte=MAX_ESCALATION_MINUTES),
                name="pipeline_escalates_within_a_day",
                violation_error_message="Enter 1 to 1440 minutes.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(escalate_critical_after_minutes=None)
                    | Q(escalate_critical_after_minutes__range=(1, MAX_ESCALATION_MINUTES))
                )
                & (
                    Q(escalate_low_after_minutes=None)
                    | Q(escalate_low_after_minutes__range=(1, MAX_ESCALATION_MINUTES))
                ),
                name="pipeline_severities_escalate_within_a_day",
                violation_error_message="Enter 1 to 1440 minutes.",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """The name with the audience in brackets, as in the handbook."""
        return f"{self.name} ({self.audience})" if self.audience else self.name

    def escalation_minutes(self, severity: str) -> int:
        """Return the minutes after which an unacknowledged incident of this severity escalates."""
        by_severity = {"critical": self.escalate_critical_after_minutes, "low": self.escalate_low_after_minutes}
        return by_severity.get(severity) or self.escalate_after_minutes

    def clean(self) -> None:
        """Set `match_key`; raise ValidationError for `name` if another pipeline has the same key."""
        super().clean()
        self.match_key = match_key(self.full_name)
        duplicate = Pipeline.objects.filter(match_key=self.match_key).exclude(pk=self.pk).first()
        if duplicate is not None:
            raise ValidationError(
                {"name": f"The pipeline “{duplicate}” already has this name, apart from case and punctuation."}
            )
