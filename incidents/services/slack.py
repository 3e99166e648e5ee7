"""Incidents in Slack: clicks on their buttons, and messages that follow their state."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from common.exceptions import DomainError, InvalidInputError
from incidents.domain.slack import ACKNOWLEDGE, REASSIGN, RESOLVE, SNOOZE_CHOICES, Click
from incidents.models import Incident, SlackPost
from incidents.queries.slack import incident_card, shown_state
from incidents.services.transitions import acknowledge, lock_incident, reassign, resolve, snooze
from notifications.channels.deadline import within
from notifications.channels.exceptions import UndeliverableError, describe_error
from notifications.channels.slack_app.channel import update_card
from notifications.queries.outbox import database_clock
from notifications.queries.slack import App
from notifications.services.slack_leases import claim, finish, retry_later
from people.models import User

SNOOZE_MINUTES = frozenset(minutes for minutes, _ in SNOOZE_CHOICES)
MAX_USERNAME_LENGTH = 150


def perform_click(click: Click, *, by: User, at: dt.datetime) -> str:
    """Perform the action of a button; return "" on success, which the message shows, or why nothing changed."""
    incident = Incident.objects.filter(pk=click.shown.incident).first()
    if incident is None:
        return "This incident no longer exists."
    try:
        _perform(incident, click, by=by, at=at)
    except InvalidInputError as error:
        return " ".join(text for texts in error.problems.values() for text in texts)
    except DomainError as error:
        return str(error)
    return ""


@transaction.atomic
def _perform(incident: Incident, click: Click, *, by: User, at: dt.datetime) -> None:
    row = lock_incident(incident)
    _check_current(row, click)
    if click.action == ACKNOWLEDGE:
        acknowledge(row, by=by, at=at)
    elif click.action == RESOLVE:
        resolve(row, by=by, at=at, text="Resolved in Slack.")
    elif click.action == REASSIGN:
        engineer = User.objects.filter(username=click.value[:MAX_USERNAME_LENGTH], is_active=True).first()
        if engineer is None:
            raise DomainError("This person is not active on the site.")
        reassign(row, to=engineer, by=by, at=at)
    else:
        minutes = int(click.value) if click.value.isascii() and click.value.isdigit() else 0
        if minutes not in SNOOZE_MINUTES:
            raise DomainError("Choose one of the times.")
        snooze(row, until=at + dt.timedelta(minutes=minutes), by=by, at=at)


def _check_current(row: Incident, click: Click) -> None:
    """Raise DomainError if the message with the button shows another state than the incident's."""
    if shown_state(row) == click.shown:
        return
    if row.is_resolved:
        raise DomainError(f"This incident was already resolved by {row.resolved_by or 'its check or alert'}.")
    if row.state == Incident.State.ACKNOWLEDGED:
        raise DomainError(f"{row.acknowledged_by} already acknowledged this incident. Nothing changed.")
    if row.assignee is not None and row.assignee.pk != click.shown.assignee:
        raise DomainError(f"This incident was reassigned to {row.assignee}. Nothing changed.")
    raise DomainError(
        "This incident has changed since this message was sent. Nothing was done. Open the incident to see its state."
    )


def update_next_post(app: App) -> bool:
    """Update one message that does not show the newest state of its incident; return False if there is none."""
    row = claim(SlackPost.objects.claimable().stale())
    if row is None:
        return False
    # Read before the message is written: if the incident is resolved in between, the next update shows it.
    is_resolved = Incident.objects.filter(pk=row.incident_id, state=Incident.State.RESOLVED).exists()
    card = incident_card(row.incident_id, at=database_clock())
    if card is None:
        finish(row, stopped_at=Now())
        return True
    try:
        within(settings.MESSAGE_SEND_SECONDS, lambda deadline: update_card(app, row.channel, row.ts, card))
    except UndeliverableError as error:
        finish(row, stopped_at=Now(), problem=describe_error(error))
    except Exception as error:  # noqa: BLE001  # whatever a server or a library raises, it is retried
        if not retry_later(row, error):
            finish(row, stopped_at=Now(), problem=describe_error(error))
    else:
        finish(row, shown_entry=card.version, shows_resolved=is_resolved)
    return True
