"""Notifications of the site itself, and e-mails with a link to set a password, as `people` cannot import `notifications`."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from common.formatting import format_duration
from notifications.registry import Notification, local_time, paragraphs, register
from notifications.services.outbox import enqueue
from oncall_site.shift_checks import ADMIN_NOTICE, ENGINEER_NOTICE, ShiftCheck, shift_checks
from people.models import PasswordLink, User
from people.queries import link_secret

WEEK_AHEAD_LIFETIME = dt.timedelta(days=2)
EMAIL_NOTICE_VALIDITY = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _PasswordNotification(Notification):
    """What both e-mails with a password link have in common. The link's secret is in no row: it is derived when it is sent."""

    identity = ("link_id",)
    urgent = True
    private = True
    action = "Choose password"

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
class AccountInvitation(_PasswordNotification):
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
class PasswordReset(_PasswordNotification):
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
class EmailChange(Notification):
    """The e-mail address of an account changed; sent to the old address."""

    name = "email-changed"
    label = "E-mail address changed"
    identity = ("changed_at",)
    urgent = True
    private = True
    action = "Open profile"

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
        [user], EmailChange(old_address=old_address, changed_at=at), due_at=at, expires_at=at + EMAIL_NOTICE_VALIDITY
    )


@register
@dataclass(frozen=True, slots=True)
class DeliveryRecovery(Notification):
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
    resumed = DeliveryRecovery(stopped_at=stopped_at, resumed_at=at)
    enqueue(list(admins), resumed, due_at=at, expires_at=at + EMAIL_NOTICE_VALIDITY)


@register
@dataclass(frozen=True, slots=True)
class ShiftPreparation(Notification):
    """An engineer's shift starts within days, and the engineer has to prepare for it."""

    name = "shift-to-prepare"
    label = "My shift needs preparation"
    identity = ("week_id", "engineer_id")

    week_id: int
    engineer_id: int
    rotation: str
    starts_at: dt.datetime
    problems: tuple[str, ...]

    def link(self) -> str:
        return reverse("now")

    def subject(self, reader: User) -> str:
        return f"Prepare for your on-call shift on {local_time(self.starts_at, reader)}: {len(self.problems)} to do"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"You are on call for {self.rotation} from {local_time(self.starts_at, reader)}. Before that:",
            "\n".join(f"- {problem}" for problem in self.problems),
        )

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return any(
            check.week.pk == self.week_id and check.problems
            for check in shift_checks(at=at, notice=ENGINEER_NOTICE, engineer=recipient)
        )


@register
@dataclass(frozen=True, slots=True)
class UnpreparedShift(Notification):
    """A shift starts within two days and its engineer has not prepared for it. For admins."""

    name = "shift-not-prepared"
    label = "Engineer not ready for shift"
    identity = ("week_id", "engineer_id")
    admins_only = True

    week_id: int
    engineer_id: int
    engineer: str
    rotation: str
    starts_at: dt.datetime
    starts_on: dt.date
    problems: tuple[str, ...]

    def link(self) -> str:
        return reverse("week", args=[self.starts_on])

    def subject(self, reader: User) -> str:
        return f"{self.engineer} is not ready for the shift on {local_time(self.starts_at, reader)}"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.engineer} is on call for {self.rotation} from {local_time(self.starts_at, reader)}. They were asked to:",
            "\n".join(f"- {problem}" for problem in self.problems),
        )

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        checks = shift_checks(at=at, notice=ADMIN_NOTICE)
        return any(
            (check.week.pk, check.week.engineer_id) == (self.week_id, self.engineer_id) and check.problems
            for check in checks
        )


def notify_shift_check(check: ShiftCheck, *, at: dt.datetime) -> None:
    """Notify the engineer of what to do before a shift, and the admins two days before it. Each is notified once."""
    week = check.week
    problems = tuple(problem.text for problem in check.problems)
    to_prepare = ShiftPreparation(
        week_id=week.pk,
        engineer_id=week.engineer_id,
        rotation=str(week.rotation),
        starts_at=week.starts_at,
        problems=problems,
    )
    enqueue([week.engineer], to_prepare, due_at=at, expires_at=week.starts_at)
    if week.starts_at - at > ADMIN_NOTICE:
        return
    not_prepared = UnpreparedShift(
        week_id=week.pk,
        engineer_id=week.engineer_id,
        engineer=str(week.engineer),
        rotation=str(week.rotation),
        starts_at=week.starts_at,
        starts_on=week.starts_on,
        problems=problems,
    )
    admins = User.objects.get_queryset().active().filter(is_staff=True).order_by("pk")
    enqueue(list(admins), not_prepared, due_at=at, expires_at=week.starts_at)


@register
@dataclass(frozen=True, slots=True)
class WeekAhead(Notification):
    """An opt-in summary of a person's next seven days, on Monday morning."""

    name = "week-ahead"
    label = "My week ahead, on Monday morning"
    identity = ("starts_on",)
    opt_in = True

    starts_on: dt.date
    lines: tuple[str, ...]

    def link(self) -> str:
        return reverse("account")

    def subject(self, reader: User) -> str:
        return f"Your week ahead: {len(self.lines)} item{'s' if len(self.lines) != 1 else ''}"

    def body(self, reader: User) -> str:
        return (
            "\n".join(f"- {line}" for line in self.lines)
            or "You are not on call this week and have no requests to answer."
        )


def notify_week_ahead(person: User, *, lines: Iterable[str], starts_on: dt.date, at: dt.datetime) -> None:
    """Notify a person of their week, once."""
    week = WeekAhead(starts_on=starts_on, lines=tuple(lines))
    enqueue([person], week, due_at=at, expires_at=at + WEEK_AHEAD_LIFETIME)


TYPES: dict[str, type[_PasswordNotification]] = {cls.name: cls for cls in (AccountInvitation, PasswordReset)}


def notify_password_link(link: PasswordLink, *, at: dt.datetime) -> None:
    """Mail a user their password link."""
    fields: dict[str, Any] = {
        "link_id": link.pk,
        "sent_by": str(link.asked_by) if link.asked_by else "",
        "expires_at": link.expires_at,
    }
    enqueue([link.user], TYPES[link.purpose](**fields), due_at=at, expires_at=link.expires_at)
