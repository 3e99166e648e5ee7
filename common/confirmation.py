"""Links to the page that asks before something is destroyed.

A template names the action and the question; both are signed, so that the page can only ask what a template asked.
"""

from dataclasses import asdict, dataclass

from django.core import signing

SALT = "common.confirmation"


class InvalidConfirmationError(Exception):
    """The text was not signed by this site."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question: `action` is the path to post to, `button` its label, `user` the primary key of whom it was made for."""

    action: str
    question: str
    detail: str
    button: str
    user: int


def sign_confirmation(confirmation: Confirmation) -> str:
    """Return the confirmation as signed text for a URL."""
    return signing.dumps(asdict(confirmation), salt=SALT, compress=True)


def read_confirmation(text: str) -> Confirmation:
    """Return the confirmation in a signed text; raise InvalidConfirmationError if it was changed."""
    try:
        return Confirmation(**signing.loads(text, salt=SALT))
    except (signing.BadSignature, TypeError) as error:
        raise InvalidConfirmationError from error
