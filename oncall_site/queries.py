"""Reads about the site's own health."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, ExpressionWrapper, F, Min, Q, QuerySet, fields
from django.db.models.functions import Now
from kombu import Connection
from kombu.exceptions import OperationalError

from notifications.models import Message
from oncall_site.models import Heartbeat, Sweep
from validation.models import Check

WORKER, BEAT = "worker", "beat"
# Beat kicks every ten seconds; three missed kicks and a slow task still count as alive.
STALE_AFTER = dt.timedelta(seconds=60)
AGE = ExpressionWrapper(Now() - F("beaten_at"), output_field=fields.DurationField())
# Celery's own name of the one queue there is.
QUEUE = "celery"
LAST_HOUR = dt.timedelta(hours=1)
# Messages are told by the newest rows, so that asking costs the same in a table of any length.
NEWEST = 5_000


@dataclass(frozen=True, slots=True)
class Health:
    """Whether one part of the site works, and what was seen."""

    part: str
    well: bool
    seen: str


def readiness() -> list[Health]:
    """Return the health of the database, the broker, the workers and beat.

    Workers show life when beat kicks them: while beat is silent, nothing can be said of them, and both are unwell.
    """
    return [
        _seen("database", _database),
        _seen("broker", _broker),
        _seen("worker", _workers),
        _seen("beat", _beat),
    ]


def _seen(part: str, look: Callable[[], str]) -> Health:
    try:
        return Health(part=part, well=True, seen=look())
    except (DatabaseError, OperationalError, OSError, LookupError) as error:
        said = str(error).splitlines() or [type(error).__name__]
        return Health(part=part, well=False, seen=said[0])


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "answers"


def _broker() -> str:
    with _connection() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return "answers"


def _connection() -> Connection:
    return Connection(
        settings.CELERY_BROKER_URL, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS, connect_timeout=2
    )


def _workers() -> str:
    return _fresh(Heartbeat.objects.filter(part__startswith=WORKER))


def _beat() -> str:
    return _fresh(Heartbeat.objects.filter(part=BEAT))


def _fresh(rows: QuerySet[Heartbeat]) -> str:
    found = rows.order_by("-beaten_at").values_list(AGE, flat=True).first()
    if found is None:
        raise LookupError("no heartbeat yet")
    if found > STALE_AFTER:
        raise LookupError(f"last heartbeat {found.total_seconds():.0f} s ago")
    return f"last heartbeat {found.total_seconds():.0f} s ago"


def heartbeats() -> list[tuple[str, float]]:
    """Return every part that showed life within a day, with how many seconds ago."""
    return [(part, age.total_seconds()) for part, age in Heartbeat.objects.values_list("part", AGE)]


def sweeps() -> QuerySet[Sweep]:
    """Return what is known of every task that workers ran."""
    return Sweep.objects.order_by("task")


def broker_backlog() -> int | None:
    """Return how many kicks wait in the broker for a worker, None where it cannot be asked."""
    try:
        with _connection() as broker:
            channel: Any = broker.default_channel
            return int(channel.queue_declare(QUEUE, passive=True).message_count)
    except broker_errors():
        return None


def broker_errors() -> tuple[type[BaseException], ...]:
    """Return what asking the broker may raise."""
    with _connection() as broker:
        return (OperationalError, OSError, *broker.connection_errors, *broker.channel_errors)


@dataclass(frozen=True, slots=True)
class Outbox:
    """How the outbox fares: messages by state, how long the oldest due one waits, how late the last hour's were sent."""

    waiting: int
    due: int
    failed: int
    lag_seconds: float
    lateness: tuple[float, ...]

    def percentile(self, part: float) -> float:
        """Return the lateness in seconds below which this part of the last hour's messages stayed, 0 where none was sent."""
        if not self.lateness:
            return 0.0
        return self.lateness[min(len(self.lateness) - 1, int(part * len(self.lateness)))]


def outbox(*, at: dt.datetime) -> Outbox:
    """Return how the outbox fares: by its partial indexes and its newest rows, however many were ever sent."""
    waiting = Message.objects.order_by().filter(state__in=(Message.State.PENDING, Message.State.SENDING))
    counts = waiting.aggregate(all=Count("pk"), due=Count("pk", filter=Q(due_at__lte=at)), oldest=Min("due_at"))
    newest = Message.objects.order_by("-pk").values_list("state", "due_at", "sent_at", "created_at")[:NEWEST]
    late = sorted(
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
        lateness=tuple(late),
    )


def checks_by_status() -> dict[str, int]:
    """Return how many checks that are switched on said what the last time; those that never ran are "never"."""
    rows = Check.objects.filter(is_active=True).order_by().values_list("last_status").annotate(Count("pk"))
    return {status or "never": number for status, number in rows}


def check_lag(*, at: dt.datetime) -> float:
    """Return for how many seconds the check that waits longest has been due, 0 where none is."""
    oldest: dt.datetime | None = Check.objects.due(at=at).aggregate(oldest=Min("next_due_at"))["oldest"]
    return max((at - oldest).total_seconds(), 0.0) if oldest else 0.0


def failed_messages(*, most: int = 20) -> QuerySet[Message]:
    """Return the newest messages that were given up, with their recipients."""
    return Message.objects.filter(state=Message.State.FAILED).select_related("recipient").order_by("-due_at")[:most]


def database_facts() -> dict[str, str | int]:
    """Return PostgreSQL's version, the size of the database in bytes, and how many connections are open to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        )
        version, size, connections = cursor.fetchone()
    return {"version": version, "size": size, "connections": connections}
