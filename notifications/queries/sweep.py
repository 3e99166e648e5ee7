"""The rows that the message sweep handles."""

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from common.db import ExistsQuery
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


# Runs every two seconds and usually finds nothing.
has_work = ExistsQuery(
    lambda: [
        Message.objects.claimable(),
        Message.objects.late(),
        Message.objects.unclaimed().filter(expires_at__lte=Now()),
        devices_before_reactivation(),
        unreported_devices(),
        unreported_methods(),
        unreported_rejections(),
    ]
)
