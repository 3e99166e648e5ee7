"""Worker tasks of channels: a sweep that starts deliverers, the deliverers, and the nightly purge."""

import time

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notifications.queries.slack import slack_app
from team_channels.models import ChannelDelivery
from team_channels.services.channels import report_channels_off
from team_channels.services.check_posts import post_check_changes
from team_channels.services.delivery import deliver_one, due_count, purge_finished, sending_count
from team_channels.services.user_groups import update_next_group

# Fewer than for messages to people, which must not wait for a slow channel.
MAX_SENDERS = 2
DELIVERY_SECONDS = settings.MESSAGE_LEASE_SECONDS / 18
PURGE_SECONDS = 60
# Shorter than the lease, so that a message is claimed again only after its sender is gone.
HARD_LIMIT_SECONDS = int(settings.MESSAGE_LEASE_SECONDS * 0.95)


@shared_task
def sweep() -> None:
    """Drop expired messages, report channels that no longer exist, and start a deliverer per due message, up to the limit."""
    ChannelDelivery.objects.drop_expired()
    report_channels_off()
    for _ in range(due_count(limit=max(MAX_SENDERS - sending_count(), 0))):
        deliver.delay()


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def deliver() -> None:
    """Deliver due messages one after another for a few seconds."""
    until = time.monotonic() + DELIVERY_SECONDS
    while deliver_one() is not None and time.monotonic() < until:
        pass


@shared_task
def post_checks() -> None:
    """Post checks that failed or recovered."""
    post_check_changes(at=timezone.now())


@shared_task
def purge_deliveries() -> None:
    """Delete old deliveries in batches until none are left or the time is up."""
    until = time.monotonic() + PURGE_SECONDS
    while purge_finished() and time.monotonic() < until:
        pass


@shared_task
def sync_user_groups() -> None:
    """Set the members of user groups in Slack to the engineers on call."""
    app = slack_app()
    until = time.monotonic() + DELIVERY_SECONDS
    while app is not None and update_next_group(app, at=timezone.now()) and time.monotonic() < until:
        pass
