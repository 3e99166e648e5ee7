"""What workers do about messages: a sweep that looks what is due, and deliverers that send one message after another."""

import time

from celery import shared_task
from django.conf import settings

from notifications.queries.outbox import being_sent, due_count
from notifications.services import retention
from notifications.services.catch_up import drop_expired, merge_overdue
from notifications.services.delivery import deliver_one

# How many messages are sent at a time: a server that hangs holds one of them, each time for no longer than a send may take.
SENDERS = 4
# A deliverer takes no further message after so long (5 s of 90); what is left is the next sweep's.
SENDING_SECONDS = settings.MESSAGE_LEASE_SECONDS / 18
# Removing what is long over stops well before the task's hard limit; the next night goes on.
FORGETTING_SECONDS = 60
# The hard limit is below the lease, so that a message is claimed again only when whoever sent it is gone; and above what a
# deliverer needs: its few seconds, and then one message, whose mark gives up at five sixths of the lease.
HARD_LIMIT_SECONDS = int(settings.MESSAGE_LEASE_SECONDS * 0.95)


@shared_task
def sweep() -> None:
    """Drop what is stale, merge what is late, and let as many deliverers go as there are messages due, up to a few."""
    drop_expired()
    merge_overdue()
    free = SENDERS - being_sent()
    for _ in range(due_count(most=max(free, 0))):
        deliver.delay()


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def deliver() -> None:
    """Deliver due messages one after another, each claimed by itself, for a few seconds."""
    until = time.monotonic() + SENDING_SECONDS
    while deliver_one() is not None and time.monotonic() < until:
        pass


@shared_task
def purge_finished() -> None:
    """Remove the messages that are long over, batch after batch, until there are none or the time is up."""
    until = time.monotonic() + FORGETTING_SECONDS
    while retention.purge_finished() and time.monotonic() < until:
        pass
