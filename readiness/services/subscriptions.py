"""Subscriptions of readers by e-mail: request, confirm, leave, and the messages when published numbers change."""

import datetime as dt
from collections.abc import Sequence

from django.core import signing
from django.db import transaction
from django.db.models import Q

from common.exceptions import DomainError, InvalidInputError
from common.loops import IsolatedSteps
from pipelines.models import Pipeline
from readiness.domain.verdict import Readiness
from readiness.models import ReaderMessage, ReaderNote, ReadersLink, Subscription
from readiness.notifications import ReaderText, alert_text, clear_text, confirm_text
from readiness.queries.readers import pipelines_with_problems

CONFIRM_SALT, LEAVE_SALT = "readiness.confirm", "readiness.leave"
CONFIRM_DAYS = 3
# Unconfirmed requests per link and day: more would make the site send mail to strangers.
MAX_UNCONFIRMED = 50
# A subscriber gets at most one message a day about a pipeline.
MESSAGE_PAUSE = dt.timedelta(days=1)
# Published days that subscribers are notified about.
WATCHED_DAYS = 7
CONFIRM_LIFETIME, NEWS_LIFETIME = dt.timedelta(hours=6), dt.timedelta(hours=12)


@transaction.atomic
def request_subscription(link: ReadersLink, *, email: str, pipelines: Sequence[Pipeline], at: dt.datetime) -> None:
    """Ask an address to confirm its subscriptions to pipelines of a link.

    The outcome is the same for an address that has subscribed already, so that nobody learns who has. Raises InvalidInputError for
    pipelines that are not on the page, and DomainError if too many requests are unconfirmed.
    """
    offered = set(link.pipelines.values_list("pk", flat=True))
    if not pipelines or not {row.pk for row in pipelines} <= offered:
        raise InvalidInputError({"pipelines": ["Choose pipelines on this page."]})
    ReadersLink.objects.select_for_update(no_key=True).get(pk=link.pk)
    if _count_requests(link, since=at - MESSAGE_PAUSE) + len(pipelines) > MAX_UNCONFIRMED:
        raise DomainError("Too many subscriptions to this page are waiting for confirmation. Try again tomorrow.")
    for pipeline in pipelines:
        row, is_new = Subscription.objects.get_or_create(
            pipeline=pipeline, email=email.strip().lower(), defaults={"link": link, "created_at": at}
        )
        if row.confirmed_at is not None and row.link.revoked_at is None:
            _record_repeat(row, link=link, at=at)
            continue
        if not is_new:
            Subscription.objects.filter(pk=row.pk).update(link=link, created_at=at, confirmed_at=None)
        # One a day, however often the form is sent.
        _enqueue(
            row,
            kind=ReaderMessage.Kind.CONFIRM,
            text=confirm_text(pipeline),
            occurrence=f"{at:%Y-%m-%d}",
            at=at,
            lifetime=CONFIRM_LIFETIME,
        )


def _count_requests(link: ReadersLink, *, since: dt.datetime) -> int:
    """Return how many unconfirmed subscriptions a link has, and how often confirmed addresses subscribed again."""
    unconfirmed = Subscription.objects.filter(link=link, created_at__gt=since, confirmed_at=None)
    repeats = ReaderMessage.objects.filter(occurrence__startswith=f"link {link.pk} ", due_at__gt=since)
    return unconfirmed.count() + repeats.order_by().values("subscription").distinct().count()


def _record_repeat(row: Subscription, *, link: ReadersLink, at: dt.datetime) -> None:
    """Record that a confirmed address subscribed again: it counts towards the limit like a new one, so that the limit does not reveal who subscribes."""
    message = ReaderMessage(
        subscription=row,
        kind=ReaderMessage.Kind.CONFIRM,
        occurrence=f"link {link.pk} {at:%Y-%m-%d}",
        subject=confirm_text(row.pipeline).subject[:200],
        state=ReaderMessage.State.DROPPED,
        problem="Subscribed already.",
        due_at=at,
        expires_at=at,
    )
    ReaderMessage.objects.bulk_create([message], ignore_conflicts=True)


def confirm_secret(subscription: Subscription) -> str:
    """Return the secret of a confirmation link, valid for three days. It is signed, so a copy of the database does not contain it."""
    return signing.dumps(subscription.pk, salt=CONFIRM_SALT)


