"""The mails by which somebody sets a password: written here, since people know nothing of messages."""

import datetime as dt

from django.conf import settings
from django.urls import reverse

from notifications.models import Message
from notifications.registry import NotificationType
from notifications.services.outbox import Notification
from people.models import PasswordLink, User
from people.queries import secret_of

EVENT = "password-link"


def notice_of(link: PasswordLink, *, at: dt.datetime) -> Notification:
    """Return what somebody is told of their link; the link itself is added when the mail is sent."""
    invited = link.purpose == PasswordLink.Purpose.INVITATION
    return Notification(
        kind=link.purpose,
        event=EVENT,
        occurrence=str(link.pk),
        subject="You are invited to the on-call site" if invited else "Your new password for the on-call site",
        text=_text(link.user, by=link.asked_by, invited=invited),
        path=reverse("sign_in"),
        due_at=at,
        expires_at=link.expires_at,
    )


def _text(user: User, *, by: User | None, invited: bool) -> str:
    name = f"Your user name is {user.username}."
    once = f"The link below works once, for {'a week' if invited else 'an hour'}."
    if invited:
        return f"{by} invites you to the on-call site at {settings.SITE_URL}.\n\n{name} {once}"
    asked = f"{by} sends you" if by else "Somebody, you we hope, asked for"
    return f"{asked} a link to choose a new password. {name} {once}\n\nIf you did not want it, do nothing: your password stays."


def still_usable(message: Message, at: dt.datetime) -> bool:
    """Tell whether the link of a mail still works."""
    return PasswordLink.objects.usable(at=at).filter(pk=message.occurrence).exists()


def path_with_secret(message: Message) -> str:
    """Return the path of the link's page, which no table holds."""
    return reverse("password_link", args=[secret_of(PasswordLink.objects.get(pk=message.occurrence))])


KINDS = tuple(
    NotificationType(
        purpose.value,
        title=str(purpose.label),
        urgent=True,
        private=True,
        is_still_relevant=still_usable,
        path_of=path_with_secret,
    )
    for purpose in PasswordLink.Purpose
)
