"""What workers do for the site itself."""

from celery import Task, shared_task

from oncall_site import commands


@shared_task(bind=True)
def beat_heart(self: "Task[[], None]") -> None:
    """Leave a heartbeat of the worker that runs this, which `/readyz` reads."""
    commands.beat_heart(worker=self.request.hostname or "")
