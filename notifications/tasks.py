"""Celery tasks: a sweep that starts deliverers, the deliverers, and the nightly purge."""

import time

from celery import shared_task
from django.conf import settings

from notifications.models import Message
from notifications.queries.outbox import due_count, sending_count
from notifications.services import retention
from notifications.services.catch_up import merge_overdue
from notifications.services.contact_methods import report_methods_off
from notifications.services.delivery import deliver_one
from notifications.services.push_devices import report_switched_off

# Concurrent sends. A mail server that hangs occupies one of them, for no longer than the time limit of a send.
MAX_SENDERS = 4
# A deliverer claims no further message after this time (5 s of 90); the next sweep continues.
DELIVERY_SECONDS = settings.MESSAGE_LEASE_SECONDS / 18
# The purge stops well before the task's hard limit and continues the next night.
PURGE_SECONDS = 60
# Shorter than the lease, so that a message is claimed again only after its sender is gone; and longer than a deliverer needs:
# its few seconds and one more message, whose mark gives up at five sixths of the lease.
HARD_LIMIT_SECONDS = int(settings.MESSAGE_LEASE_SECONDS * 0.95)


@shared_task
def sweep() -> None:
    """Drop expired messages, merge overdue ones, and start a deliverer per due message, up to the limit.

    Before that, report the push devices and contact methods that were turned off.
    """
    Message.objects.drop_expired()
    merge_overdue()
    report_switched_off()
    report_methods_off()
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
def purge_finished() -> None:
    """Delete old finished messages in batches until none are left or the time is up."""
    until = time.monotonic() + PURGE_SECONDS
    while retention.purge_finished() and time.monotonic() < until:
        pass
