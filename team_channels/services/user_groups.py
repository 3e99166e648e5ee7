"""Keep user groups in Slack in step with who is on call, by a sweep that compares the two."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.channels.deadline import within
from notifications.channels.exceptions import UndeliverableError, describe_error
from notifications.channels.slack_app.client import call
from notifications.queries.slack import App, slack_ids
from notifications.services.slack_leases import claim, finish, retry_later
from pipelines.models import Pipeline
from scheduling.models import Rotation
from scheduling.queries.on_call import on_call_shifts, responder_chains
from team_channels.models import SlackUserGroup, TeamChannel

# Changes made in Slack are reverted after this time.
MAX_SYNC_AGE = dt.timedelta(hours=1)
# An update that Slack refuses is tried again after this time.
REFUSED_PAUSE = dt.timedelta(hours=1)


def engineers_on_call(*, at: dt.datetime) -> dict[str, list[str]]:
    """Return the Slack IDs of the engineers on call, covers and swaps included, by user group.

    While the on-call engineer is away, the responders of the rotation's pipelines take their place.

    A group that several rotations share has the engineers of all of them. A group without anyone in Slack is left out:
    Slack has no empty groups.
    """
    channels = TeamChannel.objects.active().exclude(user_group="").filter(rotation__archived_at=None)
    groups = defaultdict(set)
    rotations = {}
    for channel in channels.select_related("rotation").order_by("pk"):
        if channel.rotation is not None:
            rotations[channel.rotation.pk] = channel.rotation
            groups[channel.user_group].add(channel.rotation.pk)
    engineers = _engineers(rotations.values(), at=at) if rotations else {}
    ids = slack_ids({person for people in engineers.values() for person in people}) if engineers else {}
    members = {
        group: sorted({ids[person] for key in keys for person in engineers.get(key, ()) if person in ids})
        for group, keys in groups.items()
    }
    return {group: row for group, row in members.items() if row}


def _engineers(rotations: Iterable[Rotation], *, at: dt.datetime) -> dict[int, set[int]]:
    """Return the on-call engineer of each rotation, or the responders of its pipelines while the engineer is away."""
    shifts = on_call_shifts(rotations, at=at)
    engineers = {row.rotation.pk: {row.engineer.id} for row in shifts if row.engineer is not None and row.available}
    away = [row.rotation for row in shifts if row.rotation.pk not in engineers]
    if away:
        pipelines = Pipeline.objects.filter(in_rotation__rotation__in=away).select_related("in_rotation")
        chains = responder_chains(pipelines, at=at)
        for pipeline in pipelines:
            if (responder := chains[pipeline.pk].responder) is not None:
                engineers.setdefault(pipeline.in_rotation.rotation_id, set()).add(responder.id)
    return engineers


def update_next_group(app: App, groups: Mapping[str, list[str]], *, at: dt.datetime) -> bool:
    """Set the members of one user group that differs from `groups` (`engineers_on_call`); return False if none differs."""
    known = {row.group_id: row for row in SlackUserGroup.objects.filter(group_id__in=groups)}
    SlackUserGroup.objects.bulk_create(
        [SlackUserGroup(group_id=group) for group in groups if group not in known], ignore_conflicts=True
    )
    current = [
        group for group, row in known.items() if row.members == groups[group] and row.synced_at and not _is_old(row, at)
    ]
    rows: QuerySet[SlackUserGroup] = SlackUserGroup.objects.claimable()
    row = claim(rows.filter(group_id__in=set(groups) - set(current)).order_by("group_id"))
    if row is None:
        return False
    members = groups[row.group_id]
    fields = {"usergroup": row.group_id, "users": ",".join(members)}
    try:
        within(settings.MESSAGE_SEND_SECONDS, lambda deadline: _set_members(app, fields))
    except UndeliverableError as error:
        finish(row, problem=describe_error(error), retry_at=Now() + REFUSED_PAUSE)
    except Exception as error:  # noqa: BLE001  # whatever a server or a library raises, it is retried
        if not retry_later(row, error):
            finish(row, problem=describe_error(error), retry_at=Now() + REFUSED_PAUSE)
    else:
        finish(row, members=members, synced_at=Now())
    return True


def _is_old(row: SlackUserGroup, at: dt.datetime) -> bool:
    return row.synced_at is not None and row.synced_at <= at - MAX_SYNC_AGE


def _set_members(app: App, fields: dict[str, str]) -> None:
    call(app, "usergroups.users.update", fields)
