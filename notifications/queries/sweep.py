"""The rows that the message sweep handles."""

from typing import Any

from django.db.models import F, QuerySet

from common.db import SweepProbe
from notifications.models import ContactMethod, EmailRejection, Message, PushDevice
from people.models import since_reactivation


def devices_before_reactivation() -> QuerySet[PushDevice]:
    """Return the active devices of users who were deactivated and reactivated since."""
    active = PushDevice.objects.filter(switched_off_at=None, person__is_active=True)
    return active.exclude(since_reactivation("person"))


def unreported_devices() -> QuerySet[PushDevice]:
    """Return the devices that were turned off and not yet reported to their users."""
    return PushDevice.objects.filter(switched_off_at__isnull=False, reported_at=None)


def unreported_methods() -> QuerySet[ContactMethod]:
    """Return the contact methods that were turned off and not yet reported to their users."""
    return ContactMethod.objects.filter(switched_off_at__isnull=False, reported_at=None)


def unreported_rejections() -> QuerySet[EmailRejection]:
    """Return the unreported rejections of addresses that active users still have."""
    return EmailRejection.objects.filter(reported_at=None, address=F("person__email"), person__is_active=True)


def rows_to_sweep() -> list[QuerySet[Any]]:
    """Return the rows of each kind that the sweep handles, by the database's clock."""
    return [
        Message.objects.claimable(),
        Message.objects.late(),
        Message.objects.expired(),
        devices_before_reactivation(),
        unreported_devices(),
        unreported_methods(),
        unreported_rejections(),
    ]


sweep_is_due = SweepProbe("messages", lambda at: rows_to_sweep())
