"""Models of checks: schedule, severity, results and pending re-evaluations."""

import datetime as dt
from typing import Any, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from people.models import User, valid_country
from pipelines.models import Pipeline
from validation.domain.formatting import format_value, unit_of
from validation.domain.parameters import TYPES
from validation.domain.results import ResultStatus
from validation.models.metrics import DataSource, Metric

LONGEST_MINUTES = 7 * 24 * 60
MOST_CONFIRMED = 20


class CheckType(models.TextChoices):
    """The thirteen check types (docs/validation.md)."""

    FRESHNESS = "freshness", "Freshness"
    RUN_DEADLINE = "run_deadline", "Run deadline"
    COMPLETENESS = "completeness", "Completeness"
    VOLUME = "volume", "Volume"
    RANGE = "range", "Range"
    VALIDITY = "validity", "Validity"
    SCHEMA = "schema", "Schema"
    CHANGE_OVER_TIME = "change_over_time", "Change over time"
    ANOMALY = "anomaly", "Anomaly"
    RATIO = "ratio", "Ratio"
    RECONCILIATION = "reconciliation", "Reconciliation"
    TARGET = "target", "Target"
    CUSTOM_SQL = "custom_sql", "Own SQL"


STATUSES = [(one.value, one.value.capitalize()) for one in ResultStatus]
# These evaluate their own query instead of a metric; run checks use neither.
QUERY_TYPES = (CheckType.SCHEMA, CheckType.CUSTOM_SQL)
WITHOUT_METRIC = (*QUERY_TYPES, CheckType.RUN_DEADLINE)


class Severity(models.TextChoices):
    """The severity of a check. A check that only warns opens no incident."""

    WARN = "warn", "Warn"
    FAIL = "fail", "Fail"


class Holidays(models.TextChoices):
    """How a check treats public holidays."""

    ORDINARY = "ordinary", "Days as any other"
    NOT_EXPECTED = "not_expected", "Days on which nothing is expected"
    KNOWN = "known", "Known events: judged, told to nobody"


class CheckQuerySet(models.QuerySet["Check"]):
    def due(self, *, at: dt.datetime) -> Self:
        """Return enabled checks that are due and that no worker is running."""
        free = Q(lease_until=None) | Q(lease_until__lte=at)
        return self.filter(free, is_active=True, next_due_at__lte=at)

    def alerting(self) -> Self:
        """Return checks whose failure is confirmed."""
        return self.filter(alerting_since__isnull=False)


