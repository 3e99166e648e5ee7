"""What the sweep of messages looks for, and whether there is any of it."""

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from common.db import ExistsQuestion
from notifications.models import ContactMethod, EmailRejection, Message, PushDevice
from people.models import since_reactivation


def devices_before_reactivation() -> QuerySet[PushDevice]:
    """Return the active devices of users who were deactivated and reactivated since."""
    active = PushDevice.objects.filter(switched_off_at=None, person__is_active=True)
    return active.exclude(since_reactivation("person"))


def unreported_devices() -> QuerySet[PushDevice]:
    """Return the devices that were turned off and not reported to their users."""
    return PushDevice.objects.filter(switched_off_at__isnull=False, reported_at=None)


def unreported_methods() -> QuerySet[ContactMethod]:
    """Return the contact methods that were turned off and not reported to their users."""
    return ContactMethod.objects.filter(switched_off_at__isnull=False, reported_at=None)


def unreported_rejections() -> QuerySet[EmailRejection]:
    """Return the unreported rejections of addresses that active users still have."""
    return EmailRejection.objects.filter(reported_at=None, address=F("person__email"), person__is_active=True)


# Asked every two seconds, mostly in vain.
has_work = ExistsQuestion(
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
