"""Invite many people at once: read a pasted list, and create, complete and invite the people on it."""

import datetime as dt
import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from oncall_site.services import invite
from people.domain.names import match_key
from people.models import User
from people.queries import people_by_handbook_name, user_by_email
from people.services.accounts import change_profile, engineers_named

MAX_INVITATIONS = 200
EXAMPLE = "Ada Lovelace <ada@example.org>"
BEFORE_EMAIL = re.compile(r"[ ,;<>]")


@dataclass(frozen=True, slots=True)
class Invitee:
    """A line of the list."""

    line: int
    name: str
    email: str


def read_invitees(text: str) -> list[Invitee]:
    """Return the people of a list, a name and an e-mail address per line; raise InvalidInputError that names each wrong line."""
    invitees, problems = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, email = _name_and_email(line)
        if not name or not _is_email(email):
            problems.append(f"Line {number}: enter a name and an e-mail address, such as {EXAMPLE}.")
            continue
        invitees.append(Invitee(number, name.strip("\"'"), email))
    emails = [invitee.email.lower() for invitee in invitees]
    problems += [
        f"Line {one.line}: {one.email} is listed twice."
        for place, one in enumerate(invitees)
        if one.email.lower() in emails[:place]
    ]
    if not invitees and not problems:
        problems.append(f"Enter a name and an e-mail address per line, such as {EXAMPLE}.")
    if len(invitees) > MAX_INVITATIONS:
        problems.append(f"Invite at most {MAX_INVITATIONS} people at once.")
    if problems:
        raise InvalidInputError({"people": problems})
    return invitees


def _name_and_email(line: str) -> tuple[str, str]:
    """Split "Name <address>", or the name and the address with a comma, a semicolon, a tab or a space between them."""
    text = " ".join(line.split()).strip(" ,;").removesuffix(">")
    email = BEFORE_EMAIL.split(text)[-1]
    return text[: len(text) - len(email)].rstrip(" ,;<"), email


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def has_addresses(invitees: list[Invitee]) -> bool:
    """Return True if the list gives an e-mail address to somebody who has none, who can then set their password."""
    people = people_by_handbook_name([invitee.name for invitee in invitees])
    listed = [people.get(match_key(invitee.name)) for invitee in invitees]
    return any(person is not None and not person.email for person in listed)


@transaction.atomic
def invite_people(invitees: list[Invitee], *, by: User, at: dt.datetime) -> tuple[list[User], list[User]]:
    """Invite people; return those who were invited, and those who have a password already.

    A new name makes a new engineer; a person without an address gets the one of the list. All or none: raises InvalidInputError
    that names each wrong line, and NotAllowedError if `by` is not an admin.
    """
    invited, members, problems = [], [], []
    for invitee in invitees:
        try:
            with transaction.atomic():
                user = _person(invitee)
                if user.has_usable_password():
                    members.append(user)
                else:
                    invite(user, by=by, at=at)
                    invited.append(user)
        except ValidationError as error:
            problems.append(f"Line {invitee.line}: {' '.join(error.messages)}")
        except InvalidInputError as error:
            problems.append(f"Line {invitee.line}: {error}")
        except DomainError as error:
            if type(error) is not DomainError:
                raise
            problems.append(f"Line {invitee.line}: {error}")
    if problems:
        raise InvalidInputError({"people": problems})
    return invited, members


def _person(invitee: Invitee) -> User:
    """Return the person of a line, created if the name is new, with the address of the line."""
    owner = user_by_email(invitee.email)
    people, _ = engineers_named([invitee.name], time_zone="UTC")
    user = people[match_key(invitee.name)]
    if owner is not None and owner != user:
        raise DomainError(f"{invitee.email} belongs to {owner}.")
    if user.email and user.email.lower() != invitee.email.lower():
        raise DomainError(f"{user} has another e-mail address, {user.email}. Change it in the admin first.")
    if not user.email:
        if user.has_usable_password():
            raise DomainError(f"{user} has a password but no e-mail address. Add it in the admin.")
        change_profile(user, fields={"email": invitee.email})
    return user
