"""Django app for notifications."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class NotificationsConfig(AppConfig):
    """Configuration of the notifications app."""

    name = "notifications"

    def ready(self) -> None:
        """Import each app's `notifications` module, which registers its notification types, and connect the signals."""
        autodiscover_modules("notifications", "signals")
