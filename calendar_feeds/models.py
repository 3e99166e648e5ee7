"""Database tables of calendar feeds."""

from typing import Self

import pghistory
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.fields import LineField, MultilineField
from people.models import User, since_reactivation
from scheduling.models import Rotation


class FeedTokenQuerySet(models.QuerySet["FeedToken"]):
    """Query methods for calendar feeds."""

    def usable(self) -> Self:
        """Return feeds that are not revoked and whose owner is active."""
        return self.not_revoked().filter(owner__is_active=True)

    def not_revoked(self) -> Self:
        """Return feeds that were not revoked, neither by hand nor by deactivating their owner."""
        return self.filter(since_reactivation("owner"), revoked_at=None)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["last_used_at"])),
    pghistory.DeleteEvent(),
    exclude=["digest", "last_used_at"],
)
class FeedToken(models.Model):
    """The secret of a calendar feed's URL: 256 random bits, stored only as a SHA-256 digest.

    A feed without a rotation shows its owner's calendar; a feed with one shows the rotation's.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="feed_tokens")
    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, null=True, blank=True, related_name="feed_tokens")
    prefix = LineField(max_length=16)
    digest = LineField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = FeedTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "calendar feed"

    def __str__(self) -> str:
        return f"{self.rotation or self.owner} ({self.prefix}…)"


class FeedEvent(models.Model):
    """An event of a calendar feed as subscribers last saw it. Calendars need a stable UID and an increasing SEQUENCE.

    The event belongs to an engineer's or a rotation's feed. A removed event is stored as cancelled until it is long past.
    """

    engineer = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="feed_events")
    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, null=True, blank=True, related_name="feed_events")
    source = LineField(max_length=80, help_text="Source row, such as week-3-2026-11-23 or cover-12.")
    uid = LineField(max_length=255)
    sequence = models.PositiveIntegerField(default=0)
    stamped_at = models.DateTimeField()
    content = models.JSONField(help_text="A change of the content raises the sequence.")
    component = MultilineField(help_text="The VEVENT as sent.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    cancelled = models.BooleanField(default=False)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(engineer=None, rotation__isnull=False) | Q(engineer__isnull=False, rotation=None),
                name="feed_event_has_one_subject",
            ),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="feed_event_ends_after_it_starts"),
            models.UniqueConstraint(
                fields=["engineer", "source"], condition=Q(rotation=None), name="unique_event_per_engineer_source"
            ),
            models.UniqueConstraint(
                fields=["rotation", "source"], condition=Q(engineer=None), name="unique_event_per_rotation_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} in the feed of {self.engineer or self.rotation}"
