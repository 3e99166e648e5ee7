"""Model of cover requests."""

from typing import Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from common.db import no_overlap_constraint
from common.fields import LineField
from people.models import User
from scheduling.models.request_state import RequestState
from scheduling.models.rotations import Rotation


class CoverRequestQuerySet(models.QuerySet["CoverRequest"]):
    """Filters for cover requests."""

    def pending(self) -> Self:
        """Return the open requests."""
        return self.filter(state=CoverRequest.State.PENDING)


@pghistory.track()
class CoverRequest(models.Model):
    """A request to cover part of an engineer's on-call time. See "Covers" in docs/rules.md.

    It goes to a named engineer or to anyone. Each acceptance covers all of the time or a part of it; the rest stays open. The
    time that is still open is not stored: it is the time in which the requester is on call (`open_periods`).
    """

    State = RequestState

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="cover_requests")
    requester = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="cover_requests", help_text="Engineer who is on call."
    )
    counterpart = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="received_cover_requests",
        help_text="Recipient. Leave empty to ask anyone.",
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    message = LineField(max_length=200, blank=True, help_text="Becomes the reason of the cover.")
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

    objects = CoverRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="cover_request_has_a_length"),
            models.CheckConstraint(
                condition=Q(counterpart=None) | ~Q(counterpart=F("requester")), name="cover_request_people_differ"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at=None) | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="closed_cover_request_has_date",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("ends_at")), name="cover_request_expires_before_it_ends"
            ),
            no_overlap_constraint(
                per=("rotation_id", "requester_id"),
                name="open_cover_requests_never_overlap",
                message="Open cover requests of an engineer cannot overlap.",
                condition=Q(state="pending"),
            ),
        ]
        indexes = [
            models.Index(fields=["rotation", "state", "starts_at"], name="cover_request_of_rotation"),
            models.Index(fields=["state", "expires_at"], name="cover_request_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.requester}, {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"
