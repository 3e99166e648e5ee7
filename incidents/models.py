"""Incidents with their timeline, escalation and runbook runs; alerts, integration keys and maintenance windows."""

import datetime as dt
from typing import Any, Self

import pghistory
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils.dateparse import parse_datetime

from common.db import SpanQuerySet, no_overlap_constraint, page_version_triggers
from common.fields import LineField, MultilineField
from notifications.models import LeasedQuerySet, LeasedRow
from people.models import User
from pipelines.models import Pipeline
from runbooks.domain.evidence import MAX_NAME_LENGTH
from runbooks.models import Runbook
from scheduling.models import Rotation
from validation.models import DataSource

MAX_TITLE_LENGTH = 200
MAX_TEXT_LENGTH = 10_000
MAX_FINGERPRINT_LENGTH = 300
MAX_GROUP_KEY_LENGTH = 300
MAX_NOTE_LENGTH = 2000
MAX_KEY_NAME_LENGTH = 80
MAX_REASON_LENGTH = 200
MAX_EVIDENCE_QUERY_LENGTH = 20_000
MAX_STEP_TEXT_LENGTH = 200
MAX_SKIP_REASON_LENGTH = 300
DRILL_PREFIX = "Drill: "
# Older messages in Slack are no longer updated; a click on them gets a response that says what has changed.
MAX_SLACK_POST_AGE = dt.timedelta(days=14)


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Query methods for incidents."""

    def unresolved(self) -> Self:
        """Return the incidents that are not resolved."""
        return self.exclude(state=Incident.State.RESOLVED)

    def without_drills(self) -> Self:
        """Return the incidents that are real."""
        return self.exclude(source=Incident.Source.DRILL)

    def due(self, *, at: dt.datetime) -> Self:
        """Return the unresolved incidents with a step that is due, longest overdue first.

        That is an escalation, the end of a snooze, an assignee who was deactivated, or the start of a maintenance window.
        """
        escalates = Q(state=Incident.State.OPEN, next_escalation_at__lte=at)
        maintenance = MaintenanceWindow.objects.active(at=at).filter(pipeline=OuterRef("pipeline"))
        to_hold = Q(Exists(maintenance), next_escalation_at__isnull=False) & ~Q(hold=Incident.Hold.MAINTENANCE)
        rows = self.unresolved().filter(escalates | to_hold | Q(snoozed_until__lte=at) | Q(assignee__is_active=False))
        return rows.order_by("next_escalation_at", "pk")

    def open_first(self) -> Self:
        """Order the incidents by state (open, acknowledged, resolved), then newest first."""
        ranks = [When(state=state, then=Value(rank)) for rank, state in enumerate(Incident.State.values)]
        return self.annotate(state_rank=Case(*ranks)).order_by("state_rank", "-opened_at", "-pk")


# Workers move these columns all the time, and the timeline shows the result.
@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["next_escalation_at", "last_seen_at", "repeats"])),
    pghistory.DeleteEvent(),
    exclude=["evidence_round"],
)
class Incident(models.Model):
    """An issue, outage or delay of a pipeline; every step is on its timeline (docs/rules.md, Incidents)."""

    class Kind(models.TextChoices):
        """What is wrong."""

        ISSUE = "issue", "Issue"
        OUTAGE = "outage", "Outage"
        DELAY = "delay", "Delay"

    class State(models.TextChoices):
        """State, in the order of lists."""

        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"

    class Severity(models.TextChoices):
        """How urgent it is: `low` waits for working hours."""

        CRITICAL = "critical", "Critical"
        HIGH = "high", "High"
        LOW = "low", "Low"

    class Source(models.TextChoices):
        """What opened the incident."""

        PERSON = "person", "Person"
        CHECK = "check", "Check"
        ALERT = "alert", "Alert"
        API = "api", "API"
        DRILL = "drill", "Drill"

    class Hold(models.TextChoices):
        """What pauses its escalation."""

        MAINTENANCE = "maintenance", "Maintenance"
        UPSTREAM = "upstream", "Upstream incident"

    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="incidents")
    parent = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="children",
        help_text="The open upstream incident that explained the failure when this one was opened.",
    )
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.ISSUE)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.HIGH)
    title = LineField(max_length=MAX_TITLE_LENGTH)
    text = MultilineField(blank=True, max_length=MAX_TEXT_LENGTH)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    source = models.CharField(max_length=6, choices=Source, default=Source.PERSON)
    check_id = models.PositiveBigIntegerField(null=True, blank=True, help_text="ID of the failing check.")
    fingerprint = LineField(
        max_length=MAX_FINGERPRINT_LENGTH,
        blank=True,
        help_text="Alertmanager’s fingerprint of the alert, the tool and key of an external check, or the key of an event.",
    )
    group_key = LineField(
        max_length=MAX_GROUP_KEY_LENGTH, blank=True, help_text="Alertmanager’s group, whose alerts share the incident."
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty if its check or alert recovered.",
    )
    assignee = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="incidents",
        help_text="Engineer working on the incident.",
    )
    round = models.PositiveSmallIntegerField(default=1, help_text="Escalation round; reopening starts a new one.")
    next_escalation_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    hold = models.CharField(
        max_length=11, choices=Hold, blank=True, help_text="What pauses its escalation, which restarts afterwards."
    )
    repeats = models.PositiveIntegerField(default=0, help_text="How often the check or alert failed again.")
    last_seen_at = models.DateTimeField(help_text="When the check or alert last failed.")
    recovered_at = models.DateTimeField(null=True, blank=True, help_text="When the check recovered.")
    evidence_round = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Newest round for which evidence was requested."
    )

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        triggers = page_version_triggers(exclude=["last_seen_at", "repeats"])
        constraints = [
            models.UniqueConstraint(
                fields=["check_id"],
                condition=Q(check_id__isnull=False) & ~Q(state="resolved"),
                name="one_open_incident_per_check",
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=~Q(fingerprint="") & ~Q(state="resolved"),
                name="one_open_incident_per_fingerprint",
            ),
            models.UniqueConstraint(
                fields=["pipeline", "group_key"],
                condition=~Q(group_key="") & ~Q(state="resolved"),
                name="one_open_incident_per_group",
            ),
            models.CheckConstraint(
                condition=Q(snoozed_until=None) | ~Q(state="resolved") & Q(next_escalation_at=None),
                name="snoozed_incident_does_not_escalate",
            ),
            models.CheckConstraint(condition=~Q(title=""), name="incident_has_title"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="incident_is_not_below_itself"),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False)
                | (~Q(state="resolved") & Q(resolved_at=None, resolved_by=None)),
                name="resolved_incident_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="acknowledged")
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False, assignee__isnull=False),
                name="acknowledged_incident_has_assignee",
            ),
            models.CheckConstraint(
                condition=Q(next_escalation_at=None) | Q(state="open"), name="only_open_incidents_escalate"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(resolved_at__gte=F("opened_at")),
                name="incident_resolved_after_opened",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_escalation_at"], condition=Q(next_escalation_at__isnull=False), name="incident_due"
            ),
            models.Index(fields=["id"], condition=Q(hold="upstream"), name="incident_held_upstream"),
            models.Index(fields=["snoozed_until"], condition=Q(snoozed_until__isnull=False), name="incident_snoozed"),
            models.Index(fields=["pipeline", "state"], name="incident_pipeline_state"),
            models.Index(fields=["-opened_at"], name="incident_newest"),
            models.Index(
                fields=["id"],
                condition=Q(evidence_round__lt=F("round")) & ~Q(state="resolved"),
                name="incident_without_evidence",
            ),
            models.Index(fields=["check_id", "-opened_at"], name="incident_check"),
            models.Index(fields=["fingerprint", "-opened_at"], name="incident_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_resolved(self) -> bool:
        return self.state == Incident.State.RESOLVED

    @property
    def acknowledgement_time(self) -> dt.timedelta:
        """How long it waits for an acknowledgement before it escalates, by its pipeline and severity."""
        return dt.timedelta(minutes=self.pipeline.escalation_minutes(self.severity))

    @property
    def is_held(self) -> bool:
        return self.hold != ""

    @property
    def is_drill(self) -> bool:
        return self.source == Incident.Source.DRILL

    @property
    def marked_title(self) -> str:
        """The title for messages. That of a drill starts with `DRILL_PREFIX`, even if someone has edited it."""
        is_marked = not self.is_drill or self.title.startswith(DRILL_PREFIX)
        return self.title if is_marked else f"{DRILL_PREFIX}{self.title}"

    @property
    def state_badge(self) -> str:
        """The CSS class of the state's badge."""
        return {"open": "danger", "acknowledged": "info"}.get(self.state, "ok")

    @property
    def is_written_by_person(self) -> bool:
        """Return True if a person wrote the text, which is then Markdown; the text of a check or alert is plain."""
        return self.source in (Incident.Source.PERSON, Incident.Source.API)

    @property
    def newest_run_steps(self) -> "list[RunStep]":
        """The steps of the newest runbook run; reads only prefetched rows if `runs` are prefetched, newest first."""
        run = next(iter(self.runs.all()), None)
        return list(run.steps.all()) if run else []

    def add_entry(
        self, kind: str, *, at: dt.datetime, by: User | None = None, text: str = "", **data: object
    ) -> "TimelineEntry":
        """Append a timeline entry and return it; the caller holds the incident's lock.

        Clocks of workers differ and a caller may have waited for the lock, so an entry is never dated before the previous one.
        """
        previous = self.timeline.order_by("-pk").values_list("at", flat=True).first()
        entry: TimelineEntry = self.timeline.create(kind=kind, at=max(at, previous or at), by=by, text=text, data=data)
        return entry

    def add_counted_entry(self, kind: str, *, at: dt.datetime, text: str, times: int = 1) -> None:
        """Append a timeline entry, or count it in the last entry if that is of the same kind; the caller holds the lock."""
        last = self.timeline.order_by("-pk").first()
        if last is None or last.kind != kind:
            self.add_entry(kind, at=at, text=text, times=times)
            return
        last.data = {**last.data, "times": int(last.data.get("times", 1)) + times}
        last.at, last.text = max(at, last.at), text
        last.save(update_fields=["data", "at", "text"])


