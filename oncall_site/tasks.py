"""What workers do for the site itself."""

from celery import Task, shared_task
from django.conf import settings
from django.utils import timezone

from oncall_site import demo, services


@shared_task(bind=True)
def record_heartbeat(self: "Task[[], None]") -> None:
    """Leave a heartbeat of the worker that runs this, which `/readyz` reads."""
    services.record_heartbeat(worker=self.request.hostname or "")


@shared_task
def grow_demo() -> None:
    """Let the demo's warehouse grow day by day; nothing on a site without it."""
    demo.grow_demo(settings.VAR / demo.FILE, at=timezone.now())
