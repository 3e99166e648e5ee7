"""Tables of validation: metrics and their points, sources they are pulled from, checks and what they said."""

import datetime as dt
import zoneinfo
from typing import Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from people.models import User, valid_country, valid_time_zone
from pipelines.models import Pipeline, slug_rule
from validation.verdicts.outcomes import Outcome
from validation.verdicts.parameters import TYPES

OUTCOMES = [(outcome.value, outcome.value) for outcome in Outcome]
EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]


def every_day() -> list[int]:
    """Return all weekdays."""
    return list(EVERY_DAY)


@pghistory.track(exclude=["address"])
class Source(models.Model):
    """A warehouse that metrics are pulled from; its SQLAlchemy address is kept sealed and never shown again."""

    name = models.CharField(max_length=80, unique=True)
    address = models.TextField(editable=False, help_text="Sealed: it holds a password.")
    shown = models.CharField(max_length=255, editable=False, help_text="The address without user and password.")
    seconds = models.PositiveSmallIntegerField(
        "time limit (seconds)", default=30, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    most_rows = models.PositiveIntegerField(
        "most rows", default=50_000, validators=[MinValueValidator(1), MaxValueValidator(200_000)]
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(seconds__gte=1, seconds__lte=60), name="source_has_a_limit"),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Metric(models.Model):
    """A number of a pipeline, by day or hour: pushed, or pulled from a source by one SELECT."""

    class Kind(models.TextChoices):
        """What a number is."""

        COUNT = "count", "Count"
        AMOUNT = "amount", "Amount"
        RATIO = "ratio", "Ratio"

    class Grain(models.TextChoices):
        """How long a bucket is."""

        DAY = "day", "Day"
        HOUR = "hour", "Hour"

    class OnHolidays(models.TextChoices):
        """What public holidays mean for the data."""

        EXPECTED = "expected", "Data as on any day"
        UNEXPECTED = "unexpected", "No data is expected"
        KNOWN = "known", "Known events: judged, told to nobody, left out of baselines"

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="metrics")
    slug = models.CharField(max_length=80, validators=[slug_rule])
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.COUNT)
    grain = models.CharField(max_length=8, choices=Grain, default=Grain.DAY)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[valid_time_zone])
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), default=every_day, help_text="On which data is expected, 0 for Monday."
    )
    country = models.CharField(max_length=2, blank=True, validators=[valid_country])
    on_holidays = models.CharField(max_length=12, choices=OnHolidays, default=OnHolidays.EXPECTED)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, blank=True, related_name="metrics")
    query = models.TextField(blank=True, help_text="One SELECT that returns bucket, value and perhaps segment.")

    class Meta:
        ordering = ["pipeline", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "slug"], name="one_metric_a_slug"),
            models.CheckConstraint(condition=~Q(name=""), name="metric_has_a_name"),
            models.CheckConstraint(
                condition=Q(source=None, query="") | (Q(source__isnull=False) & ~Q(query="")),
                name="metric_is_pulled_by_a_query",
                violation_error_message="A source needs a query, and a query a source.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone of its business dates."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def step(self) -> dt.timedelta:
        """The length of a bucket."""
        return dt.timedelta(hours=1) if self.grain == Metric.Grain.HOUR else dt.timedelta(days=1)


class MetricPoint(models.Model):
    """A value of a bucket, of a segment or (empty) of all; a day's bucket is its date at 00:00 UTC."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="points")
    bucket = models.DateTimeField()
    segment = models.CharField(max_length=120, blank=True)
    value = models.FloatField()
    observed_at = models.DateTimeField()

    class Meta:
        ordering = ["metric", "bucket", "segment"]
        constraints = [
            models.UniqueConstraint(fields=["metric", "bucket", "segment"], name="one_point_a_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.bucket:%Y-%m-%d %H:%M}Z {self.segment}: {self.value}"


class PointRevision(models.Model):
    """An earlier value of a point, and when it was replaced."""

    point = models.ForeignKey(MetricPoint, on_delete=models.CASCADE, related_name="revisions")
    value = models.FloatField()
    observed_at = models.DateTimeField()
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["-replaced_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.value} until {self.replaced_at:%Y-%m-%d %H:%M}Z"


@pghistory.track()
class KnownEvent(models.Model):
    """Dates on which a pipeline's numbers, or one metric's, are unusual for a known reason."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="known_events")
    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, null=True, blank=True, related_name="known_events")
    starts_on = models.DateField("first day")
    ends_on = models.DateField("last day")
    words = models.CharField("what it is", max_length=200)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(starts_on__lte=F("ends_on")), name="event_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(words=""), name="event_has_words"),
        ]

    def __str__(self) -> str:
        return self.words


