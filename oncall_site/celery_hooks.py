"""What Celery does for each task and each tick: it records how long a sweep took, and that beat is alive."""

import logging
import time
from typing import Any

from celery import Task
from celery.beat import PersistentScheduler
from django.db import Error, close_old_connections

from oncall_site import services

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10.0


class RecordedTask(Task):  # type: ignore[type-arg]  # the class that Celery makes every task from has no parameters at run time
    """A task whose duration and outcome are recorded whenever a worker runs it; called as a function, it is only a function."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task and record it; raise what it raises."""
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        began, problem = time.monotonic(), ""
        try:
            return self.run(*args, **kwargs)
        except Exception as error:
            problem = type(error).__name__
            raise
        finally:
            self._record(seconds=time.monotonic() - began, problem=problem)

    def _record(self, *, seconds: float, problem: str) -> None:
        try:
            services.record_sweep(
                str(self.name), worker=str(self.request.hostname or ""), seconds=seconds, problem=problem
            )
        except Error:
            # What a task has done stands, whether or not it can be written down how long it took.
            logger.exception("How long %s took could not be recorded.", self.name)


class HeartbeatScheduler(PersistentScheduler):
    """Celery's own scheduler, which leaves a heartbeat every ten seconds."""

    beaten = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Kick what is due; return how many seconds until the next tick."""
        if time.monotonic() >= self.beaten + BEAT_SECONDS:
            self.beaten = time.monotonic()
            self._beat()
        return super().tick(*args, **kwargs)

    def _beat(self) -> None:
        close_old_connections()
        try:
            services.beat_on()
        except Error:
            # Beat goes on without the database: workers may reach it, and `/readyz` says that beat's heart is late.
            logger.exception("Beat's heartbeat could not be recorded.")