class TimelineEntry(models.Model):
    """A timeline entry.

    Entries never change, except that failures or alerts in a row share one entry with a count, and that the author of a note can
    undo it for ten minutes.
    """

    class Kind(models.TextChoices):
        """What happened."""

        OPENED = "opened", "Opened"
        NOTIFIED = "notified", "Notified"
        EXHAUSTED = "exhausted", "Escalation exhausted"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        NOTE = "note", "Note"
        EDITED = "edited", "Edited"
        REASSIGNED = "reassigned", "Reassigned"
        UNASSIGNED = "unassigned", "Unassigned"
        SNOOZED = "snoozed", "Snoozed"
        SNOOZE_ENDED = "snooze_ended", "Snooze ended"
        HELD = "held", "Escalation paused for maintenance"
        MAINTENANCE_ENDED = "maintenance_ended", "Maintenance ended"
        UPSTREAM = "upstream", "Escalation paused for an upstream incident"
        UPSTREAM_ENDED = "upstream_ended", "Escalation resumed"
        CHANGE = "change", "Change"
        FAILURE_ADDED = "failure_added", "Failure added"
        FAILURE_RECOVERED = "failure_recovered", "Failure recovered"
        ALERT_ADDED = "alert_added", "Alert added"
        ALERT_RESOLVED = "alert_resolved", "Alert resolved"
        REPEATED = "repeated", "Failed again"
        RECOVERED = "recovered", "Recovered"
        RUN_STARTED = "run_started", "Runbook started"
        STEP = "step", "Runbook step"
        RESOLVED = "resolved", "Resolved"
        REOPENED = "reopened", "Reopened"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=17, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty for the system."
    )
    text = MultilineField(blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["incident", "pk"]
        verbose_name_plural = "timeline entries"
        indexes = [models.Index(fields=["incident", "id"], name="timeline_of_incident")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text}" if self.text else self.get_kind_display()

    @property
    def until(self) -> dt.datetime | None:
        """When the snooze or maintenance of this entry ends."""
        return parse_datetime(str(self.data["until"])) if "until" in self.data else None


class EscalationStep(models.Model):
    """A notification of an engineer about an incident, at most once per round."""

    class Role(models.TextChoices):
        """Why the engineer was notified."""

        ON_CALL = "on_call", "on call"
        PRIMARY_OWNER = "primary_owner", "primary owner"
        SECONDARY_OWNER = "secondary_owner", "secondary owner"
        ROTATION = "rotation", "next in rotation"
        ASSIGNEE = "assignee", "assignee"
        ADMIN = "admin", "admin"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="escalation_steps")
    round = models.PositiveSmallIntegerField()
    engineer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16, choices=Role)
    at = models.DateTimeField()

    class Meta:
        ordering = ["incident", "round", "at", "pk"]
        triggers = page_version_triggers()
        constraints = [
            models.UniqueConstraint(fields=["incident", "round", "engineer"], name="one_notification_per_round"),
        ]

    def __str__(self) -> str:
        return f"{self.engineer}, {self.get_role_display()}, {self.at:%Y-%m-%d %H:%M}Z"