class ReportedRun(models.Model):
    """A run of a pipeline, as its scheduler reports it."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="runs")
    key = models.CharField(max_length=200, help_text="The scheduler's name of the run: reported twice, it is one.")
    finished_at = models.DateTimeField()
    well = models.BooleanField(default=True)
    reported_at = models.DateTimeField()

    class Meta:
        ordering = ["-finished_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["pipeline", "key"], name="one_run_a_key")]
        indexes = [models.Index(fields=["pipeline", "-finished_at"], name="run_of_pipeline")]

    def __str__(self) -> str:
        return f"{self.key}, {'well' if self.well else 'failed'}"


class CheckQuerySet(models.QuerySet["Check"]):
    """Checks, narrowed."""

    def alerting(self) -> Self:
        """Return the checks whose failing is confirmed."""
        return self.filter(alerting_since__isnull=False)

    def with_places(self) -> Self:
        """Return the checks with their pipeline and metric read along, by pipeline and name."""
        return self.select_related("pipeline", "metric").order_by("pipeline__position", "pipeline", "name", "pk")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(
        condition=pghistory.AnyChange(
            "name", "check_type", "parameters", "active", "severity", "muted_until", "cron", "interval_minutes",
            "confirm_failing", "confirm_of", "cooldown_minutes", "settle_minutes", "query", "metric", "other_metric",
        )
    ),
    pghistory.DeleteEvent(),
    fields=[
        "pipeline", "metric", "other_metric", "name", "check_type", "parameters", "active", "severity", "source", "query",
        "interval_minutes", "cron", "settle_minutes", "confirm_failing", "confirm_of", "cooldown_minutes", "muted_until",
    ],
)  # fmt: skip
class Check(models.Model):
    """A rule that a pipeline's numbers are held to, when it is looked at, and what it said last."""

    class Severity(models.TextChoices):
        """What failing it means."""

        FAIL = "fail", "Opens an incident"
        WARN = "warn", "Is shown, tells nobody"

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="checks")
    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, null=True, blank=True, related_name="checks")
    other_metric = models.ForeignKey(
        Metric,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Below the line, or to agree with.",
    )
    name = models.CharField(max_length=120)
    check_type = models.CharField("type", max_length=20, choices=[(name, name.replace("_", " ")) for name in TYPES])
    parameters = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.FAIL)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, blank=True, related_name="checks")
    query = models.TextField(blank=True, help_text="Of a schema or SQL check: one SELECT.")
    interval_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(44640)]
    )
    cron = models.CharField(max_length=100, blank=True, help_text="In the metric's zone; in place of the interval.")
    settle_minutes = models.PositiveIntegerField(default=0, help_text="So long after its end a bucket is judged.")
    confirm_failing = models.PositiveSmallIntegerField(default=1, help_text="So many failing …")
    confirm_of = models.PositiveSmallIntegerField(default=1, help_text="… of the last so many results make an alert.")
    cooldown_minutes = models.PositiveIntegerField(
        default=60, help_text="Failing again so soon adds to the old incident."
    )
    muted_until = models.DateTimeField(null=True, blank=True)
    proposed_from = models.CharField(max_length=500, blank=True, editable=False, help_text="The handbook's line.")
    due_at = models.DateTimeField(editable=False, db_default=Now())
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    rejudge_from = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Late data changed this bucket."
    )
    last_outcome = models.CharField(max_length=10, choices=OUTCOMES, blank=True, editable=False)
    last_message = models.TextField(blank=True, editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    alerting_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = CheckQuerySet.as_manager()

    class Meta:
        ordering = ["pipeline", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "name"],
                name="one_check_a_name",
                violation_error_message="The pipeline has a check of this name already.",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="check_has_a_name"),
            models.CheckConstraint(condition=Q(interval_minutes__gte=1), name="check_has_an_interval"),
            models.CheckConstraint(
                condition=Q(confirm_failing__gte=1, confirm_failing__lte=F("confirm_of"), confirm_of__lte=30),
                name="check_confirms_n_of_m",
                violation_error_message="Confirm by at least one, and at most as many as are looked at (30).",
            ),
            models.CheckConstraint(
                condition=Q(token=None, lease_until=None) | Q(token__isnull=False, lease_until__isnull=False),
                name="check_at_work_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(source=None, query="") | (Q(source__isnull=False) & ~Q(query="")),
                name="check_is_asked_by_a_query",
                violation_error_message="A source needs a query, and a query a source.",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(active=True), name="check_due"),
            models.Index(fields=["pipeline"], condition=Q(alerting_since__isnull=False), name="check_alerting"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def needs_sql(self) -> bool:
        """Whether it asks a source itself: only admins make and change such a check (product.md §11)."""
        return self.check_type in ("schema", "custom_sql")

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone of its timetable: its metric's, else UTC."""
        return self.metric.zone if self.metric else zoneinfo.ZoneInfo("UTC")


class CheckResult(models.Model):
    """What a check said once: never rewritten, but that a person may mark it as expected."""

    check_row = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="results")
    bucket = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=OUTCOMES)
    value = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    message = models.TextField(blank=True)
    segments = models.JSONField(default=dict, blank=True)
    expected = models.CharField(max_length=200, blank=True, help_text="The known event that explains it.")
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in Outcome]), name="result_has_an_outcome"
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_by=None, acknowledged_at=None)
                | Q(acknowledged_by__isnull=False, acknowledged_at__isnull=False),
                name="result_acknowledged_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["check_row", "-started_at", "-id"], name="result_of_check")]

    def __str__(self) -> str:
        return f"{self.outcome}: {self.message[:80]}"

    @property
    def tells(self) -> bool:
        """Whether it counts as failing: neither explained by a known event nor acknowledged as expected."""
        return self.outcome == Outcome.FAIL and not self.expected and self.acknowledged_at is None
