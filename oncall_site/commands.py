"""Changes of state that belong to the site itself, and those that people are told of by mail about themselves."""

import contextlib
import datetime as dt

from django.db import transaction
from django.db.models.functions import Now

from notifications.commands import tell
from oncall_site.models import Heartbeat
from oncall_site.notices import notice_of
from oncall_site.queries import WORKER
from people import commands as people
from people import queries
from people.models import Attempts, PasswordLink, User
from people.refusals import Refused


def beat_heart() -> None:
    """Record that beat kicked and a worker answered, by the database's clock."""
    Heartbeat.objects.update_or_create(part=WORKER, defaults={"beaten_at": Now()})


@transaction.atomic
def invite(user: User, *, by: User, at: dt.datetime, reset: bool = False) -> PasswordLink:
    """Mail somebody a link by which they set their first password, or with `reset` another; raise as `people.commands.invite`."""
    link = people.invite(user, by=by, at=at, reset=reset)
    tell([user], notice=notice_of(link, at=at))
    return link


def forgotten(email: str, *, address: str, at: dt.datetime) -> None:
    """Mail a link for a new password to who has this e-mail and had a password; say nothing of whether anybody does.

    Raises people.commands.Busy where too many were asked for, for this e-mail or from this address.
    """
    people.reserve_attempt({Attempts.Of.MAIL: email, Attempts.Of.ADDRESS: address}, at=at)
    user = queries.person_with_email(email)
    if user is None:
        return
    with contextlib.suppress(Refused), transaction.atomic():
        tell([user], notice=notice_of(people.ask_for_password(user, at=at), at=at))
