"""Posts about published numbers that changed, stored in the transaction that records the change."""

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse

from common.datetimes import isoformat_z
from common.formatting import format_count, format_day
from readiness.models import Publication, Restatement
from team_channels.domain.events import RESTATEMENT_OPENED, RESTATEMENT_SETTLED, ChannelEvent
from team_channels.queries import channels_for
from team_channels.services.outbox import post_event

MAX_VALUES_LISTED = 5
# Values in the data of webhooks. A day can have thousands.
MAX_VALUES_SENT = 100
TITLES = {RESTATEMENT_OPENED: "Published numbers changed", RESTATEMENT_SETTLED: "Changed numbers are safe to use"}


def post_restatements(
    event: str, publication: Publication, *, restatements: Sequence[Restatement], at: dt.datetime
) -> None:
    """Post restatements of one published day that were opened or settled together. Their metrics are loaded."""
    channels = channels_for(event, pipeline=publication.pipeline)
    if not restatements or not channels:
        return
    lines = [_line(row) for row in restatements[:MAX_VALUES_LISTED]]
    if len(restatements) > MAX_VALUES_LISTED:
        lines.append(f"- {format_count(len(restatements) - MAX_VALUES_LISTED, 'more value')}")
    new = ChannelEvent(
        type=event,
        id=f"{event.replace('.', '-')}-{restatements[0].pk}",
        occurred_at=at,
        title=f"{TITLES[event]}: {publication.pipeline}, {format_day(publication.day)}",
        text="\n".join(lines),
        path=reverse("restatements", args=[publication.pipeline.slug]),
        facts=(("Pipeline", str(publication.pipeline)), ("Day", format_day(publication.day))),
        data={
            "pipeline": publication.pipeline.slug,
            "day": publication.day.isoformat(),
            "restatements": [_data(row) for row in restatements[:MAX_VALUES_SENT]],
            "restatements_total": len(restatements),
        },
    )
    post_event(channels, new, at=at)


def _line(row: Restatement) -> str:
    segment = f", {row.segment}" if row.segment else ""
    return f"- {row.metric}{segment}: {row.from_text} → {row.to_text}"


def _data(row: Restatement) -> dict[str, object]:
    """Return a restatement with the field names of the API."""
    return {
        "id": row.pk,
        "metric": row.metric.slug,
        "segment": row.segment,
        "from_value": row.from_value,
        "to_value": row.to_value,
        "published_at": isoformat_z(row.published_at),
        "changed_at": isoformat_z(row.changed_at),
        "cause": row.cause,
        "incident": row.incident_id,
    }
