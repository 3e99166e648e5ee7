"""What workers do for the site itself."""

from celery import shared_task

from oncall_site import commands


@shared_task
def beat_heart() -> None:
    """Leave a heartbeat, which `/readyz` reads."""
    commands.beat_heart()
