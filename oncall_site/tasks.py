"""What workers do for the site itself."""

from celery import Task, shared_task
from django.conf import settings
from django.utils import timezone

from oncall_site import commands, demo


@shared_task(bind=True)
def beat_heart(self: "Task[[], None]") -> None:
    """Leave a heartbeat of the worker that runs this, which `/readyz` reads."""
    commands.beat_heart(worker=self.request.hostname or "")


@shared_task
def follow_demo() -> None:
    """Let the demo's warehouse grow day by day; nothing on a site without it."""
    demo.follow_demo(settings.VAR / demo.FILE, at=timezone.now())
