"""Helpers that create rows for tests."""

import contextlib
import datetime as dt
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from handbook.services import import_handbook
from people.domain.names import match_key
from people.models import User
from people.services.accounts import new_token
from pipelines.services import Owners, new_pipeline
from runbooks.services import create_runbook
from scheduling.domain.weeks import Hours, current_week
from scheduling.models.rotations import DEFAULT_HANDOFF_TIME, Rotation, Weekday
from scheduling.services.weeks import ensure_weeks
from tests.snapshots import build_once

SEED = Path(__file__).parent.parent / "examples" / "handbook.md"
PASSWORD = "correct horse battery staple"


@contextlib.contextmanager
def rolled_back(blocker):
    """Let a fixture with a wider scope than a test create rows; they are rolled back afterwards."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def each_undone(cases):
    """Yield the cases of a test; what the test wrote for one is rolled back before the next."""
    for case in cases:
        with transaction.atomic():
            yield case
            transaction.set_rollback(True)


def make_engineer(name, *, taken=None, **fields):
    """Create an engineer; `taken` are the user names of all others, if the caller knows them."""
    from people.domain.names import user_name_for

    if "username" not in fields:
        taken = set(User.objects.values_list("username", flat=True)) if taken is None else taken
        fields["username"] = user_name_for(name, taken)
    user = User(display_name=name, **fields)
    user.set_unusable_password()
    # The database checks constraints and uniqueness. `clean` would need a statement to check names.
    user.clean_fields()
    user.handbook_name = user.handbook_name or user.display_name
    user.save()
    return user


def make_pipeline(name, *, primary, secondary, position=0):
    """Create a pipeline. The database checks constraints; `full_clean` would need five statements."""
    row = new_pipeline(name, owners=Owners(primary=primary, secondary=secondary), position=position)
    row.match_key = match_key(row.full_name)
    row.save()
    return row


def make_runbook(pipeline, markdown="### Purpose\n\nTo be useful.", author=None):
    return create_runbook(pipeline, title=pipeline.full_name, markdown=markdown, author=author)


def bearer(user, **fields):
    """Return the request headers with a new API token of a user, for Django's test client; an admin's is an admin token.

    The token was just used, so that requests do not record it.
    """
    fields.setdefault("scope", "admin" if user.is_staff else "write")
    new = new_token(user, name="test", **fields)
    new.token.last_used_at = timezone.now()
    new.token.save()
    return {"headers": {"authorization": f"Bearer {new.secret}"}}


def add_contact_method(person, *, channel, address):
    """Add a contact method of a user, or switch it on again, as if the user had just entered its code."""
    from notifications.channels.catalog import CHANNELS
    from notifications.models import ContactMethod
    from notifications.queries.contact_methods import address_digest
    from notifications.queries.outbox import database_clock
    from notifications.services.contact_methods import check_address

    address = CHANNELS[channel].clean_address(address)
    key = {"person": person, "channel": channel, "address_digest": address_digest(channel, address)}
    row = ContactMethod.objects.filter(**key).first() or ContactMethod(**key)
    row.address, row.shown_as = address, check_address(channel, address)[:255]
    row.verified_at, row.switched_off_at, row.reported_at, row.problem = database_clock(), None, None, ""
    row.save()
    return row


def current_monday(at):
    """Return the start date of the current week in a rotation that hands off on Mondays at 10:00 UTC."""
    return current_week(Hours("UTC", Weekday.MONDAY, DEFAULT_HANDOFF_TIME), at=at)


def import_example(*, at, starting=None):
    """Import the example handbook: Engineers A to D, their rotation, pipelines, runbooks and suggested checks."""
    build_once(("example handbook", at, starting), lambda: import_handbook(SEED.read_bytes(), at=at, starting=starting))


def import_started_example(*, at):
    """Import the example handbook as of a week before `at`, and create the weeks that are missing at `at`; return its rotation.

    On a Monday before the hand-off, the first shift of a rotation that is imported now would not have started.
    """
    import_example(at=at - dt.timedelta(weeks=1))
    rotation = Rotation.objects.get()
    ensure_weeks(rotation, today=at.date())
    return rotation
