"""Undo buttons: after an action its author can undo it for ten minutes.

A message on the page carries the button. What it does is signed text that only its author can send: a subclass of `Undo` with the
values that the action left, so that `perform` refuses if someone has changed them since.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest

from common.json_values import from_json, to_json
from people.models import User

UNDO_WINDOW = dt.timedelta(minutes=10)
SALT = "people.undo"


class InvalidUndoError(Exception):
    """The text was not signed by this site, or for another user."""


class ExpiredUndoError(Exception):
    """The button is too old."""


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What an Undo button did: a sentence for people, the page to show, "" for the one that the button was on, and a part of it.

    `part` is the ID of an element, "" for the top of the page.
    """

    text: str
    page: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """What an Undo button does: a subclass is an action, its fields are the values that it needs."""

    # Part of the signed text.
    name: ClassVar[str]

    def perform(self, *, by: User, at: dt.datetime) -> UndoResult:
        """Undo the action; raise DomainError with the reason if someone has changed it since."""
        raise NotImplementedError


_actions: dict[str, type[Undo]] = {}
T = TypeVar("T", bound=type[Undo])


def register(cls: T) -> T:
    """Class decorator: add an action to the registry. The views of each app import its `undo` module."""
    _actions[cls.name] = cls
    return cls


def confirm_with_undo(request: HttpRequest, text: str, undo: Undo) -> None:
    """Show what an action did on the next page, with an Undo button."""
    messages.success(request, text, extra_tags=sign_undo(undo, by=request.user))  # type: ignore[arg-type]  # signed in


def sign_undo(undo: Undo, *, by: User) -> str:
    """Return what the button of `by` posts."""
    return signing.dumps({"user": by.pk, "name": undo.name, "values": to_json(undo)}, salt=SALT, compress=True)


def read_undo(text: str, *, by: User) -> Undo:
    """Return what a button does; raise InvalidUndoError or, after ten minutes, ExpiredUndoError."""
    try:
        signed: Mapping[str, Any] = signing.loads(text, salt=SALT, max_age=UNDO_WINDOW)
    except signing.SignatureExpired as error:
        raise ExpiredUndoError from error
    except signing.BadSignature as error:
        raise InvalidUndoError from error
    if signed["user"] != by.pk:
        raise InvalidUndoError
    try:
        return from_json(_actions[signed["name"]], signed["values"])
    except (TypeError, KeyError, ValueError) as error:
        # The site has been updated since.
        raise ExpiredUndoError from error
