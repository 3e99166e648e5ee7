"""The abstract model of the site's outboxes: messages to people, to readers and to channels of teams."""

import datetime as dt
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from common.fields import LineField

# Rows per transaction of the purge, so that none holds locks for long.
PURGE_BATCH_SIZE = 1000

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

    def claimable(self) -> Self:
        """Return rows that can be sent now, oldest first."""
        return self.sendable().filter(Q(retry_at=None) | Q(retry_at__lte=Now())).order_by("due_at", "pk")

    def held(self) -> Self:
        """Return rows that a worker is sending."""
        return self.filter(state=OutboxState.SENDING, lease_until__gt=Now())

    def deliverers_to_start(self, *, limit: int) -> int:
        """Return how many deliverers to start: one for each claimable row, at most `limit` with those that are sending."""
        free = max(limit - self.held().count(), 0)
        return len(self.claimable().values_list("pk", flat=True)[:free])

    def finished(self) -> Self:
        """Return rows that were sent or dropped."""
        return self.filter(state__in=(OutboxState.SENT, OutboxState.DROPPED))

    def expired_long_ago(self) -> Self:
        """Return rows that expired MESSAGE_RETENTION_DAYS ago or earlier.

        The expiry counts, not the time of sending: until then a sweep may reach the same occurrence again, and the row is
        what prevents a duplicate.
        """
        return self.filter(expires_at__lte=Now() - dt.timedelta(days=settings.MESSAGE_RETENTION_DAYS))

    @transaction.atomic
    def delete_batch(self) -> int:
        """Delete the rows that expired first, at most `PURGE_BATCH_SIZE`; return their number."""
        rows = self.select_for_update(skip_locked=True, of=("self",)).order_by("expires_at")
        keys = list(rows.values_list("pk", flat=True)[:PURGE_BATCH_SIZE])
        self.model._default_manager.filter(pk__in=keys).delete()  # noqa: SLF001  # Django's API
        return len(keys)

    def expired(self) -> Self:
        """Return expired rows that are not being sent."""
        return self.unclaimed().filter(expires_at__lte=Now())

    def drop_expired(self) -> int:
        """Drop expired rows that are not being sent; return their number."""
        return self.expired().drop("Expired before it could be sent.")

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
