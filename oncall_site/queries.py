"""Queries about the health of the site itself, and for its Now page."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, ExpressionWrapper, F, Min, Q, QuerySet, fields
from django.db.models.functions import Now
from kombu import Connection
from kombu.exceptions import OperationalError

from calendar_feeds.models import FeedToken
from common.db import PreparedStatement, sql_parameter, sql_with_values
from common.formatting import format_duration
from handoffs.models import Handoff
from incidents.models import Incident, MaintenanceWindow
from lineage.models import Edge
from notifications.models import LATE_SINCE, ContactMethod, Message, PushDevice
from oncall_site.models import Heartbeat, Sweep
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import (
    Cover,
    CoverRequest,
    HolidayBlock,
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
    SwapRequest,
)
from validation.models import Check, Metric

WORKER, BEAT = "worker", "beat"
# Beat sends a heartbeat every 15 seconds; some delay does not count as an outage.
STALE_AFTER = dt.timedelta(seconds=60)
HEARTBEAT_AGE = ExpressionWrapper(Now() - F("seen_at"), output_field=fields.DurationField())
CELERY_QUEUE = "celery"
LAST_HOUR = dt.timedelta(hours=1)
# A message that is this late has not just been waiting for its turn.
DELIVERY_LAG = dt.timedelta(minutes=2)
# Lateness is computed from the newest rows only, so that the query costs the same in a table of any size.
NEWEST_MESSAGES = 5_000


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a part of the site works, with details for an operator."""

    part: str
    ok: bool
    detail: str


def site_health() -> list[Health]:
    """Return the health of the database, the broker, the workers and beat.

    A worker's heartbeat is a task that beat sends: without beat, both are reported as down.
    """
    return [
        _check_health("database", _database),
        _check_health("broker", _broker),
        _check_health("worker", lambda: _last_heartbeat(Heartbeat.objects.filter(part__startswith=WORKER))),
        _check_health("beat", lambda: _last_heartbeat(Heartbeat.objects.filter(part=BEAT))),
    ]


def _check_health(part: str, check: Callable[[], str]) -> Health:
    try:
        return Health(part=part, ok=True, detail=check())
    except (DatabaseError, OperationalError, OSError, LookupError) as error:
        lines = str(error).splitlines() or ["no answer"]
        return Health(part=part, ok=False, detail=lines[0])


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "connected"


def _broker() -> str:
    with _broker_connection() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return "connected"


def _broker_connection() -> Connection:
    return Connection(
        settings.CELERY_BROKER_URL, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS, connect_timeout=2
    )


def _last_heartbeat(rows: QuerySet[Heartbeat]) -> str:
    """Return the age of the newest heartbeat; raise LookupError if there is none or it is too old."""
    age = rows.order_by("-seen_at").values_list(HEARTBEAT_AGE, flat=True).first()
    if age is None:
        raise LookupError("no heartbeat yet")
    text = f"last heartbeat {format_duration(age)} ago"
    if age > STALE_AFTER:
        raise LookupError(text)
    return text


# The ages of the newest heartbeats of beat and of any worker.
HEARTBEATS_SQL = """
SELECT (SELECT STATEMENT_TIMESTAMP() - MAX(seen_at) FROM oncall_site_heartbeat WHERE part = 'beat'),
       (SELECT STATEMENT_TIMESTAMP() - MAX(seen_at) FROM oncall_site_heartbeat WHERE SPLIT_PART(part, ' ', 1) = 'worker')
"""


def _delivery_sql() -> str:
    """Return the SQL of the ages of the heartbeats, and of since when the oldest pending message is late."""
    due = Message.objects.filter(state=Message.State.PENDING, due_at__lte=sql_parameter(1, fields.DateTimeField()))
    oldest = due.order_by().values("state").annotate(oldest=Min(LATE_SINCE)).values("oldest")
    return f"{HEARTBEATS_SQL}, ({sql_with_values(oldest)})"  # nosec B608


DELIVERY_STATEMENT = PreparedStatement("find_delivery_problem", types=("timestamptz",), sql=_delivery_sql)


def delivery_problem(*, at: dt.datetime) -> str:
    """Return a sentence if notifications are not being delivered, or "".

    Reads the database only, in one statement: a page must not wait for a broker that is down. While the site starts,
    there is no problem yet: its worker gets the usual time to send a heartbeat.
    """
    if settings.SITE_STARTED_AT is not None and at - settings.SITE_STARTED_AT < STALE_AFTER:
        return ""
    beat, worker, oldest = DELIVERY_STATEMENT.fetch_one(at) or (None, None, None)
    for age, label in ((beat, "scheduler"), (worker, "worker")):
        if age is None:
            return f"No {label} is running."
        if age > STALE_AFTER:
            return f"The {label} stopped {format_duration(age)} ago."
    if oldest is not None and at - oldest > DELIVERY_LAG:
        return f"The oldest message is {format_duration(at - oldest)} late."
    return ""


ATTENTION_SQL = """
SELECT pipeline_id FROM incidents_incident WHERE state <> 'resolved' AND source <> 'drill'
UNION
SELECT pipeline_id FROM validation_check WHERE is_active AND last_status IN ('fail', 'warn')
UNION
SELECT pipeline_id FROM validation_externalcheck WHERE (status IN ('fail', 'warn') OR is_stale) AND pipeline_id IS NOT NULL
"""
ATTENTION_STATEMENT = PreparedStatement("find_pipelines_needing_attention", types=(), sql=lambda: ATTENTION_SQL)


def pipelines_needing_attention() -> set[int]:
    """Return the pipelines with an unresolved incident, or a check that fails, warns or is stale."""
    return {key for (key,) in ATTENTION_STATEMENT.fetch_all()}