class FailureQuerySet(models.QuerySet["Failure"]):
    """Query methods for failures."""

    def for_check(self, *, check_id: int | None, fingerprint: str) -> Self:
        """Return the failures of a check, by its ID, or else of an external check, by its fingerprint."""
        return self.filter(check_id=check_id) if check_id is not None else self.filter(fingerprint=fingerprint)


class Failure(models.Model):
    """A failing check inside an incident. Checks of one pipeline that fail together share an incident."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="failures")
    check_id = models.PositiveBigIntegerField(null=True, blank=True, help_text="ID of the failing check.")
    fingerprint = LineField(
        max_length=MAX_FINGERPRINT_LENGTH, blank=True, help_text="Tool and key of an external check."
    )
    title = LineField(max_length=MAX_TITLE_LENGTH)
    text = MultilineField(blank=True, max_length=MAX_TEXT_LENGTH)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="When the check last failed.")
    repeats = models.PositiveIntegerField(default=0, help_text="How often the check failed again.")
    recovered_at = models.DateTimeField(null=True, blank=True, help_text="When the check recovered.")
    is_open = models.BooleanField(default=True, help_text="The incident is unresolved and this failure is part of it.")

    objects = FailureQuerySet.as_manager()

    class Meta:
        ordering = ["incident", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["check_id"],
                condition=Q(is_open=True, check_id__isnull=False),
                name="check_fails_in_one_incident",
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=Q(is_open=True) & ~Q(fingerprint=""),
                name="external_check_fails_in_one_incident",
            ),
            models.UniqueConstraint(fields=["incident", "check_id", "fingerprint"], name="one_failure_per_check"),
            models.CheckConstraint(condition=Q(check_id=None) ^ Q(fingerprint=""), name="failure_has_one_check"),
        ]
        indexes = [
            models.Index(fields=["check_id"], name="failure_check"),
            models.Index(fields=["fingerprint"], name="failure_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.title


class DrillQuerySet(models.QuerySet["Drill"]):
    """Query methods for drills."""

    def weekly(self) -> Self:
        """Return the weekly drills of rotations, skipped ones included."""
        return self.exclude(rotation=None)


class Drill(models.Model):
    """A drill that someone started, or a rotation's weekly drill, which may have been skipped (docs/rules.md, Incidents).

    The row of a weekly drill is stored in the transaction that starts or skips it. Its unique key ensures that this happens once.
    """

    class State(models.TextChoices):
        """The outcome of a drill."""

        IN_PROGRESS = "in_progress", "In progress"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        NOT_ACKNOWLEDGED = "not_acknowledged", "Not acknowledged"
        SKIPPED = "skipped", "Skipped"

    rotation = models.ForeignKey(
        Rotation,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="drills",
        help_text="Rotation whose weekly drill it is; empty if somebody started it.",
    )
    week = models.DateField(null=True, blank=True, help_text="Monday of the week of a weekly drill.")
    at = models.DateTimeField(help_text="When it started or was skipped.")
    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="drill")
    engineer = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="The responder at that time."
    )
    skip_reason = LineField(max_length=MAX_SKIP_REASON_LENGTH, blank=True, help_text="Why it was skipped.")

    objects = DrillQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        triggers = page_version_triggers()
        constraints = [
            models.UniqueConstraint(fields=["rotation", "week"], name="one_weekly_drill_per_week"),
            models.CheckConstraint(
                condition=Q(rotation=None, week=None) | Q(rotation__isnull=False, week__isnull=False),
                name="weekly_drill_has_week",
            ),
            models.CheckConstraint(
                condition=Q(incident__isnull=False, skip_reason="") | (Q(incident=None) & ~Q(skip_reason="")),
                name="drill_ran_or_was_skipped",
            ),
        ]
        indexes = [models.Index(fields=["-at"], name="drill_newest")]

    def __str__(self) -> str:
        return f"{self.incident.pipeline if self.incident else self.rotation}, {self.at:%Y-%m-%d %H:%M}Z"

    @property
    def state(self) -> str:
        """The outcome. A drill that someone resolves counts as acknowledged; one that ends by itself does not."""
        if self.incident is None:
            return Drill.State.SKIPPED
        if self.incident.acknowledged_at is not None or self.incident.resolved_by_id is not None:
            return Drill.State.ACKNOWLEDGED
        return Drill.State.NOT_ACKNOWLEDGED if self.incident.is_resolved else Drill.State.IN_PROGRESS

    @property
    def state_label(self) -> str:
        return str(Drill.State(self.state).label)

    @property
    def state_badge(self) -> str:
        """The CSS class of the state's badge."""
        return {"acknowledged": "ok", "not_acknowledged": "warn", "in_progress": "info"}.get(self.state, "")

    @property
    def responded_at(self) -> dt.datetime | None:
        """When someone acknowledged it, or resolved it without acknowledging."""
        if self.incident is None or self.state != Drill.State.ACKNOWLEDGED:
            return None
        return self.incident.acknowledged_at or self.incident.resolved_at

    @property
    def responded_by(self) -> User | None:
        """Who acknowledged it, or resolved it without acknowledging."""
        if self.incident is None or self.state != Drill.State.ACKNOWLEDGED:
            return None
        return self.incident.acknowledged_by or self.incident.resolved_by

    @property
    def response_time(self) -> dt.timedelta | None:
        """The time from opening to response."""
        if self.incident is None or self.responded_at is None:
            return None
        return max(self.responded_at - self.incident.opened_at, dt.timedelta())


