"""Notifications that list others: the digest after an outage, and the summary of too many incident messages."""

import datetime as dt
from dataclasses import dataclass

from django.core import signing
from django.urls import reverse

from notifications.models import DIGEST, SUMMARY, ContactMethod, Message, PushDevice
from notifications.queries.contact_methods import contact_code, email_rejections
from notifications.queries.outbox import database_clock, is_worth_listing, message_link
from notifications.registry import Notification, local_time, paragraphs, register
from people.models import User


@dataclass(frozen=True, slots=True)
class _ListNotification(Notification):
    """A list of other messages. It has those that are still relevant when it is sent, and is obsolete if none is."""

    private = True

    message_ids: tuple[int, ...]

    @property
    def dedup_key(self) -> str:
        """The newest message: each is in one list only."""
        return str(max(self.message_ids))

    def relevant_messages(self, *, at: dt.datetime) -> list[Message]:
        """Return the messages that are still relevant, in their order."""
        rows = Message.objects.filter(pk__in=self.message_ids).select_related("recipient").order_by("due_at", "pk")
        return [row for row in rows if is_worth_listing(row, at=at)]

    def link(self) -> str:
        return reverse("notifications")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return bool(self.relevant_messages(at=at))


@register
@dataclass(frozen=True, slots=True)
class Digest(_ListNotification):
    """Messages that were overdue after an outage."""

    name = DIGEST
    label = "Digest of delayed notifications"

    def subject(self, reader: User) -> str:
        return f"{len(self.relevant_messages(at=database_clock()))} delayed notifications"

    def body(self, reader: User) -> str:
        parts = [f"{row.subject}\n\n{row.text.strip()}" for row in self.relevant_messages(at=database_clock())]
        intro = "Notifications could not be sent for a while. These are still relevant:"
        return "\n\n\n".join([intro, *parts])


@register
@dataclass(frozen=True, slots=True)
class Summary(_ListNotification):
    """Incident messages beyond the limit."""

    name = SUMMARY
    label = "Summary of incident messages"
    urgent = True

    def subject(self, reader: User) -> str:
        count = len(self.relevant_messages(at=database_clock()))
        return f"{count} more incident {'message' if count == 1 else 'messages'}"

    def body(self, reader: User) -> str:
        lines = [f"{row.subject}\n{message_link(row)}" for row in self.relevant_messages(at=database_clock())]
        intro = "You got many incident messages within ten minutes. These wait for you too:"
        return paragraphs(intro, *lines)


@register
@dataclass(frozen=True, slots=True)
class ChannelTest(Notification):
    """A test of a contact method."""

    name = "test"
    label = "Test message"
    identity = ("requested_at",)
    urgent = True
    private = True

    channel: str
    requested_at: dt.datetime

    def subject(self, reader: User) -> str:
        return "Test message from the on-call site"

    def body(self, reader: User) -> str:
        return f"{self.channel} works. You asked for this test {local_time(self.requested_at, reader)}."

    def link(self) -> str:
        return reverse("notifications")


TEST_CODE_SALT = "notifications.push test"


@register
@dataclass(frozen=True, slots=True)
class PushDeviceTest(Notification):
    """A test of one push device. Its link leads to a button that confirms that it arrived."""

    name = "push-test"
    label = "Test message to a device"
    identity = ("device", "requested_at")
    urgent = True
    private = True

    device: int
    device_name: str
    requested_at: dt.datetime

    def subject(self, reader: User) -> str:
        return "Test message from the on-call site"

    def body(self, reader: User) -> str:
        return f"Push works on {self.device_name}. Open this message to confirm that you received it."

    def link(self) -> str:
        return reverse("push_device", args=[self.device])

    def delivery_link(self) -> str:
        return f"{self.link()}?code={signing.dumps(self.device, salt=TEST_CODE_SALT)}"

    def device_id(self) -> int | None:
        return self.device


