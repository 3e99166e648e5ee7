"""Models of checks: schedule, severity, results and pending re-evaluations."""

import datetime as dt
from typing import Any, Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from common.datetimes import RESTORE_WINDOW
from common.fields import LineField, MultilineField
from common.formatting import format_value
from people.models import User, valid_country
from pipelines.models import Pipeline
from validation.check_types import CHECK_TYPES
from validation.domain.buckets import DAY, bucket_time
from validation.domain.check_type import CheckType
from validation.domain.results import ResultStatus
from validation.models.metrics import DataSource, Metric

MAX_MINUTES = 7 * 24 * 60
MAX_CONFIRM_OF = 20


STATUSES = [(status.value, status.value.capitalize()) for status in ResultStatus]


def check_type_choices() -> list[tuple[str, str]]:
    """Return the names and labels of the check types."""
    return [(check_type.name, check_type.label) for check_type in CHECK_TYPES.values()]


class Severity(models.TextChoices):
    """The severity of a check's incidents. A check that only warns opens none."""

    WARN = "warn", "Warning"
    LOW = "low", "Low"
    FAIL = "fail", "High"
    CRITICAL = "critical", "Critical"


class Holidays(models.TextChoices):
    """How a check treats public holidays."""

    ORDINARY = "ordinary", "Treat normally"
    NOT_EXPECTED = "not_expected", "Expect no data"
    KNOWN = "known", "Evaluate but don’t alert"


class CheckQuerySet(models.QuerySet["Check"]):
    def due(self, *, at: dt.datetime) -> Self:
        """Return enabled checks that are due and that no worker is running."""
        free = Q(lease_until=None) | Q(lease_until__lte=at)
        return self.filter(free, is_active=True, next_due_at__lte=at)

    def alerting(self) -> Self:
        """Return checks whose failure is confirmed."""
        return self.filter(alerting_since__isnull=False)


_CheckManager = models.Manager.from_queryset(CheckQuerySet)


class CheckManager(_CheckManager["Check"]):
    """Manager of the checks that are not deleted."""

    def get_queryset(self) -> CheckQuerySet:
        """Return the checks that are not deleted."""
        return CheckQuerySet(self.model, using=self._db).filter(deleted_at=None)


