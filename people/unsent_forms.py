"""Forms that were posted after the session expired: saved in the encrypted session until they are sent again."""

import re
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from common.http import client_address
from people.models import LoginAttempts
from people.services.login_attempts import TooManyAttemptsError, count_attempt

SESSION_KEY = "unsent_form"
MAX_FORM_BYTES = 256 * 1024
# Hidden fields of the site.
NOT_TYPED = ("csrfmiddlewaretoken", "form_key")
# Sent again with the form, but not shown, and not saved on its own.
RETURN_FIELD = "next"
# The key names the person who was shown the form: on a shared browser, nobody else sees what they typed.
FORM_KEY = re.compile(r"([0-9]{1,15})-[\w-]{1,64}", re.ASCII)
# Never saved: passwords, codes and secrets.
SECRET_FIELD = re.compile(r"password|secret|token|code|address", re.IGNORECASE)


def save_form(request: HttpRequest) -> None:
    """Save the fields of a form, without files and secrets."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in NOT_TYPED and not SECRET_FIELD.search(name)
        for value in values
    ]
    if (
        all(name == RETURN_FIELD for name, _ in fields)
        or sum(len(name) + len(str(value)) for name, value in fields) > MAX_FORM_BYTES
    ):
        return
    try:
        # Without a limit, strangers could fill the table of sessions.
        count_attempt({LoginAttempts.Kind.FORM: client_address(request)}, at=timezone.now())
    except TooManyAttemptsError:
        return
    key = request.POST.get("form_key", "")
    owner = FORM_KEY.fullmatch(key)
    request.session[SESSION_KEY] = {
        "path": request.get_full_path(),
        "fields": fields,
        "key": key if owner else "",
        "user": int(owner[1]) if owner else None,
    }


def delete_form(request: HttpRequest) -> None:
    """Delete a saved form that is now sent again, or discarded with the field `discard`."""
    form: dict[str, Any] | None = request.session.get(SESSION_KEY)
    if form is not None and form["path"] in (request.get_full_path(), request.POST.get("discard")):
        del request.session[SESSION_KEY]
