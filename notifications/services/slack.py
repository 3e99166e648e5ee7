"""Slack: requests from it, answers to clicks, and the members of the workspace."""

import datetime as dt

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from common.crypto import DecryptionError
from notifications.channels.deadline import within
from notifications.channels.exceptions import GoneError, UndeliverableError, describe_error
from notifications.channels.slack_app.channel import find_member
from notifications.channels.slack_app.client import post_answer
from notifications.channels.slack_app.signatures import MAX_REQUEST_AGE, is_recent, is_signed
from notifications.models import ContactMethod, Message, SlackAnswer, SlackMember, SlackRequest
from notifications.queries.slack import App, expired_answers, people_to_look_up, slack_app
from notifications.services.slack_leases import claim, delete, retry_later
from people.models import User

ACCOUNT_IN_USE = "Another person on the site has this Slack account."


class NotFromSlackError(Exception):
    """The request is not from Slack or not new; the message says which."""


def accept_request(*, body: bytes, timestamp: str, header: str, at: dt.datetime) -> None:
    """Accept a request once, if Slack signed it within five minutes; otherwise raise NotFromSlackError."""
    try:
        app = slack_app()
    except DecryptionError as error:
        raise NotFromSlackError("The site’s Slack app cannot be used.") from error
    if app is None or not is_signed(app.signing_secret, timestamp=timestamp, body=body, header=header):
        raise NotFromSlackError("This request is not signed by Slack.")
    if not is_recent(timestamp, at=at):
        raise NotFromSlackError("This request is too old.")
    _, is_new = SlackRequest.objects.get_or_create(signature=header)
    if not is_new:
        raise NotFromSlackError("This request was already received.")


def purge_requests() -> int:
    """Delete the signatures of requests that are too old to be replayed; return their number."""
    return SlackRequest.objects.filter(received_at__lte=Now() - 3 * MAX_REQUEST_AGE).delete()[0]


def answer_later(*, response_url: str, text: str) -> None:
    """Store a response that only the person who clicked sees; a worker posts it within seconds."""
    SlackAnswer.objects.create(response_url=response_url, text=text)


def post_next_answer() -> bool:
    """Post one pending response; return False if there is none."""
    expired_answers().delete()
    row = claim(SlackAnswer.objects.claimable().order_by("pk"))
    if row is None:
        return False
    try:
        url = row.response_url
        within(settings.MESSAGE_SEND_SECONDS, lambda deadline: post_answer(url, row.text, deadline=deadline))
    except (UndeliverableError, DecryptionError):
        delete(row)
    except Exception as error:  # noqa: BLE001  # whatever a server or a library raises, it is retried
        retry_later(row, error)
    else:
        delete(row)
    return True


def look_up_next_member(app: App) -> bool:
    """Look up one person in the workspace by e-mail address; return False if nobody is due.

    Raises RetryLaterError, ConnectionError and SendTimeoutError if Slack cannot be asked now.
    """
    person = people_to_look_up().first()
    if person is None:
        return False
    verified = _verified_email(person)
    email, ids, problem = verified or person.email, [""], ""

    def ask(_: object) -> None:
        ids.append(find_member(app, email))

    try:
        within(settings.MESSAGE_SEND_SECONDS, ask)
    except GoneError:
        problem = "Slack has no member with this e-mail address."
    except UndeliverableError as error:
        problem = describe_error(error)
    save_member(person, email=email, slack_id=ids[-1][:32], is_verified=bool(verified), problem=problem)
    return True


def _verified_email(person: User) -> str:
    """Return the address of a person's verified contact method in Slack, or ""."""
    methods = ContactMethod.objects.live().filter(person=person, channel=Message.Channel.SLACK_DM)
    method = methods.order_by("-verified_at").first()
    try:
        return method.address if method else ""
    except DecryptionError:
        return ""


def save_member(person: User, *, email: str, slack_id: str, is_verified: bool, problem: str = "") -> SlackMember:
    """Save a person's Slack member and return it.

    `is_verified` means that they entered a code that was sent to it. A member belongs to one person: the one who
    verified it, else the active one who had it first.
    """
    if slack_id:
        others = SlackMember.objects.filter(slack_id=slack_id).exclude(person=person)
        others = others if is_verified else others.filter(person__is_active=False)
        others.update(slack_id="", problem=ACCOUNT_IN_USE)
    fields = {"email": email, "slack_id": slack_id, "problem": problem, "looked_up_at": Now()}
    try:
        with transaction.atomic():
            row, _ = SlackMember.objects.update_or_create(person=person, defaults=fields)
    except IntegrityError:
        fields |= {"slack_id": "", "problem": ACCOUNT_IN_USE}
        row, _ = SlackMember.objects.update_or_create(person=person, defaults=fields)
    return row