RUNTIME = [
    "next_due_at",
    "requested_at",
    "claim",
    "lease_until",
    "running_since",
    "last_status",
    "last_message",
    "last_value",
    "last_expected",
    "last_bucket",
    "last_run_at",
    "alerting_since",
    "alert_ended_at",
]
DEFINED = (
    "name",
    "check_type",
    "metric",
    "other_metric",
    "source",
    "query",
    "parameters",
    "severity",
    "interval_minutes",
    "cron",
    "settle_minutes",
    "confirm",
    "confirm_of",
    "cooldown_minutes",
    "muted_until",
    "weekdays",
    "country",
    "holidays",
    "is_active",
)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(*DEFINED)),
    pghistory.DeleteEvent(),
    exclude=RUNTIME,
)
class Check(models.Model):
    """A scheduled check of a pipeline (docs/validation.md)."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="checks")
    name = models.CharField(max_length=120)
    check_type = models.CharField("type", max_length=16, choices=CheckType)
    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, null=True, blank=True, related_name="checks")
    other_metric = models.ForeignKey(
        Metric,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="The denominator, or the metric it is held against.",
    )
    source = models.ForeignKey(DataSource, on_delete=models.PROTECT, null=True, blank=True, related_name="checks")
    query = models.TextField(blank=True, max_length=20_000, help_text="One SELECT, for checks with SQL of their own.")
    parameters = models.JSONField(default=dict, blank=True)
    severity = models.CharField(max_length=4, choices=Severity, default=Severity.FAIL)
    interval_minutes = models.PositiveIntegerField(
        "every",
        null=True,
        blank=True,
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MINUTES)],
        help_text="Minutes; or give a cron line.",
    )
    cron = models.CharField(max_length=100, blank=True, help_text="Five fields, in the metric’s zone: 0 7 * * 1-5")
    settle_minutes = models.PositiveIntegerField(
        "settles after",
        default=0,
        validators=[MaxValueValidator(LONGEST_MINUTES)],
        help_text="Minutes after the end of a day or hour until it is judged.",
    )
    confirm = models.PositiveSmallIntegerField(
        "confirmed by",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_CONFIRMED)],
        help_text="So many results must fail …",
    )
    confirm_of = models.PositiveSmallIntegerField(
        "of the last",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_CONFIRMED)],
        help_text="… of so many.",
    )
    cooldown_minutes = models.PositiveIntegerField(
        "cooldown",
        default=0,
        validators=[MaxValueValidator(LONGEST_MINUTES)],
        help_text="Minutes after an alert ended in which no new one begins.",
    )
    muted_until = models.DateTimeField(null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(),
        default=list,
        blank=True,
        help_text="On which data is expected, 0 for Monday; none: every day.",
    )
    country = models.CharField(max_length=2, blank=True, validators=[valid_country], help_text="Of the holidays.")
    holidays = models.CharField("public holidays are", max_length=12, choices=Holidays, default=Holidays.ORDINARY)
    is_active = models.BooleanField("switched on", default=True)
    proposed_from = models.CharField(max_length=500, blank=True, help_text="The handbook’s line that asks for it.")

    next_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    requested_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When somebody asked for a run."
    )
    claim = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    running_since = models.DateTimeField(null=True, blank=True, editable=False)
    last_status = models.CharField(max_length=8, choices=STATUSES, blank=True, editable=False)
    last_message = models.TextField(blank=True, editable=False)
    last_value = models.FloatField(null=True, blank=True, editable=False)
    last_expected = models.CharField(max_length=120, blank=True, editable=False)
    last_bucket = models.DateTimeField(null=True, blank=True, editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    alerting_since = models.DateTimeField(null=True, blank=True, editable=False)
    alert_ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CheckQuerySet.as_manager()

    class Meta:
        ordering = ["pipeline__position", "pipeline", "name"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "name"], name="one_check_a_name"),
            models.CheckConstraint(condition=~Q(name=""), name="check_has_a_name"),
            models.CheckConstraint(condition=Q(check_type__in=list(TYPES)), name="check_has_a_type"),
            models.CheckConstraint(
                condition=Q(interval_minutes__isnull=True) ^ Q(cron=""),
                name="check_has_one_timetable",
                violation_error_message="Give an interval or a cron line, not both.",
            ),
            models.CheckConstraint(
                condition=Q(interval_minutes=None) | Q(interval_minutes__gte=1), name="check_interval_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(confirm__gte=1, confirm__lte=F("confirm_of"), confirm_of__lte=MOST_CONFIRMED),
                name="check_confirms_n_of_m",
                violation_error_message="So many of the last cannot fail: confirm N of M with N at most M.",
            ),
            models.CheckConstraint(
                condition=Q(claim=None, lease_until=None) | Q(claim__isnull=False, lease_until__isnull=False),
                name="check_claim_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False)
                | Q(check_type__in=[one.value for one in WITHOUT_METRIC])
                | Q(metric__isnull=False),
                name="check_on_has_a_metric",
                violation_error_message="Choose the metric before switching the check on.",
            ),
            models.CheckConstraint(
                condition=Q(source=None, query="") | (Q(source__isnull=False) & ~Q(query="")),
                name="check_query_has_a_source",
                violation_error_message="A query of its own needs both a source and a SELECT.",
            ),
        ]
        indexes = [
            models.Index(fields=["next_due_at"], condition=Q(is_active=True), name="check_due"),
            models.Index(fields=["alerting_since"], condition=Q(alerting_since__isnull=False), name="check_alerting"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_sql(self) -> bool:
        """Return True if the check runs its own query. Only admins can change such a check."""
        return bool(self.query) or self.check_type in QUERY_TYPES

    @property
    def value_unit(self) -> str:
        """The unit of the check's values, "min" for durations; empty if unknown."""
        return unit_of(self.check_type, parameters=self.parameters, unit=self.metric.unit if self.metric else "")

    @property
    def last_number(self) -> str:
        """The last evaluated value with its unit, for display; a dash if there is none."""
        return "–" if self.last_value is None else format_value(self.last_value, unit=self.value_unit)

    @property
    def is_wrong(self) -> bool:
        """Return True if the last result needs attention."""
        return self.is_active and self.last_status in (ResultStatus.FAIL, ResultStatus.WARN, ResultStatus.ERROR)

    @property
    def zone_name(self) -> str:
        """The time zone of the schedule, taken from the metric."""
        return self.metric.time_zone if self.metric else "UTC"


class CheckResult(models.Model):
    """One result of a check. It never changes, except that it can be acknowledged as expected."""

    class Because(models.TextChoices):
        """Why the check ran."""

        TIMETABLE = "timetable", "Timetable"
        PERSON = "person", "Run now"
        BACKFILL = "backfill", "Data came late or changed"

    # Every model has a method named “check”.
    of = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="results", db_index=False)
    status = models.CharField(max_length=8, choices=STATUSES)
    value = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    message = models.TextField(blank=True)
    bucket = models.DateTimeField("day or hour", null=True, blank=True, help_text="The day or hour that was judged.")
    expected = models.CharField(
        max_length=120, blank=True, help_text="The known event, or who acknowledged it: told to nobody."
    )
    because = models.CharField(max_length=9, choices=Because, default=Because.TIMETABLE)
    segments: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    acknowledged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        verbose_name = "result"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[one.value for one in ResultStatus]), name="result_has_a_status"
            ),
            models.CheckConstraint(condition=Q(started_at__lte=F("finished_at")), name="result_ends_after_it_starts"),
        ]
        indexes = [
            models.Index(fields=["of", "-started_at", "-id"], name="result_newest"),
            models.Index(fields=["of", "bucket"], name="result_of_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.status}: {self.message[:60]}"

    @property
    def seconds(self) -> float:
        """The duration of the run in seconds."""
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def counts_as(self) -> str:
        """The status for alerts: a result acknowledged as expected counts as passed."""
        return str(ResultStatus.PASS) if self.expected else self.status


class PendingReevaluation(models.Model):
    """An evaluated bucket whose data arrived late or changed; the check's next run evaluates it again."""

    of = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="rejudgements", db_index=False)
    bucket = models.DateTimeField()

    class Meta:
        ordering = ["of", "bucket"]
        constraints = [models.UniqueConstraint(fields=["of", "bucket"], name="one_rejudgement_a_bucket")]

    def __str__(self) -> str:
        return f"{self.of_id}: {self.bucket:%Y-%m-%d}"
