"""Celery tasks: a sweep that starts deliverers, the deliverers, and the nightly purge."""

import logging

from celery import shared_task
from django.utils import timezone

from common.loops import PURGE_SECONDS, repeat
from notifications.channels.deadline import SendTimeoutError
from notifications.channels.email.smtp import mail_session
from notifications.channels.exceptions import RetryLaterError
from notifications.models import Message, SlackAnswer
from notifications.queries.slack import has_slack_app, slack_app
from notifications.queries.sweep import sweep_is_due
from notifications.services.catch_up import merge_overdue
from notifications.services.contact_methods import report_methods_off
from notifications.services.delivery import deliver_one
from notifications.services.email_rejections import report_rejected_addresses
from notifications.services.leases import DELIVERY_SECONDS, HARD_LIMIT_SECONDS
from notifications.services.push_devices import report_switched_off
from notifications.services.slack import look_up_next_member, post_next_answer, purge_requests

logger = logging.getLogger(__name__)

# Concurrent sends. A mail server that hangs occupies one of them, for no longer than the time limit of a send.
MAX_SENDERS = 4
# Slack permits 50 lookups per minute.
MAX_LOOKUPS = 20


@shared_task
def sweep() -> None:
    """Drop expired messages, merge overdue ones, and start a deliverer per due message, up to the limit.

    Before that, report the push devices and contact methods that were turned off, and rejected e-mail addresses. If there is
    nothing to do, this runs one statement.
    """
    if not sweep_is_due(at=timezone.now()):
        return
    Message.objects.drop_expired()
    merge_overdue()
    report_switched_off()
    report_methods_off()
    report_rejected_addresses()
    for _ in range(Message.objects.deliverers_to_start(limit=MAX_SENDERS)):
        deliver.delay()


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def deliver() -> None:
    """Deliver due messages one after another for a few seconds."""
    with mail_session():
        repeat(deliver_one, seconds=DELIVERY_SECONDS)


@shared_task
def answer_slack() -> None:
    """Post responses to people who clicked in Slack."""
    if has_slack_app() and SlackAnswer.objects.held().count() < MAX_SENDERS:
        repeat(post_next_answer, seconds=DELIVERY_SECONDS)


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
    repeat(lambda: Message.objects.purgeable().delete_batch(), seconds=PURGE_SECONDS)
