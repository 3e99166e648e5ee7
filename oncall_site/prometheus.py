"""Prometheus metrics: values read from the database, and the counters of this machine's web processes."""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from oncall_site import queries

PERCENTILES = (0.5, 0.99, 1.0)


class DatabaseCollector(Collector):
    """Metrics read from the database: the same on every machine."""

    def __init__(self, *, at: dt.datetime) -> None:
        self.at = at

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families."""
        yield from _messages(at=self.at)
        yield from _checks(at=self.at)
        yield from _sweeps()
        yield from _parts()


def _messages(*, at: dt.datetime) -> Iterator[Metric]:
    outbox = queries.outbox(at=at)
    counts = GaugeMetricFamily("oncall_messages", "Messages that are waiting, due or failed.", labels=["state"])
    for state, count in (("waiting", outbox.waiting), ("due", outbox.due), ("failed", outbox.failed)):
        counts.add_metric([state], count)
    yield counts
    lag = "Delay of the oldest due message."
    yield GaugeMetricFamily("oncall_message_lag_seconds", lag, value=outbox.lag_seconds)
    late = "Delay of the messages sent in the last hour."
    lateness = GaugeMetricFamily("oncall_message_lateness_seconds", late, labels=["quantile"])
    for part in PERCENTILES:
        lateness.add_metric([f"{part:g}"], outbox.percentile(part))
    yield lateness
    backlog = queries.broker_backlog()
    if backlog is not None:
        text = "Tasks waiting in the broker for a worker."
        yield GaugeMetricFamily("oncall_broker_backlog", text, value=backlog)


def _checks(*, at: dt.datetime) -> Iterator[Metric]:
    counts = GaugeMetricFamily("oncall_checks", "Enabled checks by status of their last result.", labels=["status"])
    for status, count in sorted(queries.checks_by_status().items()):
        counts.add_metric([status], count)
    yield counts
    lag = "Delay of the oldest due check."
    yield GaugeMetricFamily("oncall_check_lag_seconds", lag, value=queries.check_lag(at=at))


def _sweeps() -> Iterator[Metric]:
    seconds = GaugeMetricFamily("oncall_sweep_last_seconds", "Duration of the last run of a sweep.", labels=["sweep"])
    ended = GaugeMetricFamily(
        "oncall_sweep_last_timestamp_seconds", "End of the last run of a sweep.", labels=["sweep"]
    )
    spent = CounterMetricFamily("oncall_sweep_seconds", "Total duration of all runs of a sweep.", labels=["sweep"])
    runs = CounterMetricFamily("oncall_sweep_runs", "Number of runs of a sweep.", labels=["sweep"])
    failures = CounterMetricFamily("oncall_sweep_failures", "Number of failed runs of a sweep.", labels=["sweep"])
    for row in queries.sweeps():
        seconds.add_metric([row.task], row.seconds)
        ended.add_metric([row.task], row.ended_at.timestamp())
        spent.add_metric([row.task], row.total_seconds)
        runs.add_metric([row.task], row.runs)
        failures.add_metric([row.task], row.failures)
    yield from (seconds, ended, spent, runs, failures)


def _parts() -> Iterator[Metric]:
    ages = GaugeMetricFamily("oncall_heartbeat_age_seconds", "Age of the last heartbeat of a process.", labels=["part"])
    for part, age in queries.heartbeats():
        ages.add_metric([part], age)
    yield ages
    size = int(queries.database_facts()["size"])
    yield GaugeMetricFamily("oncall_database_bytes", "Size of the database.", value=size)


def render_metrics(*, at: dt.datetime) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(at=at))
    if settings.METRICS_FOLDER:
        MultiProcessCollector(registry, path=settings.METRICS_FOLDER)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(registry) + generate_latest(REGISTRY)
