"""Tables of incidents: what is wrong with a pipeline, who was told, what was done, and the runbook run against it."""

import datetime as dt
from typing import Self

import pghistory
from django.db import models
from django.db.models import Case, F, Q, Value, When

from people.models import User
from pipelines.models import Pipeline
from runbooks.models import Runbook

LONGEST_TITLE = 200
LONGEST_TEXT = 10_000
LONGEST_FINGERPRINT = 300


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents, narrowed."""

    def unresolved(self) -> Self:
        """Return the incidents that are not resolved."""
        return self.exclude(state=Incident.State.RESOLVED)

    def due(self, *, at: dt.datetime) -> Self:
        """Return the incidents whose next escalation is due, the longest overdue first."""
        rows = self.filter(state=Incident.State.OPEN, next_escalation_at__lte=at)
        return rows.order_by("next_escalation_at", "pk")

    def open_first(self) -> Self:
        """Return the incidents with those that nobody has acknowledged first, the resolved last, each newest first."""
        places = [When(state=state, then=Value(place)) for place, state in enumerate(Incident.State.values)]
        return self.annotate(place=Case(*places)).order_by("place", "-opened_at", "-pk")


# When an escalation is due moves by itself; the timeline says it.
@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["next_escalation_at", "last_seen_at", "repeats"])),
    pghistory.DeleteEvent(),
)
class Incident(models.Model):
    """An active issue, outage or delay of a pipeline (product.md §8); every step of it is on its timeline."""

    class Kind(models.TextChoices):
        """What is wrong, in the words of the hand-off's topics."""

        ISSUE = "issue", "Issue"
        OUTAGE = "outage", "Outage"
        DELAY = "delay", "Delay"

    class State(models.TextChoices):
        """How far it has come, in the order of a list."""

        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"

    class Source(models.TextChoices):
        """Who found it."""

        PERSON = "person", "A person"
        CHECK = "check", "A check"
        ALERT = "alert", "An alert"
        API = "api", "The API"

    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="incidents")
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.ISSUE)
    title = models.CharField(max_length=LONGEST_TITLE)
    text = models.TextField(blank=True, max_length=LONGEST_TEXT)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    source = models.CharField(max_length=6, choices=Source, default=Source.PERSON)
    check_key = models.PositiveBigIntegerField(null=True, blank=True, help_text="The check that fails, by its key.")
    fingerprint = models.CharField(
        max_length=LONGEST_FINGERPRINT,
        blank=True,
        help_text="Alertmanager’s own of an alert; of another tool’s check the tool and its key.",
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: what opened it did."
    )
    assignee = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents", help_text="Who works on it."
    )
    round = models.PositiveSmallIntegerField(default=1, help_text="Rises when it is reopened: all are told anew.")
    next_escalation_at = models.DateTimeField(null=True, blank=True)
    repeats = models.PositiveIntegerField(default=0, help_text="How often the check or alert has failed again.")
    last_seen_at = models.DateTimeField(help_text="When it was last seen to fail.")
    recovered_at = models.DateTimeField(null=True, blank=True, help_text="Since when its check passes again.")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["check_key"],
                condition=Q(check_key__isnull=False) & ~Q(state="resolved"),
                name="one_open_incident_a_check",
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=~Q(fingerprint="") & ~Q(state="resolved"),
                name="one_open_incident_an_alert",
            ),
            models.CheckConstraint(condition=~Q(title=""), name="incident_has_a_title"),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False)
                | (~Q(state="resolved") & Q(resolved_at=None, resolved_by=None)),
                name="incident_resolved_has_an_instant",
            ),
            models.CheckConstraint(
                condition=~Q(state="acknowledged")
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False, assignee__isnull=False),
                name="incident_acknowledged_has_an_assignee",
            ),
            models.CheckConstraint(
                condition=Q(next_escalation_at=None) | Q(state="open"), name="only_an_open_incident_escalates"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(resolved_at__gte=F("opened_at")),
                name="incident_is_resolved_after_it_is_opened",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_escalation_at"], condition=Q(next_escalation_at__isnull=False), name="incident_due"
            ),
            models.Index(fields=["pipeline", "state"], name="incident_of_pipeline"),
            models.Index(fields=["-opened_at"], name="incident_newest"),
            models.Index(fields=["check_key", "-opened_at"], name="incident_of_check"),
            models.Index(fields=["fingerprint", "-opened_at"], name="incident_of_alert"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_resolved(self) -> bool:
        """Whether it is over."""
        return self.state == Incident.State.RESOLVED


class TimelineEntry(models.Model):
    """A step on an incident's timeline; never changed once written, but for the count of a failure that goes on."""

    class Kind(models.TextChoices):
        """What happened."""

        OPENED = "opened", "Opened"
        TOLD = "told", "Told"
        EXHAUSTED = "exhausted", "Nobody left to tell"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        NOTED = "noted", "Note"
        CHANGED = "changed", "Changed"
        HANDED_OVER = "handed_over", "Handed over"
        REPEATED = "repeated", "Failed again"
        RECOVERED = "recovered", "Passes again"
        RUN_STARTED = "run_started", "Runbook started"
        STEP = "step", "Runbook step"
        RESOLVED = "resolved", "Resolved"
        REOPENED = "reopened", "Reopened"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: the site."
    )
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["incident", "at", "pk"]
        verbose_name_plural = "timeline entries"
        indexes = [models.Index(fields=["incident", "at"], name="entry_of_incident")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text}" if self.text else self.get_kind_display()


