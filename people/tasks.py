"""Celery tasks for sign-in."""

from celery import shared_task
from django.utils import timezone

from people.services import login_attempts


@shared_task
def purge_attempts() -> None:
    """Delete expired login attempts."""
    login_attempts.purge_attempts(at=timezone.now())
