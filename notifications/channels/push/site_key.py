"""The key by which push services know the site: from the settings, else the stored one."""

from django.conf import settings

from notifications.channels.push.vapid import SiteKey, load_site_key
from notifications.models import VapidKey


def find_site_key() -> SiteKey | None:
    """Return the site's key, or None before the first device is added.

    Raises VapidKeyError or common.crypto.DecryptionError if it cannot be used.
    """
    if settings.VAPID_PRIVATE_KEY:
        return load_site_key(settings.VAPID_PRIVATE_KEY)
    row = VapidKey.objects.first()
    return load_site_key(row.private_key) if row else None
