"""Celery's task and scheduler classes, which record task statistics and beat's heartbeat."""

import contextlib
import datetime as dt
import gc
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from celery import Task
from celery.beat import PersistentScheduler, ScheduleEntry
from celery.signals import celeryd_after_setup
from django.db import Error, connections
from django.utils import timezone
from django.utils.module_loading import import_string

from common.call_stack import with_deep_stack
from common.db import SweepProbes, session_lock
from oncall_site import services

logger = logging.getLogger(__name__)

BEAT_SECONDS = 15.0
# A sweep starts at least this often, so that its statistics are never older.
MAX_PAUSE_SECONDS = 60.0
# A statement that waits for a lock, of a migration for example, must not stop beat.
PROBE_SECONDS = 2
# All intervals are multiples of this.
STEP_SECONDS = 3
# Beat wakes up a little later after one step than after another, so the time between two is not exact.
SLACK_SECONDS = 1
# What the database says holds for all tasks that are due at the same time.
ANSWER_SECONDS = 0.5
# Two floating-point numbers for the same whole second differ by less.
ROUNDING_SECONDS = 0.01


@celeryd_after_setup.connect
def load_everything(**_: Any) -> None:
    """Load all views before the worker's processes are copied, so that they share the memory.

    Loaded objects are excluded from garbage collection, which would write to them and so copy them.
    """
    import_module("oncall_site.loading").load_pages()
    gc.collect()
    gc.freeze()


def _close_old_connections() -> None:
    """Close broken and old connections, as Django does after a request, except in a transaction, as in tests."""
    for one in connections.all(initialized_only=True):
        if not one.in_atomic_block:
            one.close_if_unusable_or_obsolete()


_is_threaded = threading.Event()


def limit_threads() -> None:
    """Enforce the hard time limit of tasks in a worker with threads, for which Celery has none."""
    _is_threaded.set()


@contextlib.contextmanager
def _hard_limit(task: str, *, seconds: float) -> Iterator[None]:
    """End a worker with threads if its task takes too long: nothing else can end a thread. A sweep repeats the work."""
    if not _is_threaded.is_set():
        yield
        return
    timer = threading.Timer(seconds, _end_worker, args=(task, seconds))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_worker(task: str, seconds: float) -> None:
    sys.stderr.write(f"{task} did not end within {seconds:.0f} s.\n")
    sys.stderr.flush()
    os._exit(1)


class RecordedTask(Task):  # type: ignore[type-arg]  # the class that Celery makes every task from has no parameters at run time
    """A task that records its duration and outcome when a worker runs it, not when it is called as a function.

    An exclusive sweep does nothing while another worker runs it. Beat starts a long sweep again before it ends: its copies would
    occupy every process, and messages and escalations would wait.
    """

    abstract = True

    @with_deep_stack
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task and record the run."""
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        _close_old_connections()
        if self.name not in self.app.conf.exclusive_sweeps:
            return self._run_recorded(args, kwargs)
        with session_lock(str(self.name)) as is_held:
            return self._run_recorded(args, kwargs) if is_held else None

    def _run_recorded(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        started, error_name = time.monotonic(), ""
        try:
            with _hard_limit(str(self.name), seconds=self.app.conf.task_time_limit):
                return self.run(*args, **kwargs)
        except Exception as error:
            error_name = type(error).__name__
            raise
        finally:
            self._record(seconds=time.monotonic() - started, error=error_name)

    def _record(self, *, seconds: float, error: str) -> None:
        try:
            services.record_sweep(str(self.name), worker=str(self.request.hostname or ""), seconds=seconds, error=error)
        except Error:
            # The task itself succeeded or failed already; only its statistics are lost.
            logger.exception("Could not record the statistics of %s.", self.name)


class AlignedEntry(ScheduleEntry):
    """An entry that is due at multiples of STEP_SECONDS, so that beat wakes up once for all that are due at the same time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.last_run_at is not None:
            seconds = self.last_run_at.timestamp()
            self.last_run_at -= dt.timedelta(seconds=seconds % STEP_SECONDS)


