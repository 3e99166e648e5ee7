"""Celery tasks for hand-offs."""

from celery import shared_task
from django.utils import timezone

from handoffs.services import channel_posts, meetings


@shared_task
def sync_handoffs() -> None:
    """Sync upcoming hand-offs with the stored weeks and notify the engineers."""
    meetings.sync_handoffs(at=timezone.now())


@shared_task
def post_shifts() -> None:
    """Post shifts that start or end to the channels of their rotation."""
    channel_posts.post_shifts(at=timezone.now())
