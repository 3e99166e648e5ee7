"""Worker tasks of readiness."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from common.loops import IsolatedSteps, repeat
from notifications.channels.email.smtp import mail_session
from notifications.services.leases import HARD_LIMIT_SECONDS
from readiness.models import ReaderMessage
from readiness.presenters import render_readers_page
from readiness.services.delivery import deliver_reader_message, purge_finished
from readiness.services.publication import sweep_publications
from readiness.services.readers import store_pages
from readiness.services.subscriptions import notify_subscribers, purge_unconfirmed

# A worker claims no further message after this time (20 s of 90); the next sweep continues.
READER_DELIVERY_SECONDS = settings.MESSAGE_LEASE_SECONDS * 2 / 9


@shared_task
def sync_publications() -> None:
    """Publish the days that are safe, record how published values changed, and notify subscribers."""
    at = timezone.now()
    with IsolatedSteps() as attempt:
        attempt(sweep_publications, at=at)
        attempt(notify_subscribers, at=at)


@shared_task
def render_readers_pages() -> None:
    """Render the reader pages."""
    store_pages(render=render_readers_page, at=timezone.now())


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def deliver_reader_messages() -> None:
    """Send the messages to readers that are due, for some seconds."""
    ReaderMessage.objects.drop_expired()
    with mail_session():
        repeat(deliver_reader_message, seconds=READER_DELIVERY_SECONDS)


@shared_task
def purge_readers() -> None:
    """Delete old messages to readers, and subscriptions that nobody confirmed."""
    purge_finished()
    purge_unconfirmed(at=timezone.now())