RUNTIME_FIELDS = [
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
DEFINITION_FIELDS = (
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
    "deleted_at",
)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(*DEFINITION_FIELDS)),
    pghistory.DeleteEvent(),
    exclude=RUNTIME_FIELDS,
    # A check's page shows its newest changes.
    meta={"indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="check_event_newest")]},
)
class Check(models.Model):
    """A scheduled check of a pipeline (docs/validation.md)."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="checks")
    name = LineField(max_length=120)
    check_type = models.CharField("type", max_length=16, choices=check_type_choices)
    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, null=True, blank=True, related_name="checks")
    other_metric = models.ForeignKey(
        Metric,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Denominator, metric to compare with, or companion that explains the metric.",
    )
    source = models.ForeignKey(DataSource, on_delete=models.PROTECT, null=True, blank=True, related_name="checks")
    query = MultilineField(
        blank=True, max_length=20_000, help_text="One read-only statement, for checks with their own SQL."
    )
    parameters = models.JSONField(default=dict, blank=True)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.FAIL)
    interval_minutes = models.PositiveIntegerField(
        "run every (min)",
        null=True,
        blank=True,
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_MINUTES)],
        help_text="Leave blank to use a cron expression.",
    )
    cron = LineField(
        "cron expression", max_length=100, blank=True, help_text="In the metric’s time zone, such as 0 7 * * 1-5."
    )
    settle_minutes = models.PositiveIntegerField(
        "evaluation delay (min)",
        default=0,
        validators=[MaxValueValidator(MAX_MINUTES)],
        help_text="Minutes after the end of a day or hour until it is evaluated.",
    )
    confirm = models.PositiveSmallIntegerField(
        "alert when",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CONFIRM_OF)],
        help_text="Number of failed results that start an alert …",
    )
    confirm_of = models.PositiveSmallIntegerField(
        "of the last",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CONFIRM_OF)],
        help_text="… among this many results.",
    )
    cooldown_minutes = models.PositiveIntegerField(
        "cooldown (min)",
        default=0,
        validators=[MaxValueValidator(MAX_MINUTES)],
        help_text="Minimum time between alerts.",
    )
    muted_until = models.DateTimeField(null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(),
        default=list,
        blank=True,
        help_text="Days on which data is expected, 0 for Monday. Default: every day.",
    )
    country = LineField(
        max_length=2, blank=True, validators=[valid_country], help_text="Country of the public holidays, such as DE."
    )
    holidays = models.CharField("on public holidays", max_length=12, choices=Holidays, default=Holidays.ORDINARY)
    is_active = models.BooleanField("enabled", default=True)
    proposed_from = LineField(max_length=500, blank=True, help_text="Line of the handbook that asks for this check.")

    next_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    requested_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When a user requested a run.")
    claim = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    running_since = models.DateTimeField(null=True, blank=True, editable=False)
    last_status = models.CharField(max_length=8, choices=STATUSES, blank=True, editable=False)
    last_message = MultilineField(blank=True, editable=False)
    last_value = models.FloatField(null=True, blank=True, editable=False)
    last_expected = LineField(max_length=120, blank=True, editable=False)
    last_bucket = models.DateTimeField(null=True, blank=True, editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    alerting_since = models.DateTimeField(null=True, blank=True, editable=False)
    alert_ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    objects = CheckManager()
    all_objects = CheckQuerySet.as_manager()

    class Meta:
        ordering = ["pipeline__position", "pipeline", "name"]
        base_manager_name = "all_objects"
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "name"],
                condition=Q(deleted_at=None),
                name="check_name_is_unique",
                violation_error_message="Another check of this pipeline has this name.",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(next_due_at=None, alerting_since=None, claim=None),
                name="deleted_check_is_idle",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="check_has_a_name"),
            models.CheckConstraint(condition=Q(check_type__in=sorted(CHECK_TYPES)), name="check_has_a_type"),
            models.CheckConstraint(
                condition=Q(interval_minutes__isnull=True) ^ Q(cron=""),
                name="check_has_one_schedule",
                violation_error_message="Enter an interval or a cron expression, not both.",
            ),
            models.CheckConstraint(
                condition=Q(interval_minutes=None) | Q(interval_minutes__gte=1), name="check_interval_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(confirm__gte=1, confirm__lte=F("confirm_of"), confirm_of__lte=MAX_CONFIRM_OF),
                name="check_confirms_n_of_m",
                violation_error_message="The number of failed results must not exceed the number of results considered.",
            ),
            models.CheckConstraint(
                condition=Q(claim=None, lease_until=None) | Q(claim__isnull=False, lease_until__isnull=False),
                name="check_claim_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False)
                | Q(check_type__in=sorted(name for name, one in CHECK_TYPES.items() if not one.needs_metric))
                | Q(metric__isnull=False),
                name="check_on_has_a_metric",
                violation_error_message="Choose a metric before you enable the check.",
            ),
            models.CheckConstraint(
                condition=Q(source=None, query="") | (Q(source__isnull=False) & ~Q(query="")),
                name="check_query_has_a_source",
                violation_error_message="Choose a data source and enter SQL.",
            ),
        ]
        indexes = [
            models.Index(fields=["next_due_at"], condition=Q(is_active=True), name="check_due"),
            models.Index(fields=["alerting_since"], condition=Q(alerting_since__isnull=False), name="check_alerting"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def type(self) -> CheckType[Any]:
        """The check type, which evaluates the check and describes its parameters."""
        return CHECK_TYPES[self.check_type]

    @property
    def restorable_until(self) -> dt.datetime | None:
        """When a deleted check is deleted for good."""
        return self.deleted_at and self.deleted_at + RESTORE_WINDOW

    @property
    def has_sql(self) -> bool:
        """Return True if the check runs its own query. Only admins can change such a check."""
        return bool(self.query) or (self.check_type in CHECK_TYPES and self.type.needs_query)

    @property
    def has_backtest(self) -> bool:
        """Return True if the check can be evaluated on the history of its metric."""
        return self.metric_id is not None and self.type.is_per_bucket

    @property
    def value_unit(self) -> str:
        """The unit of the check's values, "min" for durations; empty if unknown."""
        metric_unit = self.metric.unit if self.metric else ""
        return self.type.unit(self.type.load_draft(self.parameters), metric_unit=metric_unit)

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

    class Trigger(models.TextChoices):
        """What started the run."""

        SCHEDULE = "schedule", "Scheduled"
        MANUAL = "manual", "Run now"
        BACKFILL = "backfill", "Data arrived late or changed"

    # Not `check`, which is a method of every model.
    parent_check = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="results", db_index=False)
    status = models.CharField(max_length=8, choices=STATUSES)
    value = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    message = MultilineField(blank=True)
    details = MultilineField(blank=True, help_text="Values from the data source, for admins only.")
    bucket = models.DateTimeField("day or hour", null=True, blank=True, help_text="The day or hour that was evaluated.")
    expected = LineField(max_length=120, blank=True, help_text="The known event, or who marked the result as expected.")
    trigger = models.CharField(max_length=8, choices=Trigger, default=Trigger.SCHEDULE)
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
                condition=Q(status__in=[status.value for status in ResultStatus]), name="result_has_a_status"
            ),
            models.CheckConstraint(condition=Q(started_at__lte=F("finished_at")), name="result_ends_after_it_starts"),
        ]
        indexes = [
            models.Index(fields=["parent_check", "-started_at", "-id"], name="result_newest"),
            models.Index(fields=["parent_check", "bucket"], name="result_of_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.status}: {self.message[:60]}"

    @property
    def bucket_time(self) -> dt.date | dt.datetime | None:
        """The evaluated business date, or the instant at which the evaluated hour starts."""
        if self.bucket is None:
            return None
        return bucket_time(self.bucket, step=self.parent_check.metric.step if self.parent_check.metric else DAY)

    @property
    def seconds(self) -> float:
        """The duration of the run in seconds."""
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def counts_as(self) -> str:
        """The status for alerts: an expected result counts as passed."""
        return str(ResultStatus.PASS) if self.expected else self.status


class PendingReevaluation(models.Model):
    """An evaluated bucket whose data arrived late or changed. The check's next run evaluates it again."""

    parent_check = models.ForeignKey(
        Check, on_delete=models.CASCADE, related_name="pending_reevaluations", db_index=False
    )
    bucket = models.DateTimeField()

    class Meta:
        ordering = ["parent_check", "bucket"]
        constraints = [models.UniqueConstraint(fields=["parent_check", "bucket"], name="reevaluation_is_unique")]

    def __str__(self) -> str:
        return f"{self.parent_check_id}: {self.bucket:%Y-%m-%d}"


class DetectorState(models.Model):
    """What a check has learned from a series up to a bucket, so that its next run reads only newer points.

    Rows can be deleted at any time: the next run replays the history.
    """

    parent_check = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="detector_states", db_index=False)
    segment = LineField(max_length=120, blank=True, default="")
    hour = models.PositiveSmallIntegerField(help_text="Hour of the buckets, in UTC.")
    since = models.DateTimeField(help_text="First bucket of the series.")
    through = models.DateTimeField(help_text="Last bucket of the series.")
    digest = LineField(max_length=40, help_text="Sum of the hashes of the data points.")
    settings = LineField(max_length=64, help_text="Hash of the code, the parameters and the calendar.")
    data = models.BinaryField()
    is_weekly = models.BooleanField(default=False)

    class Meta:
        ordering = ["parent_check", "segment", "hour", "-through"]
        constraints = [
            models.UniqueConstraint(
                fields=["parent_check", "segment", "hour", "through"], name="detector_state_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parent_check_id} {self.segment}, until {self.through:%Y-%m-%d}"
