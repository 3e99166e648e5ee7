"""Queries for devices with push."""

from notifications.models import PushDevice, PushDeviceQuerySet
from people.models import User


def devices_for(person: User) -> PushDeviceQuerySet:
    """Return a user's devices, oldest first."""
    return PushDevice.objects.filter(person=person).select_related("person").order_by("created_at", "pk")
