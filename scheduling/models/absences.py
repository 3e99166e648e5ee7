"""Models of time off: absences, and calendars that engineers link."""

from typing import Self

import pghistory
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.db import SpanQuerySet, on_call_version_trigger
from common.fields import EncryptedTextField, LineField
from people.models import User
from scheduling.domain.wall_time import format_days

# Reasons as colleagues read them, by kind. They do not show that somebody is sick.
ABSENCE_REASONS = {"holiday": "on holiday", "sick": "away", "training": "in training", "other": "away"}
# Colleagues cannot tell these kinds apart. In the API they see PUBLIC_KIND.
PRIVATE_KINDS = [kind for kind, reason in ABSENCE_REASONS.items() if reason == "away"]
PUBLIC_KIND = "other"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("state", "problem", "host")),
    pghistory.DeleteEvent(),
    exclude=["address", "last_read_at", "last_success_at", "skipped_events"],
)
class CalendarLink(models.Model):
    """An engineer's external calendar; its busy all-day events become absences. Its address is stored encrypted."""

    class State(models.TextChoices):
        """Result of the last sync."""

        NEW = "new", "Not synced yet"
        OK = "ok", "Synced"
        PARTIAL = "partial", "Partly synced"
        FAILING = "failing", "Failing"

    engineer = models.OneToOneField(User, on_delete=models.CASCADE, related_name="calendar_link")
    address = EncryptedTextField(editable=False)
    host = LineField(max_length=255)
    state = models.CharField(max_length=8, choices=State, default=State.NEW)
    problem = LineField(max_length=300, blank=True)
    skipped_events = models.JSONField(
        default=list, blank=True, editable=False, help_text="Events that could not be read: title and reason. Private."
    )
    last_read_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["engineer"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["failing", "partial"]) | Q(problem=""),
                name="only_a_link_with_problems_names_one",
            ),
        ]
        indexes = [models.Index(fields=["last_read_at"], name="link_due")]

    def __str__(self) -> str:
        return f"{self.engineer}’s calendar at {self.host}"


class HolidayQuerySet(SpanQuerySet):
    """Query methods for absences."""

    def with_kind(self, kind: str, *, reader: User) -> Self:
        """Return the absences whose kind is `kind` as `reader` sees it."""
        if reader.is_staff or kind not in PRIVATE_KINDS:
            return self.filter(kind=kind)
        own = Q(engineer=reader, kind=kind)
        return self.filter(own | ~Q(engineer=reader) & Q(kind__in=PRIVATE_KINDS) if kind == PUBLIC_KIND else own)


@pghistory.track(exclude=["note"])
class HolidayBlock(models.Model):
    """An absence: dates on which an engineer is unavailable, and the instants they mean in their time zone."""

    class Kind(models.TextChoices):
        """Why an engineer is unavailable."""

        HOLIDAY = "holiday", "Holiday"
        SICK = "sick", "Sick"
        TRAINING = "training", "Training"
        OTHER = "other", "Other"

    engineer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="holidays")
    starts_on = models.DateField("first day")
    ends_on = models.DateField("last day")
    starts_at_time = models.TimeField(
        "from", null=True, blank=True, help_text="On the first day. Leave empty for all day."
    )
    ends_at_time = models.TimeField(
        "until", null=True, blank=True, help_text="On the last day. Leave empty for all day."
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HOLIDAY)
    note = LineField(max_length=500, blank=True, help_text="Only the engineer and admins can read it.")
    time_zone = LineField(max_length=64, editable=False, help_text="Time zone in which the dates were entered.")
    starts_at = models.DateTimeField(editable=False)
    ends_at = models.DateTimeField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    link = models.ForeignKey(
        CalendarLink, on_delete=models.CASCADE, null=True, blank=True, editable=False, related_name="blocks"
    )
    link_uid = LineField(max_length=200, blank=True, editable=False)

    objects = HolidayQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on", "pk"]
        verbose_name = "time off"
        verbose_name_plural = "time off"
        triggers = [on_call_version_trigger()]
        constraints = [
            models.UniqueConstraint(
                fields=["link", "link_uid", "starts_on"], condition=Q(link__isnull=False), name="one_absence_per_event"
            ),
            models.CheckConstraint(condition=Q(starts_on__lte=F("ends_on")), name="holiday_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="holiday_has_a_length"),
        ]
        indexes = [
            models.Index(fields=["ends_at", "starts_at"], name="holiday_window"),
            models.Index(fields=["engineer", "ends_at"], name="holiday_of_engineer"),
        ]

    def __str__(self) -> str:
        return f"{self.engineer}: {self.get_kind_display()} {self.days}"

    def is_readable_by(self, reader: User) -> bool:
        """Return True if `reader` sees the note and the kind: its engineer or an admin."""
        return reader.is_staff or reader.pk == self.engineer_id

    def hides_kind_from(self, reader: User) -> bool:
        """Return True if `reader` sees only that the engineer is away."""
        return self.kind in PRIVATE_KINDS and not self.is_readable_by(reader)

    @property
    def reason(self) -> str:
        """Return why the engineer is unavailable, as colleagues read it: "on holiday 21–25 Dec"."""
        return f"{ABSENCE_REASONS[self.kind]} {self.days}"

    @property
    def days(self) -> str:
        """The dates in words, with hours if it has any: "21–25 Dec"."""
        return format_days(self.starts_on, self.ends_on, start=self.starts_at_time, end=self.ends_at_time)
