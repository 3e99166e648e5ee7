"""Base of swap requests and cover requests."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from common.fields import LineField
from people.models import User


class RequestState(models.TextChoices):
    """State of a request from one engineer to others."""

    PENDING = "pending", "Open"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    CANCELLED = "cancelled", "Withdrawn"
    EXPIRED = "expired", "Expired"
    VOID = "void", "Superseded"


class RequestQuerySet(models.QuerySet[Any]):
    """Filters for requests."""

    def pending(self) -> Self:
        """Return the open requests."""
        return self.filter(state=RequestState.PENDING)


class EngineerRequest(models.Model):
    """A request from one engineer to a named engineer or to anyone, and its outcome."""

    State = RequestState

    requester = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", help_text="Engineer whose time it is about."
    )
    counterpart = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Recipient. Leave empty to ask anyone.",
    )
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.PENDING)
    declined_by = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="Engineers who declined a request to anyone."
    )
    requested_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", help_text="The requester, or an admin on their behalf."
    )
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = LineField(max_length=500, blank=True, help_text="Why it was declined or superseded.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Last reminder to those who have not answered."
    )

    class Meta:
        abstract = True
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(counterpart=None) | ~Q(counterpart=F("requester")), name="%(class)s_people_differ"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at=None) | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="closed_%(class)s_has_date",
            ),
        ]
        indexes = [models.Index(fields=["state", "expires_at"], name="%(class)s_expiry")]

    @property
    def recipients(self) -> list[User]:
        """The engineers it names."""
        return [self.counterpart] if self.counterpart else []

    @property
    def recipient_ids(self) -> list[int | None]:
        """The IDs of the engineers it names, which need no query."""
        return [self.counterpart_id]

    @property
    def answered_by(self) -> list[int]:
        """The IDs of the engineers who have answered."""
        return list(self.declined_by)

    def awaits_answer_from(self, person: User) -> bool:
        """Return True if it is open and `person`, a recipient or anyone if it names none, has not answered yet."""
        if self.state != RequestState.PENDING or person.pk in (self.requester_id, *self.answered_by):
            return False
        return self.counterpart_id is None or person.pk in self.recipient_ids
