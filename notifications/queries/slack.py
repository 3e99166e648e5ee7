"""The site's Slack app, from the settings or else from the database, and the Slack member of each person."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from notifications.models import ContactMethod, Message, SlackAnswer, SlackApp, SlackMember
from people.models import User

# A member is looked up again after this time, because people leave and change addresses.
MAX_LOOKUP_AGE = dt.timedelta(days=1)
# Slack permits 30 minutes, but nobody waits that long for a response.
ANSWER_LIFETIME = dt.timedelta(minutes=10)
UNKNOWN_MEMBER = (
    "Your Slack account is not linked to an active user of the on-call site. "
    "Use the same e-mail address in both, or add Slack as a contact method on the Notifications page."
)


@dataclass(frozen=True, slots=True)
class App:
    """A Slack app in its workspace: the token for calls, and the secret with which Slack signs requests."""

    bot_token: str
    signing_secret: str


def slack_app() -> App | None:
    """Return the app, or None if the site has none. Raises common.crypto.DecryptionError."""
    if settings.SLACK_BOT_TOKEN:
        return App(settings.SLACK_BOT_TOKEN, settings.SLACK_SIGNING_SECRET)
    row = SlackApp.objects.first()
    return App(row.bot_token, row.signing_secret) if row else None


def has_slack_app() -> bool:
    """Return True if the site has a Slack app."""
    return bool(settings.SLACK_BOT_TOKEN) or SlackApp.objects.exists()


def expired_answers() -> QuerySet[SlackAnswer]:
    """Return the responses that nobody waits for any more."""
    return SlackAnswer.objects.filter(created_at__lte=Now() - ANSWER_LIFETIME)


def known_slack_id(person: User, *, email: str) -> str:
    """Return the Slack ID of a person if it was found by this e-mail address, or ""."""
    row = SlackMember.objects.filter(person=person, email__iexact=email).first()
    return row.slack_id if row else ""


def slack_ids(people: Iterable[int]) -> dict[int, str]:
    """Return the Slack IDs of people who have one, by their primary key."""
    rows = SlackMember.objects.filter(person__in=list(people), person__is_active=True).exclude(slack_id="")
    return dict(rows.values_list("person", "slack_id"))


def person_in_slack(slack_id: str) -> User | None:
    """Return the active user with a Slack ID, or None."""
    rows = SlackMember.objects.filter(slack_id=slack_id, person__is_active=True).exclude(slack_id="")
    row = rows.select_related("person").first()
    return row.person if row else None


def people_to_look_up() -> QuerySet[User]:
    """Return the active users whose Slack member is unknown or may have changed, those never looked up first."""
    methods = ContactMethod.objects.live().filter(person=OuterRef("pk"), channel=Message.Channel.SLACK_DM)
    verified = methods.filter(verified_at__gt=OuterRef("slack_member__looked_up_at"))
    moved = ~Q(slack_member__email__iexact=F("email")) & ~Exists(methods)
    due = Q(slack_member=None) | Q(slack_member__looked_up_at__lte=Now() - MAX_LOOKUP_AGE) | Exists(verified) | moved
    rows = User.objects.get_queryset().active().exclude(email="").filter(due)
    return rows.order_by(F("slack_member__looked_up_at").asc(nulls_first=True), "pk")
