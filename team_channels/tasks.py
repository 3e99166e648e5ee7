"""Worker tasks of channels: a sweep that starts deliverers, the deliverers, and the nightly purge."""

from celery import shared_task
from django.utils import timezone

from common.loops import PURGE_SECONDS, repeat
from notifications.queries.slack import slack_app
from notifications.services.leases import DELIVERY_SECONDS, HARD_LIMIT_SECONDS
from team_channels.models import ChannelDelivery
from team_channels.queries import sweep_is_due
from team_channels.services.channels import purge_deleted_channels, report_channels_off
from team_channels.services.check_posts import post_check_changes
from team_channels.services.delivery import deliver_one, purge_finished
from team_channels.services.user_groups import engineers_on_call, update_next_group

# Fewer than for messages to people, which must not wait for a slow channel.
MAX_SENDERS = 2


@shared_task
def sweep() -> None:
    """Drop expired messages, report and purge channels, and start a deliverer per due message, up to the limit.

    If there is nothing to do, this runs one statement.
    """
    if not sweep_is_due(at=timezone.now()):
        return
    ChannelDelivery.objects.drop_expired()
    report_channels_off()
    purge_deleted_channels()
    for _ in range(ChannelDelivery.objects.deliverers_to_start(limit=MAX_SENDERS)):
        deliver.delay()


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def deliver() -> None:
    """Deliver due messages one after another for a few seconds."""
    repeat(deliver_one, seconds=DELIVERY_SECONDS)


@shared_task
def post_checks() -> None:
    """Post checks that failed or recovered."""
    post_check_changes(at=timezone.now())


@shared_task
def purge_deliveries() -> None:
    """Delete old deliveries in batches until none are left or the time is up."""
    repeat(purge_finished, seconds=PURGE_SECONDS)


@shared_task
def sync_user_groups() -> None:
    """Set the members of user groups in Slack to the engineers on call."""
    app = slack_app()
    if app is not None:
        at = timezone.now()
        groups = engineers_on_call(at=at)
        repeat(lambda: update_next_group(app, groups, at=at), seconds=DELIVERY_SECONDS)
