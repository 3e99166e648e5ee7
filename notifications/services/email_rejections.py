"""Report rejected e-mail addresses by another channel."""

import datetime as dt

from django.db import transaction

from notifications.models import Message
from notifications.notifications import EmailRejectionReport
from notifications.queries.outbox import database_clock
from notifications.queries.preferences import routes_by_user
from notifications.queries.sweep import unreported_rejections
from notifications.services.outbox import enqueue, subject_line
from people.models import User

REPORT_LIFETIME = dt.timedelta(days=7)
REPORT_BATCH_SIZE = 100
# Used only if there is nothing else: they cost money or wake people.
LAST_CHANNELS = [Message.Channel.SMS.value, Message.Channel.VOICE.value]


@transaction.atomic
def report_rejected_addresses() -> int:
    """Enqueue one message for each rejected address, to its user by another channel, or to the admins; return their number."""
    locked = (
        unreported_rejections()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("person")
        .order_by("pk")
    )
    rejections = list(locked[:REPORT_BATCH_SIZE])
    for row in rejections:
        at = database_clock()
        report = EmailRejectionReport(
            person=row.person_id,
            person_name=str(row.person),
            rejected_address=row.address,
            problem=row.problem,
            rejected_at=row.rejected_at,
        )
        routes = routes_by_user([row.person])[row.person_id]
        channels = routes.reachable - {Message.Channel.EMAIL.value}
        if channels:
            channel = min(channels, key=_preference)
            _send(report, row.person, channel=channel, method=routes.methods.get(channel, [0])[0], at=at)
        else:
            admins = User.objects.filter(is_active=True, is_staff=True).exclude(pk=row.person_id)
            enqueue(admins, report, due_at=at, expires_at=at + REPORT_LIFETIME)
        row.reported_at = at
        row.save(update_fields=["reported_at"])
    return len(rejections)


def _preference(channel: str) -> tuple[int, str]:
    return LAST_CHANNELS.index(channel) + 1 if channel in LAST_CHANNELS else 0, channel


def _send(report: EmailRejectionReport, person: User, *, channel: str, method: int, at: dt.datetime) -> None:
    Message.objects.create(
        type=report.name,
        dedup_key=report.dedup_key,
        context=report.context,
        recipient=person,
        channel=channel,
        contact_method=method,
        subject=subject_line(report, person),
        text=report.body(person),
        due_at=at,
        expires_at=at + REPORT_LIFETIME,
    )