class RunbookRun(models.Model):
    """A run of a runbook during an incident: the steps of one revision as a checklist."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="runs")
    runbook = models.ForeignKey(
        Runbook,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
        help_text="Empty if it was deleted for good.",
    )
    revision = models.PositiveIntegerField(help_text="Revision that the steps come from.")
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When the incident was resolved.")

    class Meta:
        ordering = ["incident", "-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident"], condition=Q(ended_at=None), name="one_active_run_per_incident"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.runbook or 'Deleted runbook'}, revision {self.revision}"


@pghistory.track()
class RunStep(models.Model):
    """A step of a run: its text at the start of the run, who did it when, and a note."""

    run = models.ForeignKey(RunbookRun, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    text = MultilineField()
    html = MultilineField(blank=True, help_text="The step as the runbook's page shows it, sanitised.")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = MultilineField(blank=True, max_length=MAX_NOTE_LENGTH)
    fixed_incident = models.BooleanField(default=False, help_text="This step fixed the incident.")

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="one_step_per_position"),
            models.UniqueConstraint(fields=["run"], condition=Q(fixed_incident=True), name="one_step_fixed_incident"),
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None) | Q(done_at__isnull=False, done_by__isnull=False),
                name="done_step_has_engineer_and_time",
            ),
            models.CheckConstraint(
                condition=Q(fixed_incident=False) | Q(done_at__isnull=False), name="only_done_step_fixed_incident"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.text}"

    @property
    def is_done(self) -> bool:
        return self.done_at is not None


@pghistory.track()
class QueryApproval(models.Model):
    """An admin's permission to run this exact SQL on a data source as evidence (docs/rules.md, Evidence)."""

    source = models.ForeignKey(DataSource, on_delete=models.CASCADE, related_name="query_approvals")
    query = MultilineField(max_length=MAX_EVIDENCE_QUERY_LENGTH)
    digest = LineField(max_length=64, help_text="SHA-256 of the SQL.")
    rows_for_engineers = models.BooleanField(
        "engineers can see the rows", default=False, help_text="Otherwise only admins can."
    )
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()

    class Meta:
        ordering = ["-approved_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "digest"], name="one_approval_per_query"),
            models.CheckConstraint(condition=~Q(query=""), name="approval_has_query"),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.query[:60]}"


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    """Query methods for evidence."""

    def unfinished(self) -> Self:
        """Return the evidence that is due, running or waiting for approval."""
        return self.filter(state__in=(Evidence.State.WAITING, Evidence.State.PENDING))

    def due(self, *, at: dt.datetime) -> Self:
        """Return the evidence that a worker may run and that none has claimed."""
        free = Q(lease_until=None) | Q(lease_until__lte=at)
        return self.filter(free, state=Evidence.State.PENDING, due_at__lte=at)