class HeartbeatScheduler(PersistentScheduler):
    """Celery's scheduler with a heartbeat every 15 seconds. It starts a frequent sweep only if there is something to do."""

    last_beat = float("-inf")
    # Until then, beat starts all sweeps without asking, because the database did not answer.
    asks_again_at = float("-inf")
    answers_end_at = float("-inf")
    ticked_at: dt.datetime
    Entry = AlignedEntry

    def setup_schedule(self) -> None:
        """Load the schedule. The workers' heartbeat is due at once, so that the site is ready as soon as a worker runs."""
        super().setup_schedule()
        self._correct_last_runs()
        self._set_last_run("heartbeat", self.app.now() - dt.timedelta(seconds=BEAT_SECONDS))
        self.probes = SweepProbes({name: import_string(path) for name, path in self.app.conf.sweep_probes.items()})
        self.answers: dict[str, bool] = {}
        self.started_at: dict[str, float] = {}

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send the tasks that are due; return the seconds until the next tick."""
        if time.monotonic() >= self.last_beat + BEAT_SECONDS - SLACK_SECONDS:
            self._beat()
            # A heartbeat that waited long for the database must not be due again before tasks are sent.
            self.last_beat = time.monotonic()
        now = self.app.now()
        if now < self.ticked_at:
            self._correct_last_runs()
        self.ticked_at = now
        return super().tick(*args, **kwargs)

    def _correct_last_runs(self) -> None:
        """Move last runs in the future to now: if the clock was set back, tasks would wait until it has caught up.

        Entries that an earlier version of the site stored get this version's class.
        """
        now = self.ticked_at = self.app.now()
        for name, entry in self.schedule.items():
            self._set_last_run(name, min(entry.last_run_at or now, now))
        self._heap = None

    def _set_last_run(self, name: str, at: dt.datetime) -> None:
        self.schedule[name] = self.Entry(**{**vars(self.schedule[name]), "last_run_at": at})

    def adjust(self, n: Any, drift: float = 0.0) -> Any:
        """Return the seconds until a task is due. Celery would wake up 10 ms early and then ask thousands of times a minute."""
        return super().adjust(n, drift=drift)

    def _when(self, entry: ScheduleEntry, next_time_to_run: Any, **kwargs: Any) -> Any:
        """Return the instant after this many seconds. Celery would wait a whole interval from now, later and later with each run."""
        instant = super()._when(entry, next_time_to_run, **kwargs)  # type: ignore[misc]  # missing in its stubs
        return math.floor(instant + ROUNDING_SECONDS) if next_time_to_run else instant

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send a task, unless it is a frequent sweep that has nothing to do and was started within a minute."""
        name, now = str(entry.name), time.monotonic()
        since = now - self.started_at.get(name, float("-inf"))
        if since < MAX_PAUSE_SECONDS - SLACK_SECONDS and not self._has_work(name, now=now):
            return
        self.started_at[name] = now
        super().apply_entry(entry, producer=producer)

    def _has_work(self, name: str, *, now: float) -> bool:
        """Return True if a sweep has something to do or no probe, or if the database does not answer."""
        if name not in self.app.conf.sweep_probes or now < self.asks_again_at:
            return True
        if now >= self.answers_end_at:
            try:
                self.answers = self.probes.ask(at=timezone.now(), seconds=PROBE_SECONDS)
            except Exception:  # whatever the error, the sweep must do its work
                logger.exception(
                    "Could not check which sweeps have anything to do. Beat starts all of them for a while."
                )
                # It may have waited half a minute for a connection.
                self.asks_again_at = time.monotonic() + BEAT_SECONDS
                return True
            self.answers_end_at = now + ANSWER_SECONDS
        return self.answers[name]

    def schedules_equal(self, old: object, new: object) -> bool:
        """Return True once a schedule is loaded. It is fixed while beat runs, and Celery would compare all entries at each tick."""
        return old is not None and new is not None

    def _beat(self) -> None:
        try:
            _close_old_connections()
            services.record_beat()
        except Error:
            # Beat continues without the database: workers may reach it, and /readyz reports the old heartbeat.
            logger.exception("Could not record beat's heartbeat.")
            self.asks_again_at = time.monotonic() + BEAT_SECONDS