# What the Now page shows and a history records: a new entry has the highest key. (Of two transactions at once, the later commit
# may have the lower key; its change shows within the minute.)
SHOWN_MODELS = (
    *(User, Pipeline, Edge, Incident, MaintenanceWindow, Metric, Check, ContactMethod, PushDevice, FeedToken),
    *(
        Rotation,
        Roster,
        RosterMember,
        PipelineRotation,
        RotationWeek,
        HolidayBlock,
        Cover,
        CoverRequest,
        SwapRequest,
        Handoff,
    ),
)
# What no history records: the last results of checks, the next escalations, and drills.
SHOWN_STATES = (
    "SELECT string_agg(DISTINCT pipeline_id || last_status, ' ') FROM validation_check WHERE is_active",
    "SELECT string_agg(DISTINCT pipeline_id || status || is_stale, ' ') FROM validation_externalcheck",
    "SELECT string_agg(id || ' ' || next_escalation_at, ' ' ORDER BY id) FROM incidents_incident WHERE state <> 'resolved'",
    "SELECT max(id) FROM incidents_escalationstep",
    "SELECT max(id) FROM incidents_drill",
)


def _now_version_sql() -> str:
    histories = [
        f'SELECT max(pgh_id) FROM "{getattr(model, "pgh_event_model")._meta.db_table}"'  # noqa: B009, S608, SLF001  # nosec B608
        for model in SHOWN_MODELS
    ]
    return "SELECT " + ", ".join(f"({state})" for state in (*histories, *SHOWN_STATES))


NOW_VERSION_STATEMENT = PreparedStatement("find_now_version", types=(), sql=_now_version_sql)


def now_version(*, at: dt.datetime) -> str:
    """Return a text that changes each minute, and when the Now page of any user may have changed.

    Costs one cheap statement.
    """
    facts = (f"{at:%Y-%m-%dT%H:%M}", *(NOW_VERSION_STATEMENT.fetch_one() or ()))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:20]


def heartbeats() -> list[tuple[str, float]]:
    """Return the processes seen within a day, each with the age of its heartbeat in seconds."""
    return [(part, age.total_seconds()) for part, age in Heartbeat.objects.values_list("part", HEARTBEAT_AGE)]


def sweeps() -> QuerySet[Sweep]:
    """Return the statistics of every background task, by name."""
    return Sweep.objects.order_by("task")


def broker_backlog() -> int | None:
    """Return how many tasks wait in the broker for a worker; None if the broker cannot be reached."""
    try:
        with _broker_connection() as broker:
            channel: Any = broker.default_channel
            return int(channel.queue_declare(CELERY_QUEUE, passive=True).message_count)
    except broker_errors():
        return None


def broker_errors() -> tuple[type[BaseException], ...]:
    """Return the exceptions that a broker call can raise."""
    with _broker_connection() as broker:
        return (OperationalError, OSError, *broker.connection_errors, *broker.channel_errors)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Messages by state, the delay of the oldest overdue one, and the sorted delays of the last hour, in seconds."""

    waiting: int
    due: int
    failed: int
    lag_seconds: float
    lateness: tuple[float, ...]

    def percentile(self, part: float) -> float:
        """Return a percentile (0 to 1) of the last hour's delays in seconds; 0 if no message was sent."""
        if not self.lateness:
            return 0.0
        return self.lateness[min(len(self.lateness) - 1, int(part * len(self.lateness)))]


def outbox(*, at: dt.datetime) -> Outbox:
    """Return the state of the outbox, from its partial indexes and newest rows only."""
    waiting = Message.objects.order_by().filter(state__in=(Message.State.PENDING, Message.State.SENDING))
    counts = waiting.aggregate(all=Count("pk"), due=Count("pk", filter=Q(due_at__lte=at)), oldest=Min(LATE_SINCE))
    newest = Message.objects.order_by("-pk").values_list("state", "due_at", "sent_at", "created_at")[:NEWEST_MESSAGES]
    delays = sorted(
        max((sent_at - max(due_at, created_at)).total_seconds(), 0.0)
        for state, due_at, sent_at, created_at in newest
        if state == Message.State.SENT and sent_at is not None and sent_at > at - LAST_HOUR
    )
    oldest = counts["oldest"]
    return Outbox(
        waiting=counts["all"],
        due=counts["due"],
        failed=Message.objects.filter(state=Message.State.FAILED).count(),
        lag_seconds=max((at - oldest).total_seconds(), 0.0) if oldest else 0.0,
        lateness=tuple(delays),
    )


def checks_by_status() -> dict[str, int]:
    """Return the number of enabled checks per status of the last result; "never" for checks without one."""
    rows = Check.objects.filter(is_active=True).order_by().values_list("last_status").annotate(Count("pk"))
    return {status or "never": count for status, count in rows}


def check_lag(*, at: dt.datetime) -> float:
    """Return how many seconds the oldest due check has been waiting; 0 if none is due."""
    oldest: dt.datetime | None = Check.objects.due(at=at).aggregate(oldest=Min("next_due_at"))["oldest"]
    return max((at - oldest).total_seconds(), 0.0) if oldest else 0.0


def failed_messages(*, most: int = 20) -> QuerySet[Message]:
    """Return the newest failed messages with their recipients."""
    return Message.objects.filter(state=Message.State.FAILED).select_related("recipient").order_by("-due_at")[:most]


def database_facts() -> dict[str, str | int]:
    """Return PostgreSQL's version, the size of the database in bytes and its number of open connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        )
        version, size, connections = cursor.fetchone()
    return {"version": version, "size": size, "connections": connections}
