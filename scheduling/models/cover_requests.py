"""Model of cover requests."""

import pghistory
from django.db import models
from django.db.models import F, Q

from common.db import no_overlap_constraint, page_version_triggers
from common.fields import LineField
from people.models import User
from scheduling.domain.sentences import period_subject
from scheduling.models.requests import EngineerRequest, RequestQuerySet
from scheduling.models.rotations import Rotation


@pghistory.track()
class CoverRequest(EngineerRequest):
    """A request to cover part of an engineer's on-call time. See "Covers" in docs/rules.md.

    It goes to a named engineer or to anyone. Each acceptance covers all of the time or a part of it; the rest stays open. The
    time that is still open is not stored: it is the time in which the requester is on call (`open_periods`).
    """

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="cover_requests")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    message = LineField(max_length=200, blank=True, help_text="Becomes the reason of the cover.")

    objects = RequestQuerySet.as_manager()

    class Meta(EngineerRequest.Meta):
        triggers = page_version_triggers()
        constraints = [
            *EngineerRequest.Meta.constraints,
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="cover_request_has_a_length"),
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
            *EngineerRequest.Meta.indexes,
            models.Index(fields=["rotation", "state", "starts_at"], name="cover_request_of_rotation"),
        ]

    def __str__(self) -> str:
        return f"{self.requester}, {self.starts_at:%Y-%m-%d %H:%M}Z to {self.ends_at:%Y-%m-%d %H:%M}Z"

    def subject_for(self, reader: User) -> str:
        """Return the requested time as `reader` reads it: "Engineer A, Mon 30 Nov, 10:00 UTC to 17:00 UTC"."""
        period = (self.starts_at, self.ends_at)
        return period_subject(self.requester.person, period, reader=reader.person, zone=reader.zone)
