"""Queries about channels."""

from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from common.db import SweepProbe
from people.models import User
from people.undo import UNDO_WINDOW
from pipelines.models import Pipeline
from scheduling.models import Rotation
from team_channels.models import (
    ChannelDelivery,
    ChannelDeliveryQuerySet,
    CheckFailure,
    SlackUserGroup,
    TeamChannel,
    TeamChannelQuerySet,
)
from validation.domain.results import RECOVERED_STATUSES
from validation.models import CheckQuerySet, ExternalCheckQuerySet
from validation.queries.checks import alerting_checks
from validation.queries.external import failing_external_checks


def purgeable_channels() -> TeamChannelQuerySet:
    """Return the deleted channels that can no longer be restored."""
    return TeamChannel.all_objects.filter(deleted_at__lte=Now() - UNDO_WINDOW)


def rows_to_sweep() -> list[QuerySet[Any]]:
    """Return the rows of each kind that the sweep of channels handles, by the database's clock."""
    return [
        ChannelDelivery.objects.claimable(),
        ChannelDelivery.objects.expired(),
        TeamChannel.objects.get_queryset().unreported(),
        purgeable_channels(),
    ]


sweep_is_due = SweepProbe("channels", lambda at: rows_to_sweep())


def ended_failures() -> QuerySet[CheckFailure]:
    """Return the posted failures that have ended, with their check and its pipeline."""
    ended = Q(parent_check__isnull=False) & ~Q(parent_check__alerting_since=F("since"))
    ended |= Q(external_check__status__in=RECOVERED_STATUSES)
    ended |= Q(external_check__isnull=False, external_check__pipeline=None)
    return CheckFailure.objects.filter(ended).select_related("parent_check__pipeline", "external_check__pipeline")


def unposted_checks() -> CheckQuerySet:
    """Return the alerting checks whose failure is not posted yet."""
    return alerting_checks().filter(channel_failure=None)


def unposted_external_checks() -> ExternalCheckQuerySet:
    """Return the failing external checks whose failure is not posted yet."""
    return failing_external_checks().filter(channel_failure=None)


check_posts_are_due = SweepProbe(
    "check_posts", lambda at: [ended_failures(), unposted_checks(), unposted_external_checks()]
)


def owner_channels(owner: Pipeline | Rotation) -> TeamChannelQuerySet:
    """Return the channels of a pipeline or a rotation, with the users who added them and turned them off."""
    rows = TeamChannel.objects.get_queryset().select_related("created_by", "switched_off_by", "pipeline", "rotation")
    return rows.filter(**owner_filter(owner)).order_by("name", "pk")


def owner_filter(owner: Pipeline | Rotation) -> dict[str, Pipeline | Rotation]:
    """Return the owner's foreign key as keyword arguments."""
    return {"pipeline": owner} if isinstance(owner, Pipeline) else {"rotation": owner}


def may_edit_channels(owner: Pipeline | Rotation, person: User) -> bool:
    """Return True for admins and for the owners of a pipeline."""
    if person.is_staff:
        return True
    return isinstance(owner, Pipeline) and person.pk in (owner.primary_owner_id, owner.secondary_owner_id)


def channels_for(
    event: str, *, pipeline: Pipeline | None = None, rotation: Rotation | None = None
) -> list[TeamChannel]:
    """Return the active channels that want an event of a rotation, or of a pipeline, including those of its rotation."""
    owners = Q(rotation=rotation) if rotation is not None else Q(pipeline=pipeline)
    if pipeline is not None:
        owners |= Q(rotation__pipelines__pipeline=pipeline)
    return list(TeamChannel.objects.subscribed_to(event).filter(owners).order_by("pk"))


def channel_deliveries(channel: TeamChannel) -> ChannelDeliveryQuerySet:
    """Return the deliveries of a channel, newest first."""
    return ChannelDelivery.objects.filter(channel=channel).order_by("-pk")


def people_responsible(channel: TeamChannel) -> list[User]:
    """Return the people who are notified about a channel: the admins and its pipeline’s owners."""
    owner = channel.owner
    owners = [owner.primary_owner_id, owner.secondary_owner_id] if isinstance(owner, Pipeline) else []
    rows = User.objects.get_queryset().active().filter(Q(is_staff=True) | Q(pk__in=owners))
    return list(rows.order_by("pk"))


def user_group(channel: TeamChannel) -> SlackUserGroup | None:
    """Return the state of a channel's user group in Slack, or None before its members were first set."""
    return SlackUserGroup.objects.filter(group_id=channel.user_group).first() if channel.user_group else None
