"""Celery tasks: a sweep that starts deliverers, the deliverers, and the nightly purge."""

import logging
import time

from celery import shared_task
from django.conf import settings

from notifications.channels.deadline import SendTimeoutError
from notifications.channels.exceptions import RetryLaterError
from notifications.models import Message, SlackAnswer
from notifications.queries.outbox import due_count, sending_count
from notifications.queries.slack import has_slack_app, slack_app
from notifications.queries.sweep import has_work
from notifications.services import retention
from notifications.services.catch_up import merge_overdue
from notifications.services.contact_methods import report_methods_off
from notifications.services.delivery import deliver_one
from notifications.services.email_rejections import report_rejected_addresses
from notifications.services.push_devices import report_switched_off
from notifications.services.slack import look_up_next_member, post_next_answer, purge_requests

logger = logging.getLogger(__name__)

# Concurrent sends. A mail server that hangs occupies one of them, for no longer than the time limit of a send.
MAX_SENDERS = 4
# A deliverer claims no further message after this time (5 s of 90); the next sweep continues.
DELIVERY_SECONDS = settings.MESSAGE_LEASE_SECONDS / 18
# Slack permits 50 lookups per minute.
MAX_LOOKUPS = 20
# The purge stops well before the task's hard limit and continues the next night.
PURGE_SECONDS = 60
# Shorter than the lease, so that a message is claimed again only after its sender is gone; and longer than a deliverer needs:
# its few seconds and one more message, whose mark gives up at five sixths of the lease.
HARD_LIMIT_SECONDS = int(settings.MESSAGE_LEASE_SECONDS * 0.95)


@shared_task
def sweep() -> None:
    """Drop expired messages, merge overdue ones, and start a deliverer per due message, up to the limit.

    Before that, report the push devices and contact methods that were turned off, and rejected e-mail addresses. If there is
    nothing to do, this is one statement.
    """
    if not has_work():
        return
    Message.objects.drop_expired()
    merge_overdue()
    report_switched_off()
    report_methods_off()
    report_rejected_addresses()
    free = MAX_SENDERS - sending_count()
    for _ in range(due_count(limit=max(free, 0))):
        deliver.delay()


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def deliver() -> None:
    """Deliver due messages one after another for a few seconds."""
    until = time.monotonic() + DELIVERY_SECONDS
    while deliver_one() is not None and time.monotonic() < until:
        pass


@shared_task
def answer_slack() -> None:
    """Post responses to people who clicked in Slack."""
    if not has_slack_app() or SlackAnswer.objects.held().count() >= MAX_SENDERS:
        return
    until = time.monotonic() + DELIVERY_SECONDS
    while post_next_answer() and time.monotonic() < until:
        pass


@shared_task
def look_up_slack_members() -> None:
    """Look up people in the Slack workspace who are new, who changed their address, and everyone once a day."""
    app = slack_app()
    if app is None:
        return
    try:
        for _ in range(MAX_LOOKUPS):
            if not look_up_next_member(app):
                return
    except (RetryLaterError, SendTimeoutError, ConnectionError) as error:
        logger.warning("Slack members were not looked up: %s", error)


@shared_task
def purge_finished() -> None:
    """Delete old finished messages in batches until none are left or the time is up, and old signatures of Slack."""
    purge_requests()
    until = time.monotonic() + PURGE_SECONDS
    while retention.purge_finished() and time.monotonic() < until:
        pass
