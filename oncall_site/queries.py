"""Reads about the site's own health."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import ExpressionWrapper, F, fields
from django.db.models.functions import Now
from kombu import Connection
from kombu.exceptions import OperationalError

from oncall_site.models import Heartbeat

WORKER = "worker"
# Beat kicks every ten seconds; three missed kicks and a slow task still count as alive.
STALE_AFTER = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether one part of the site works, and what was seen."""

    part: str
    well: bool
    seen: str


def readiness() -> list[Health]:
    """Return the health of the database, the broker, and the worker with its beat."""
    return [_seen("database", _database), _seen("broker", _broker), _seen("worker and beat", _heartbeat)]


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
    with Connection(
        settings.CELERY_BROKER_URL, transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS, connect_timeout=2
    ) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return "answers"


def _heartbeat() -> str:
    age = ExpressionWrapper(Now() - F("beaten_at"), output_field=fields.DurationField())
    found = Heartbeat.objects.filter(part=WORKER).values_list(age, flat=True).first()
    if found is None:
        raise LookupError("no heartbeat yet")
    if found > STALE_AFTER:
        raise LookupError(f"last heartbeat {found.total_seconds():.0f} s ago")
    return f"last heartbeat {found.total_seconds():.0f} s ago"