@register
@dataclass(frozen=True, slots=True)
class DisabledPushDevice(Notification):
    """Push stopped on a device, sent by e-mail."""

    name = "push-off"
    label = "Push stopped on a device"
    identity = ("device", "switched_off_at")
    private = True

    device: int
    device_name: str
    switched_off_at: dt.datetime
    problem: str
    others: int

    def subject(self, reader: User) -> str:
        return f"Push stopped on {self.device_name}"

    def body(self, reader: User) -> str:
        consequence = (
            f"You still get push messages on {self.others} other {'device' if self.others == 1 else 'devices'}."
            if self.others
            else "You no longer get push messages. Urgent messages still go by e-mail and your other contact methods."
        )
        return paragraphs(
            f"Push on {self.device_name} was turned off on {local_time(self.switched_off_at, reader)}.",
            self.problem,
            consequence,
            "To turn it on again, open the Notifications page on that device.",
        )

    def link(self) -> str:
        return reverse("notifications")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return PushDevice.objects.filter(pk=self.device, switched_off_at__isnull=False).exists()


@register
@dataclass(frozen=True, slots=True)
class ContactCode(Notification):
    """The code that verifies a contact method. Only the sent message contains it."""

    name = "contact-code"
    label = "Code for a contact method"
    identity = ("method", "requested_at")
    urgent = True
    private = True

    method: int
    requested_at: dt.datetime

    def subject(self, reader: User) -> str:
        return "Your code for the on-call site"

    def body(self, reader: User) -> str:
        return "The code was sent."

    def delivery_body(self, reader: User) -> str:
        row = ContactMethod.objects.filter(pk=self.method).first()
        code = contact_code(row) if row else ""
        return f"Your code is {code}. Enter it on the Notifications page. It is valid for 15 minutes."

    def link(self) -> str:
        return reverse("notifications")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return ContactMethod.objects.filter(pk=self.method, code_sent_at=self.requested_at).exists()


@register
@dataclass(frozen=True, slots=True)
class NewContactMethod(Notification):
    """A contact method or device was added. Sent by e-mail, because an API token can add one."""

    name = "contact-method-added"
    label = "Contact method added"
    identity = ("what", "added_at")
    private = True

    what: str
    added_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"{self.what} now gets your messages"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.what} was added to your notifications {local_time(self.added_at, reader)}.",
            "If this was not you, remove it on the Notifications page and revoke your API tokens.",
        )

    def link(self) -> str:
        return reverse("notifications")


@register
@dataclass(frozen=True, slots=True)
class EmailRejectionReport(Notification):
    """A user's e-mail address is rejected. Sent to the user by another channel, or to the admins if there is none."""

    name = "email-rejected"
    label = "E-mail address rejected"
    identity = ("person", "rejected_at")
    private = True

    person: int
    person_name: str
    rejected_address: str
    problem: str
    rejected_at: dt.datetime

    def subject(self, reader: User) -> str:
        whose = "Your e-mail address" if reader.pk == self.person else f"The e-mail address of {self.person_name}"
        return f"{whose} is rejected"

    def body(self, reader: User) -> str:
        if reader.pk == self.person:
            first = f"We cannot send e-mail to {self.rejected_address}."
            last = "Correct the address in your profile. Until then, rely on your other contact methods."
        else:
            first = f"We cannot send e-mail to {self.person_name} at {self.rejected_address}, and they have no other contact method."
            last = "Correct the address in Django’s admin, or ask them to add a contact method."
        return paragraphs(first, self.problem, last)

    def link(self) -> str:
        return reverse("profile")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        rows = email_rejections([self.person]).filter(rejected_at=self.rejected_at)
        return rows.exists()


@register
@dataclass(frozen=True, slots=True)
class DisabledContactMethod(Notification):
    """A contact method was turned off, sent by e-mail."""

    name = "contact-method-off"
    label = "Contact method turned off"
    identity = ("method", "switched_off_at")
    private = True

    method: int
    channel: str
    shown_as: str
    switched_off_at: dt.datetime
    problem: str

    def subject(self, reader: User) -> str:
        return f"{self.channel} to {self.shown_as} was turned off"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.channel} to {self.shown_as} was turned off on {local_time(self.switched_off_at, reader)}.",
            self.problem,
            "Urgent messages still go by e-mail and your other contact methods. To use it again, add it on the Notifications page.",
        )

    def link(self) -> str:
        return reverse("notifications")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return ContactMethod.objects.filter(pk=self.method, switched_off_at__isnull=False).exists()