class Evidence(models.Model):
    """The result of an evidence block of the runbook for an incident: the first rows of a query, or the newest results of a check.

    A worker writes the result once. Running a block again adds a row.
    """

    class Kind(models.TextChoices):
        """The kind of block."""

        SQL = "sql", "Query"
        CHECK = "check", "Check"

    class State(models.TextChoices):
        """How far its run is."""

        WAITING = "waiting", "Waiting for approval"
        PENDING = "pending", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="evidence")
    run = models.ForeignKey(
        RunbookRun,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="evidence",
        help_text="Runbook run that it belongs to, if the runbook was started.",
    )
    round = models.PositiveSmallIntegerField(help_text="Escalation round of the incident.")
    revision = models.PositiveIntegerField(help_text="Revision of the runbook that the block comes from.")
    step = models.PositiveSmallIntegerField(help_text="Number of the step.")
    step_text = MultilineField(blank=True, max_length=MAX_STEP_TEXT_LENGTH)
    kind = models.CharField(max_length=5, choices=Kind)
    name = LineField(max_length=MAX_NAME_LENGTH, help_text="Data source or check, as written in the runbook.")
    query = MultilineField(blank=True, max_length=MAX_EVIDENCE_QUERY_LENGTH)
    key = LineField(max_length=64, help_text="Identifies the block by its source and text.")
    source = models.ForeignKey(DataSource, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    approval = models.ForeignKey(
        QueryApproval, on_delete=models.SET_NULL, null=True, blank=True, related_name="evidence"
    )
    check_id = models.PositiveBigIntegerField(null=True, blank=True, help_text="ID of the check.")
    state = models.CharField(max_length=7, choices=State, default=State.PENDING)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty if the incident’s opening requested it.",
    )
    due_at = models.DateTimeField(null=True, blank=True, help_text="When a worker may run it.")
    claim = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    columns: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    rows: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    is_truncated = models.BooleanField(default=False, help_text="The query returned more rows than are stored.")
    error = MultilineField(blank=True)
    error_details = MultilineField(blank=True, help_text="The database’s error message, for admins only.")

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        ordering = ["incident", "pk"]
        verbose_name_plural = "evidence"
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "key"],
                condition=Q(state__in=("waiting", "pending")),
                name="evidence_runs_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", due_at__isnull=False) | (~Q(state="pending") & Q(due_at=None)),
                name="pending_evidence_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("done", "failed")) | Q(finished_at__isnull=False),
                name="finished_evidence_has_time",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="pending"), name="evidence_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"

    @property
    def seconds(self) -> float | None:
        """Duration of the run in seconds; None before it has run."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def shows_rows_to(self, person: User) -> bool:
        """Return True if a person may see the rows: values from a data source are for admins, unless an approval says otherwise."""
        if self.kind == Evidence.Kind.CHECK or person.is_staff:
            return True
        return self.approval is not None and self.approval.rows_for_engineers


class AlertQuerySet(models.QuerySet["Alert"]):
    """Query methods for alerts."""

    def unmapped(self) -> Self:
        """Return the alerts without a pipeline, which open no incident."""
        return self.filter(pipeline=None)


class Alert(models.Model):
    """The last state of an alert that Alertmanager sent, also if it maps to no pipeline."""

    fingerprint = LineField(max_length=MAX_FINGERPRINT_LENGTH, unique=True)
    name = LineField(max_length=500)
    summary = MultilineField(blank=True)
    severity = LineField(max_length=500, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    incident = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    group_key = LineField(max_length=MAX_GROUP_KEY_LENGTH, blank=True)
    is_firing = models.BooleanField("firing")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    last_ends_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="End of the last firing that was resolved; it stays while the alert fires again.",
    )
    received_at = models.DateTimeField(help_text="When the last webhook with this alert arrived.")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [models.CheckConstraint(condition=~Q(fingerprint=""), name="alert_has_fingerprint")]
        indexes = [
            models.Index(fields=["-received_at"], name="alert_newest"),
            models.Index(fields=["pipeline"], condition=Q(is_firing=True), name="alert_firing"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return f"{self.name}: {self.summary}" if self.summary else self.name


class IntegrationKeyQuerySet(models.QuerySet["IntegrationKey"]):
    """Query methods for integration keys."""

    def active(self) -> Self:
        """Return the keys that are not revoked."""
        return self.filter(revoked_at=None)


# The columns that every event changes are left out.
@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["last_used_at", "minute", "events_in_minute"])),
    pghistory.DeleteEvent(),
    exclude=["digest", "last_used_at", "minute", "events_in_minute"],
)
class IntegrationKey(models.Model):
    """A secret with which a tool sends events about a pipeline: 128 random bits, stored as a SHA-256 digest."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="integration_keys")
    name = LineField(max_length=MAX_KEY_NAME_LENGTH, help_text="The tool that uses it, such as “Grafana”.")
    prefix = LineField(max_length=8)
    digest = LineField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    minute = models.DateTimeField(null=True, editable=False, help_text="Start of the minute whose events are counted.")
    events_in_minute = models.PositiveIntegerField(default=0, editable=False)

    objects = IntegrationKeyQuerySet.as_manager()

    class Meta:
        ordering = ["pipeline", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "name"], condition=Q(revoked_at=None), name="one_active_key_per_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class MaintenanceQuerySet(SpanQuerySet):
    """Query methods for maintenance windows."""

    def active(self, *, at: dt.datetime) -> Self:
        """Return the windows that cover an instant."""
        return self.filter(starts_at__lte=at, ends_at__gt=at)

    def not_ended(self, *, at: dt.datetime) -> Self:
        """Return the windows that have not ended, in order."""
        return self.filter(ends_at__gt=at).order_by("starts_at", "pk")


