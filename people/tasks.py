"""Celery tasks of accounts."""

from celery import shared_task
from django.utils import timezone

from people.services import login_attempts, saved_responses
from people.sessions import SessionStore


@shared_task
def purge_attempts() -> None:
    """Delete expired login attempts."""
    login_attempts.purge_attempts(at=timezone.now())


@shared_task
def purge_responses() -> None:
    """Delete expired responses to requests with a key."""
    saved_responses.purge_responses(at=timezone.now())


@shared_task
def purge_sessions() -> None:
    """Delete expired sessions. Anyone can create one by starting to sign in with a provider."""
    SessionStore.clear_expired()
