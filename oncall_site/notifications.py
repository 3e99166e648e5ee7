"""Notifications of the site itself, and e-mails with a link to set a password, as `people` cannot import `notifications`."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from common.formatting import format_duration
from notifications.registry import Notification, local_time, paragraphs, register
from notifications.services.outbox import enqueue
from people.models import PasswordLink, User
from people.queries import link_secret

EMAIL_NOTICE_VALIDITY = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _PasswordNotification(Notification):
    """What both e-mails with a password link have in common. The link's secret is in no row: it is derived when it is sent."""

    identity = ("link_id",)
    urgent = True
    private = True

    link_id: int
    # Empty if the user asked for it on the sign-in page.
    sent_by: str
    expires_at: dt.datetime

    def link(self) -> str:
        return reverse("sign_in")

    def delivery_link(self) -> str:
        return reverse("password_link", args=[link_secret(PasswordLink.objects.get(pk=self.link_id))])

    def usage(self, reader: User) -> str:
        """Return the user name, and until when the link works."""
        until = local_time(self.expires_at, reader)
        return f"Your user name is {reader.username}. The link works once, until {until}."

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return PasswordLink.objects.usable(at=at).filter(pk=self.link_id).exists()


@register
@dataclass(frozen=True, slots=True)
class InvitationSent(_PasswordNotification):
    """An admin invites a new user."""

    name = PasswordLink.Purpose.INVITATION.value
    label = "Invitation"

    def subject(self, reader: User) -> str:
        return "You are invited to the on-call site"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.sent_by} invited you to the on-call site at {settings.SITE_URL}.",
            f"{self.usage(reader)} Open it to choose a password.",
        )


@register
@dataclass(frozen=True, slots=True)
class PasswordResetSent(_PasswordNotification):
    """A user, or an admin for them, asked for a new password."""

    name = PasswordLink.Purpose.RESET.value
    label = "Password reset"

    def subject(self, reader: User) -> str:
        return "Reset your password for the on-call site"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.sent_by or 'Someone'} requested a password reset for your account.",
            f"{self.usage(reader)} Open it to choose a new password.",
            "If you did not expect this, ignore this e-mail. Your password stays the same.",
        )


@register
@dataclass(frozen=True, slots=True)
class EmailChanged(Notification):
    """The e-mail address of an account changed; sent to the old address."""

    name = "email-changed"
    label = "E-mail address changed"
    identity = ("changed_at",)
    urgent = True
    private = True

    old_address: str
    changed_at: dt.datetime

    def link(self) -> str:
        return reverse("profile")

    def address(self, recipient: User) -> str:
        return self.old_address

    def subject(self, reader: User) -> str:
        return "Your e-mail address for the on-call site changed"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"The e-mail address of {reader.username} changed at {local_time(self.changed_at, reader)}.",
            "Notifications no longer go to this address. If you did not change it, contact an admin now.",
        )


def notify_email_changed(user: User, *, old_address: str, at: dt.datetime) -> None:
    """Tell the old address of a user that their e-mail address changed."""
    enqueue(
        [user], EmailChanged(old_address=old_address, changed_at=at), due_at=at, expires_at=at + EMAIL_NOTICE_VALIDITY
    )


@register
@dataclass(frozen=True, slots=True)
class DeliveryResumed(Notification):
    """Notifications are delivered again after an outage of the worker or of beat."""

    name = "delivery-resumed"
    label = "Notifications are delivered again"
    identity = ("stopped_at",)
    admins_only = True

    stopped_at: dt.datetime
    resumed_at: dt.datetime

    def link(self) -> str:
        return reverse("system")

    def subject(self, reader: User) -> str:
        return f"Notifications were not delivered for {format_duration(self.resumed_at - self.stopped_at)}"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"The on-call site delivered nothing from {local_time(self.stopped_at, reader)} to"
            f" {local_time(self.resumed_at, reader)}: its worker or its scheduler was not running. It works again.",
            "What is still relevant is delivered now. Incidents that escalated late are on the Incidents page.",
        )


def notify_delivery_resumed(*, stopped_at: dt.datetime, at: dt.datetime) -> None:
    """Notify every admin that notifications are delivered again."""
    admins = User.objects.get_queryset().active().filter(is_staff=True).order_by("pk")
    resumed = DeliveryResumed(stopped_at=stopped_at, resumed_at=at)
    enqueue(list(admins), resumed, due_at=at, expires_at=at + EMAIL_NOTICE_VALIDITY)


TYPES: dict[str, type[_PasswordNotification]] = {cls.name: cls for cls in (InvitationSent, PasswordResetSent)}


def notify_password_link(link: PasswordLink, *, at: dt.datetime) -> None:
    """Mail a user their password link."""
    fields: dict[str, Any] = {
        "link_id": link.pk,
        "sent_by": str(link.asked_by) if link.asked_by else "",
        "expires_at": link.expires_at,
    }
    enqueue([link.user], TYPES[link.purpose](**fields), due_at=at, expires_at=link.expires_at)