@pghistory.track()
class MaintenanceWindow(models.Model):
    """A time during which nobody is notified of a pipeline's incidents (docs/rules.md, Maintenance windows)."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="maintenance_windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = LineField(max_length=MAX_REASON_LENGTH, help_text="Such as “Warehouse migration”.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-pk"]
        triggers = page_version_triggers()
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="maintenance_ends_after_start",
                violation_error_message="The end must be after the start.",
            ),
            no_overlap_constraint(
                per="pipeline_id",
                name="maintenance_windows_do_not_overlap",
                message="This pipeline has another maintenance window at that time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline}: {self.reason}"


class SlackPostQuerySet(LeasedQuerySet):
    """Query methods for Slack messages about incidents."""

    def stale(self) -> Self:
        """Return messages that do not show the newest state of their incident and that Slack can still update."""
        newest = TimelineEntry.objects.filter(incident=OuterRef("incident")).order_by("-pk").values("pk")[:1]
        rows = self.filter(stopped_at=None, created_at__gt=Now() - MAX_SLACK_POST_AGE)
        rows = rows.exclude(incident__state=Incident.State.RESOLVED, shows_resolved=True)
        return (
            rows.annotate(newest_entry=Coalesce(Subquery(newest), 0))
            .exclude(newest_entry=F("shown_entry"))
            .order_by("pk")
        )


class SlackPost(LeasedRow):
    """A message about an incident in Slack. Workers update it until it shows the newest entry of the incident's timeline."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="slack_posts")
    channel = LineField(max_length=32, help_text="Slack’s ID of the channel or direct message.")
    ts = LineField(max_length=32, help_text="The message’s timestamp, which is its ID in the channel.")
    shown_entry = models.PositiveBigIntegerField(help_text="The newest entry of the timeline that it shows.")
    shows_resolved = models.BooleanField(default=False)
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="When Slack refused to update it.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SlackPostQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "Slack message"
        constraints = [models.UniqueConstraint(fields=["channel", "ts"], name="slack_post_is_stored_once")]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(stopped_at=None), name="slack_post_to_update"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.ts}"
