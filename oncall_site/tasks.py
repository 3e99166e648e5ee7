"""Background tasks of the site itself."""

from celery import Task, shared_task
from django.conf import settings
from django.utils import timezone

from oncall_site import demo, services


@shared_task(bind=True)
def record_heartbeat(self: "Task[[], None]") -> None:
    """Record a heartbeat of the worker that runs this task, for /readyz."""
    services.record_heartbeat(worker=self.request.hostname or "")


@shared_task
def check_shifts() -> None:
    """Notify people of what to do before their shifts, and of their week if they opted in."""
    at = timezone.now()
    services.check_shifts(at=at)
    services.send_weeks_ahead(at=at)


@shared_task
def grow_demo() -> None:
    """Add new days to the demo warehouse; do nothing on a site without the demo."""
    demo.grow_demo(settings.VAR / demo.DEMO_FILE, at=timezone.now())
