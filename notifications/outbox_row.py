"""The abstract model of the site's outboxes: messages to people, to readers and to channels of teams."""

from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from common.fields import LineField

Row_co = TypeVar("Row_co", bound="OutboxRow", covariant=True)


class OutboxState(models.TextChoices):
    """Delivery state."""

    PENDING = "pending", "Scheduled"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Dropped (obsolete)"


class OutboxQuerySet(models.QuerySet[Row_co]):
    """Query methods for the rows of an outbox, by the database's clock."""

    def waiting(self) -> Self:
        """Return rows that are pending or being sent."""
        return self.filter(state__in=(OutboxState.PENDING, OutboxState.SENDING))

    def unclaimed(self) -> Self:
        """Return pending rows, and those with an expired lease."""
        return self.filter(Q(state=OutboxState.PENDING) | Q(state=OutboxState.SENDING, lease_until__lte=Now()))

    def sendable(self) -> Self:
        """Return unclaimed rows that are due and not expired."""
        return self.unclaimed().filter(due_at__lte=Now(), expires_at__gt=Now())

    def finished(self) -> Self:
        """Return rows that were sent or dropped."""
        return self.filter(state__in=(OutboxState.SENT, OutboxState.DROPPED))

    def drop_expired(self) -> int:
        """Drop expired rows that are not being sent; return their number."""
        return self.unclaimed().filter(expires_at__lte=Now()).drop("Expired before it could be sent.")

    def drop(self, problem: str) -> int:
        """Mark the rows as dropped; return their number."""
        return self.update(state=OutboxState.DROPPED, problem=problem, token=None, lease_until=None)


class OutboxRow(models.Model):
    """A message and its delivery.

    One worker at a time claims it with a token and a lease (docs/reliability.md, Patterns).
    """

    # The manager of a subclass is built from an OutboxQuerySet.
    objects: Any

    state = models.CharField(max_length=8, choices=OutboxState, default=OutboxState.PENDING)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="If it has not been sent by then, it is dropped.")
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Next attempt after a failure.")
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = LineField(max_length=500, blank=True, help_text="Why it was not sent.")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state="sending", token__isnull=False, lease_until__isnull=False)
                | (~Q(state="sending") & Q(token=None, lease_until=None)),
                name="%(class)s_being_sent_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="%(class)s_sent_has_an_instant",
            ),
        ]

    @property
    def state_badge(self) -> str:
        """The CSS class of the state's badge."""
        return {"sent": "ok", "failed": "danger", "sending": "info"}.get(self.state, "")
