"""The figures of `/metrics`: what the site's tables say at the moment of asking, and what this machine's web processes counted."""

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
    """The figures that PostgreSQL knows: the same from every machine, so that a scraper may ask any."""

    def __init__(self, *, at: dt.datetime) -> None:
        self.at = at

    def collect(self) -> Iterator[Metric]:
        """Yield each family of figures."""
        yield from _messages(at=self.at)
        yield from _checks(at=self.at)
        yield from _sweeps()
        yield from _parts()


def _messages(*, at: dt.datetime) -> Iterator[Metric]:
    outbox = queries.outbox(at=at)
    counts = GaugeMetricFamily("oncall_messages", "Messages that are not sent.", labels=["state"])
    for state, number in (("waiting", outbox.waiting), ("due", outbox.due), ("failed", outbox.failed)):
        counts.add_metric([state], number)
    yield counts
    lag = "How long the oldest message that is due has been due."
    yield GaugeMetricFamily("oncall_message_lag_seconds", lag, value=outbox.lag_seconds)
    late = "By how much messages of the last hour were sent late."
    lateness = GaugeMetricFamily("oncall_message_lateness_seconds", late, labels=["quantile"])
    for part in PERCENTILES:
        lateness.add_metric([f"{part:g}"], outbox.percentile(part))
    yield lateness
    backlog = queries.broker_backlog()
    if backlog is not None:
        kicks = "Kicks of sweeps that wait in the broker for a worker."
        yield GaugeMetricFamily("oncall_broker_backlog", kicks, value=backlog)


def _checks(*, at: dt.datetime) -> Iterator[Metric]:
    counts = GaugeMetricFamily("oncall_checks", "Checks by what they said the last time.", labels=["status"])
    for status, number in sorted(queries.checks_by_status().items()):
        counts.add_metric([status], number)
    yield counts
    lag = "How long the check that waits longest has been due."
    yield GaugeMetricFamily("oncall_check_lag_seconds", lag, value=queries.check_lag(at=at))


def _sweeps() -> Iterator[Metric]:
    seconds = GaugeMetricFamily("oncall_sweep_last_seconds", "How long a sweep took the last time.", labels=["sweep"])
    ended = GaugeMetricFamily("oncall_sweep_last_timestamp_seconds", "When a sweep last ended.", labels=["sweep"])
    spent = CounterMetricFamily("oncall_sweep_seconds", "How long a sweep took in all.", labels=["sweep"])
    runs = CounterMetricFamily("oncall_sweep_runs", "How often a sweep ran.", labels=["sweep"])
    failures = CounterMetricFamily("oncall_sweep_failures", "How often a sweep failed.", labels=["sweep"])
    for row in queries.sweeps():
        seconds.add_metric([row.task], row.seconds)
        ended.add_metric([row.task], row.ended_at.timestamp())
        spent.add_metric([row.task], row.seconds_in_all)
        runs.add_metric([row.task], row.runs)
        failures.add_metric([row.task], row.failures)
    yield from (seconds, ended, spent, runs, failures)


def _parts() -> Iterator[Metric]:
    ages = GaugeMetricFamily("oncall_heartbeat_age_seconds", "How long ago a part showed life.", labels=["part"])
    for part, age in queries.heartbeats():
        ages.add_metric([part], age)
    yield ages
    size = int(queries.database_facts()["size"])
    yield GaugeMetricFamily("oncall_database_bytes", "The size of the database.", value=size)


def render_metrics(*, at: dt.datetime) -> bytes:
    """Return all figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(at=at))
    if settings.METRICS_FOLDER:
        MultiProcessCollector(registry, path=settings.METRICS_FOLDER)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(registry) + generate_latest(REGISTRY)
