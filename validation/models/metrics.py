"""Models of metrics: data sources, metrics, points and their revisions, known events and reported runs."""

import datetime as dt
from zoneinfo import ZoneInfo

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.fields import EncryptedTextField, LineField, MultilineField
from common.formatting import format_day
from common.identifiers import validate_slug
from people.models import User, valid_time_zone
from pipelines.models import Pipeline
from validation.domain.buckets import DAY, HOUR, bucket_time

# A run's hard limit is longer than the longest query limit.
MIN_LIMIT_SECONDS, MAX_LIMIT_SECONDS = 1, 90
MAX_DELAY_MINUTES = 7 * 24 * 60


@pghistory.track(exclude=["address"])
class DataSource(models.Model):
    """A warehouse that SELECT queries are sent to. Its address is stored encrypted and never shown again."""

    name = LineField(max_length=80, unique=True)
    address = EncryptedTextField(editable=False)
    dialect = LineField(max_length=30, editable=False, help_text="Kind of database.")
    limit_seconds = models.PositiveSmallIntegerField(
        "time limit (s)",
        default=30,
        validators=[MinValueValidator(MIN_LIMIT_SECONDS), MaxValueValidator(MAX_LIMIT_SECONDS)],
        help_text="Longer queries are cancelled.",
    )
    row_cap = models.PositiveIntegerField(
        "row limit",
        default=100_000,
        validators=[MinValueValidator(1)],
        help_text="Queries that return more rows are refused.",
    )

    load_minutes = models.PositiveIntegerField(
        "usual load time (min)",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_DELAY_MINUTES)],
        help_text="Minutes after the end of a day or hour until its data is loaded. Checks wait this long.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="source_has_a_name"),
            models.CheckConstraint(condition=~Q(address=""), name="source_has_an_address"),
            models.CheckConstraint(
                condition=Q(limit_seconds__gte=MIN_LIMIT_SECONDS, limit_seconds__lte=MAX_LIMIT_SECONDS),
                name="source_has_a_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MetricKind(models.TextChoices):
    """The kind of a metric's values."""

    COUNT = "count", "Count"
    AMOUNT = "amount", "Amount"
    RATIO = "ratio", "Ratio"


class Grain(models.TextChoices):
    """The length of a metric's bucket."""

    DAY = "day", "Day"
    HOUR = "hour", "Hour"


# What a person sets, in the order of forms and the API.
METRIC_FIELDS = (
    "pipeline",
    "slug",
    "name",
    "unit",
    "kind",
    "grain",
    "time_zone",
    "source",
    "query",
    "settle_minutes",
)


@pghistory.track()
class Metric(models.Model):
    """A number of a pipeline, per bucket: pushed, or pulled from a data source by one SELECT."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="metrics")
    slug = LineField(max_length=80, validators=[validate_slug])
    name = LineField(max_length=120)
    unit = LineField(max_length=30, blank=True, help_text="For example users, EUR or %.")
    kind = models.CharField(max_length=6, choices=MetricKind, default=MetricKind.COUNT)
    grain = models.CharField(max_length=4, choices=Grain, default=Grain.DAY)
    time_zone = LineField(
        max_length=64, default="UTC", validators=[valid_time_zone], help_text="Time zone of its business day."
    )
    source = models.ForeignKey(DataSource, on_delete=models.PROTECT, null=True, blank=True, related_name="metrics")
    query = MultilineField(
        blank=True,
        max_length=20_000,
        help_text="One SELECT that returns the day or hour, the value, and optionally the segment.",
    )
    settle_minutes = models.PositiveIntegerField(
        "settles after (min)",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_DELAY_MINUTES)],
        help_text="Minutes after the end of a day or hour until its value is final. Checks wait this long.",
    )
    pulled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["pipeline", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "slug"], name="metric_slug_is_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="metric_has_a_name"),
            models.CheckConstraint(condition=Q(kind__in=MetricKind.values), name="metric_has_a_kind"),
            models.CheckConstraint(condition=Q(grain__in=Grain.values), name="metric_has_a_grain"),
            models.CheckConstraint(
                condition=Q(source=None, query="") | (Q(source__isnull=False) & ~Q(query="")),
                name="metric_is_pulled_by_a_query",
                violation_error_message="Choose a data source and enter SQL, or leave both empty.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.pipeline}"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the metric's business day."""
        return ZoneInfo(self.time_zone)

    @property
    def step(self) -> dt.timedelta:
        """The length of a bucket."""
        return DAY if self.grain == Grain.DAY else HOUR

    @property
    def newest_bucket_time(self) -> dt.date | dt.datetime | None:
        """The day or hour of the newest value, for metrics of `metrics_with_newest`."""
        newest: dt.datetime | None = getattr(self, "newest_bucket", None)
        return newest and self.bucket_time(newest)

    @property
    def delay_minutes(self) -> int | None:
        """Minutes after the end of a bucket until it is due: settled and loaded. None if neither time is set."""
        load_minutes = self.source.load_minutes if self.source else None
        return max((minutes for minutes in (self.settle_minutes, load_minutes) if minutes is not None), default=None)

    def bucket_time(self, bucket: dt.datetime) -> dt.date | dt.datetime:
        """Return a bucket as pages and the API show it: a business date, or the instant at which an hour starts."""
        return bucket_time(bucket, step=self.step)


class MetricPoint(models.Model):
    """The value of a bucket and segment. A bucket is the first instant of an hour, or a local date at 00:00 UTC."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="points", db_index=False)
    segment = LineField(max_length=120, blank=True, default="", help_text="Blank for the total.")
    bucket = models.DateTimeField()
    value = models.FloatField()
    observed_at = models.DateTimeField()
    is_expected = models.BooleanField(default=False, help_text="Marked as expected: left out of baselines and alerts.")

    class Meta:
        ordering = ["metric", "segment", "bucket"]
        constraints = [
            # Also the index for reading a check's history.
            models.UniqueConstraint(fields=["metric", "segment", "bucket"], name="point_is_unique"),
            models.CheckConstraint(
                condition=Q(value__gt=float("-inf"), value__lt=float("inf")), name="point_is_a_finite_number"
            ),
        ]
        indexes = [models.Index(fields=["metric", "bucket"], name="point_of_metric")]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.segment} {self.bucket:%Y-%m-%dT%H:%MZ}: {self.value}"


class MetricPointRevision(models.Model):
    """An earlier value of a point."""

    point = models.ForeignKey(MetricPoint, on_delete=models.CASCADE, related_name="revisions")
    value = models.FloatField()
    observed_at = models.DateTimeField()
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["point", "-replaced_at", "-pk"]
        indexes = [models.Index(fields=["replaced_at"], name="revision_newest")]

    def __str__(self) -> str:
        return f"{self.value} until {self.replaced_at:%Y-%m-%dT%H:%MZ}"


@pghistory.track()
class KnownEvent(models.Model):
    """Dates on which a value may be unusual: evaluated, shown as expected, not alerted, left out of baselines."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="known_events")
    metric = models.ForeignKey(
        Metric,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="known_events",
        help_text="Default: every metric of the pipeline.",
    )
    starts_on = models.DateField("first day")
    ends_on = models.DateField("last day")
    name = LineField(max_length=120, help_text="For example “Black Friday”.")
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(starts_on__lte=F("ends_on")), name="event_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(name=""), name="event_has_a_name"),
        ]
        indexes = [models.Index(fields=["pipeline", "ends_on"], name="event_of_pipeline")]

    def __str__(self) -> str:
        first, last = format_day(self.starts_on), format_day(self.ends_on)
        return f"{self.name}, {first}" if first == last else f"{self.name}, {first} to {last}"


class ReportedRun(models.Model):
    """A pipeline run reported from outside, unique by its key."""

    class State(models.TextChoices):
        """The outcome of the run."""

        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="runs", db_index=False)
    key = LineField(max_length=200, help_text="Name of the run, the same in every report of it.")
    state = models.CharField(max_length=9, choices=State)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField()

    class Meta:
        ordering = ["-reported_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "key"], name="run_key_is_unique"),
            models.CheckConstraint(condition=~Q(key=""), name="run_has_a_key"),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None) | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="finished_run_has_an_end",
            ),
        ]
        indexes = [models.Index(fields=["pipeline", "state", "finished_at"], name="run_of_pipeline")]

    def __str__(self) -> str:
        return f"{self.key}: {self.state}"