class EscalationStep(models.Model):
    """That somebody was told of an incident; once in a round, whatever workers do at the same time."""

    class Role(models.TextChoices):
        """As what somebody was told."""

        ON_CALL = "on_call", "on call"
        PRIMARY_OWNER = "primary_owner", "primary owner"
        SECONDARY_OWNER = "secondary_owner", "secondary owner"
        ROTATION = "rotation", "next in the rotation"
        ADMIN = "admin", "admin"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="tellings")
    round = models.PositiveSmallIntegerField()
    engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16, choices=Role)
    at = models.DateTimeField()

    class Meta:
        ordering = ["incident", "round", "at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "round", "engineer"], name="each_is_told_once_a_round"),
        ]

    def __str__(self) -> str:
        return f"{self.engineer}, {self.get_role_display()}, {self.at:%Y-%m-%d %H:%M}Z"


class RunbookRun(models.Model):
    """A runbook run against an incident: the steps of the revision it was started from, as a checklist."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="runs")
    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="runs")
    revision = models.PositiveIntegerField(help_text="Number of the revision whose steps these are.")
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When its incident was resolved.")

    class Meta:
        ordering = ["incident", "-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident"], condition=Q(ended_at=None), name="one_running_runbook_an_incident"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.runbook}, revision {self.revision}"


@pghistory.track()
class RunStep(models.Model):
    """A step of a run: its words as they were, who did it when, and a note."""

    run = models.ForeignKey(RunbookRun, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True, max_length=2000)
    ended_incident = models.BooleanField(default=False, help_text="What was done here ended the incident.")

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="one_step_a_place"),
            models.UniqueConstraint(
                fields=["run"], condition=Q(ended_incident=True), name="one_step_ends_the_incident"
            ),
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None) | Q(done_at__isnull=False, done_by__isnull=False),
                name="step_done_has_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(ended_incident=False) | Q(done_at__isnull=False), name="only_a_step_done_ends_the_incident"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.text}"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts, narrowed."""

    def unmapped(self) -> Self:
        """Return those that belong to no pipeline, so that they open no incident."""
        return self.filter(pipeline=None)


class Alert(models.Model):
    """What Alertmanager said last of an alert; kept also where nothing says whose it is."""

    fingerprint = models.CharField(max_length=LONGEST_FINGERPRINT, unique=True)
    name = models.CharField(max_length=500)
    summary = models.TextField(blank=True)
    severity = models.CharField(max_length=500, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts", help_text="Whose it is."
    )
    is_firing = models.BooleanField("firing")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(help_text="When Alertmanager said so last.")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [models.CheckConstraint(condition=~Q(fingerprint=""), name="alert_has_a_fingerprint")]
        indexes = [
            models.Index(fields=["-received_at"], name="alert_newest"),
            models.Index(fields=["pipeline"], condition=Q(is_firing=True), name="alert_firing"),
        ]

    def __str__(self) -> str:
        return self.name