def leave_secret(subscription: Subscription) -> str:
    """Return the secret of a link that ends a subscription, valid as long as the subscription."""
    return signing.dumps([subscription.pk, subscription.email], salt=LEAVE_SALT)


def subscription_to_confirm(secret: str) -> Subscription | None:
    """Return the subscription of a confirmation link, or None if the link is not valid or too old."""
    try:
        key = signing.loads(secret, salt=CONFIRM_SALT, max_age=dt.timedelta(days=CONFIRM_DAYS))
    except signing.BadSignature:
        return None
    return Subscription.objects.filter(pk=key, link__revoked_at=None).select_related("pipeline").first()


def subscription_to_leave(secret: str) -> Subscription | None:
    """Return the subscription of a link that ends it, or None if it has ended."""
    try:
        key, email = signing.loads(secret, salt=LEAVE_SALT)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return Subscription.objects.filter(pk=key, email=email).select_related("pipeline").first()


def confirm_subscription(subscription: Subscription, *, at: dt.datetime) -> None:
    """Confirm a subscription. Repeating it changes nothing."""
    Subscription.objects.filter(pk=subscription.pk, confirmed_at=None).update(confirmed_at=at)


def leave(subscription: Subscription) -> None:
    """End a subscription: the address is deleted with its messages."""
    subscription.delete()


def notify_subscribers(*, at: dt.datetime) -> int:
    """Enqueue a message for each subscriber whose pipeline's published numbers became doubtful or wrong, or right again.

    A change within a day of the last message waits, and is dropped if it is reversed by then. Returns the number of messages.
    """
    active = Subscription.objects.active()
    pipelines = list(Pipeline.objects.filter(pk__in=active.values("pipeline")))
    if not pipelines:
        return 0
    troubled = pipelines_with_problems(pipelines, at=at, days=WATCHED_DAYS)
    rested = Q(notified_at=None) | Q(notified_at__lte=at - MESSAGE_PAUSE)
    changed = Q(pipeline__in=list(troubled), is_alerted=False) | (Q(is_alerted=True) & ~Q(pipeline__in=list(troubled)))
    due = active.filter(rested & changed).order_by("pk").values_list("pk", "pipeline")
    with IsolatedSteps() as attempt:
        return sum(attempt(_notify, key, readiness=troubled.get(pipeline), at=at) or 0 for key, pipeline in due)


@transaction.atomic
def _notify(key: int, *, readiness: Readiness | None, at: dt.datetime) -> int:
    """Enqueue a subscriber's message; return 0 if another worker has done so."""
    is_alerted = readiness is not None
    rested = Q(notified_at=None) | Q(notified_at__lte=at - MESSAGE_PAUSE)
    due = Subscription.objects.filter(rested, pk=key, is_alerted=not is_alerted)
    if not due.update(is_alerted=is_alerted, notified_at=at):
        return 0
    row = Subscription.objects.select_related("pipeline").get(pk=key)
    if readiness is None:
        kind, text = ReaderMessage.Kind.CLEAR, clear_text(row.pipeline)
    else:
        note = ReaderNote.objects.filter(pipeline=row.pipeline).values_list("text", flat=True).first() or ""
        kind, text = ReaderMessage.Kind.ALERT, alert_text(row.pipeline, readiness=readiness, note=note)
    _enqueue(row, kind=kind, text=text, occurrence=f"{at:%Y-%m-%dT%H:%M:%SZ}", at=at, lifetime=NEWS_LIFETIME)
    return 1


def _enqueue(
    subscription: Subscription,
    *,
    kind: ReaderMessage.Kind,
    text: ReaderText,
    occurrence: str,
    at: dt.datetime,
    lifetime: dt.timedelta,
) -> None:
    ReaderMessage.objects.bulk_create(
        [
            ReaderMessage(
                subscription=subscription,
                kind=kind,
                occurrence=occurrence,
                subject=text.subject[:200],
                text=text.text,
                due_at=at,
                expires_at=at + lifetime,
            )
        ],
        ignore_conflicts=True,
    )


def purge_unconfirmed(*, at: dt.datetime) -> int:
    """Delete subscriptions that nobody confirmed in time, with their address; return how many."""
    old = Subscription.objects.filter(confirmed_at=None, created_at__lt=at - dt.timedelta(days=CONFIRM_DAYS))
    return old.delete()[1].get(Subscription._meta.label, 0)  # noqa: SLF001  # _meta is documented API of Django
