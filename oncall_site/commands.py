"""Changes of state that belong to the site itself."""

import datetime as dt

from django.db.models import F
from django.db.models.functions import Now

from oncall_site.models import Heartbeat, Sweep
from oncall_site.queries import BEAT, WORKER

# A worker that has been silent for so long is gone for good, not late.
FORGOTTEN_AFTER = dt.timedelta(days=1)


def beat_heart(*, worker: str = "") -> None:
    """Record that a worker answered beat's kick, by the database's clock; forget workers long gone."""
    _show_life(f"{WORKER} {worker}".strip())
    Heartbeat.objects.filter(beaten_at__lt=Now() - FORGOTTEN_AFTER).delete()


def beat_on() -> None:
    """Record that beat is at work, by the database's clock."""
    _show_life(BEAT)


def _show_life(part: str) -> None:
    Heartbeat.objects.update_or_create(part=part[:200], defaults={"beaten_at": Now()})


def record_sweep(task: str, *, worker: str, seconds: float, problem: str = "") -> None:
    """Record that a worker ran a task, how long that took, and what it failed with, if it did."""
    failed = int(bool(problem))
    last = {"worker": worker[:200], "seconds": seconds, "problem": problem[:300]}
    Sweep.objects.bulk_create([Sweep(task=task, **last)], ignore_conflicts=True)
    Sweep.objects.filter(task=task).update(
        **last,
        ended_at=Now(),
        runs=F("runs") + 1,
        failures=F("failures") + failed,
        seconds_in_all=F("seconds_in_all") + seconds,
    )
